// Which change fits which state of a run, as far as tracing tells. The engine decides for good and journals what it refuses.
import { Fault, type FaultCode } from '@baton/contracts'
import type { KnownRun } from './known-run.ts'

/** What can be done to a run, or to all runs of a query. */
export const CONTROL_ACTIONS = ['cancel', 'pause', 'resume', 'retry'] as const
export type ControlAction = (typeof CONTROL_ACTIONS)[number]
type Change = ControlAction | 'patch' | 'send'

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** Cancelling again, or too late, changes nothing and is no mistake. */
const refusalOf = (change: Change, status: string): { readonly code: FaultCode; readonly why: string } | undefined => {
  const ended = ENDED.has(status)
  switch (change) {
    case 'cancel':
      return undefined
    case 'pause':
    case 'send':
      return ended ? { code: 'run.ended', why: `has ended: ${status}` } : undefined
    case 'resume':
    case 'patch':
      return status === 'paused' ? undefined : { code: 'run.not_paused', why: `is ${status}, not paused` }
    case 'retry':
      return ended ? undefined : { code: 'run.not_ended', why: `is ${status}` }
  }
}

/** Whether a run may be changed like this; a state that nobody told refuses nothing. */
export const isOpenTo = (change: Change, { status }: KnownRun): boolean => status === undefined || refusalOf(change, status) === undefined

/** Whether tracing may still say something else of the run that matters for the change: an end is final. */
export const isSettledFor = (change: Change, run: KnownRun): boolean => isOpenTo(change, run) || ENDED.has(run.status ?? '')

/** Throws `run.not_paused`, `run.not_ended` or `run.ended`. */
export const requireOpenTo = (change: Change, { runId, status }: KnownRun): void => {
  const refusal = status === undefined ? undefined : refusalOf(change, status)
  if (refusal !== undefined) throw new Fault(refusal.code, `run ${runId} ${refusal.why}`, { runId })
}
