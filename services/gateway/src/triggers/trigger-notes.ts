// What came of each trigger last, written now and then: a row is not written for every event.
import type { Fault } from '@baton/contracts'
import type { TriggerStore } from '@baton/store'

type Last = { readonly lastRunId?: string; readonly lastError?: string }
export type TriggerNotes = {
  started(id: string, runId: string): void
  failed(id: string, fault: Pick<Fault, 'code' | 'message'>): void
  /** Writes what is not written yet. */
  flush(): Promise<void>
  close(): Promise<void>
}

const FLUSH_MS = 2_000
const ERROR_CHARS_MAX = 1_000

/** A fault as it is kept with a trigger. */
export const errorText = ({ code, message }: Pick<Fault, 'code' | 'message'>): string => `${code}: ${message}`.slice(0, ERROR_CHARS_MAX)

/** Notes that nobody waits for; one that cannot be written is left out. */
export const createTriggerNotes = (store: Pick<TriggerStore, 'note'>): TriggerNotes => {
  const pending = new Map<string, Last>()
  let timer: NodeJS.Timeout | undefined
  const flush = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const notes = [...pending]
    pending.clear()
    await Promise.allSettled(notes.map(([id, last]) => store.note({ id, ...last })))
  }
  const add = (id: string, last: Last): void => {
    pending.set(id, { ...pending.get(id), ...last })
    timer ??= setTimeout(() => void flush(), FLUSH_MS).unref()
  }
  return {
    started: (id, lastRunId) => add(id, { lastRunId }),
    failed: (id, fault) => add(id, { lastError: errorText(fault) }),
    flush,
    close: flush,
  }
}
