// The journal of a run as it happens, over lost connections.
//   E1. After a lost connection it goes on behind the last event that arrived: none is missed, none comes twice.
//   E2. It ends with the run, with the signal, or with the fault of a server that stays away too long.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, isRetryable, toFault } from '@baton/contracts'
import type { openTransport, ServerEvent } from './transport.ts'

export type EventOptions = {
  readonly signal?: AbortSignal
  /** Goes on behind this event. */
  readonly lastEventId?: string
  /** How long the server may be away before it counts. Default 60,000. */
  readonly patienceMs?: number
}

const PATIENCE_MS = 60_000
const PAUSE_MS = { first: 100, longest: 5_000 } as const
const ENDS = /^baton\.journal\.run\.ended\./

/** When to try again, and when it was too often. */
const patience = (patienceMs: number) => {
  let pauseMs: number = PAUSE_MS.first
  let awaySinceMs: number | undefined
  return {
    arrived: (): void => {
      pauseMs = PAUSE_MS.first
      awaySinceMs = undefined
    },
    /** Throws what was thrown when it is not passing, or lasts too long (E2). */
    bear: (error: unknown): void => {
      awaySinceMs ??= performance.now()
      if (!isRetryable(toFault(error).code) || performance.now() - awaySinceMs > patienceMs) throw error
    },
    pause: async (signal: AbortSignal): Promise<void> => {
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest)
    },
  }
}

/** Every event of a run from its beginning, or from `lastEventId` on. */
export const followRun = async function* (
  { events }: Pick<ReturnType<typeof openTransport>, 'events'>,
  runId: string,
  { signal = new AbortController().signal, lastEventId, patienceMs = PATIENCE_MS }: EventOptions = {},
): AsyncGenerator<ServerEvent> {
  const { arrived, bear, pause } = patience(patienceMs)
  for (let last = lastEventId; !signal.aborted; await pause(signal)) {
    try {
      for await (const event of events(`/v1/runs/${encodeURIComponent(runId)}/events`, signal, last)) {
        last = event.id // E1
        arrived()
        yield event
        if (ENDS.test(event.event)) return // E2
      }
    } catch (error) {
      if (!signal.aborted) bear(error)
    }
  }
}

/** A stream that broke off in the middle. */
export const brokenOff = (error: unknown): Fault =>
  error instanceof Fault ? error : new Fault('bus.unavailable', 'the connection to the server was lost', {}, { cause: error })
