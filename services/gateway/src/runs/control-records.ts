// Records by which people change runs.
//   V1. A change of a run is appended to the partition of its tree and acted on by the engine alone (L1); `by` says who asked.
//   V2. The id of a record follows from what caused it, so that a repeat with the same key is the same change.
import type { OutgoingRecord } from '@baton/bus/bus'
import { encodeEvent, partitionOf, runIdOf, TOPICS, type MessageOf } from '@baton/contracts'
import type { ControlAction } from './control.policy.ts'
import type { KnownRun } from './known-run.ts'

/** What somebody wants of a run beside the action itself. */
export type ControlOptions = {
  readonly by: string
  readonly reason?: string | undefined
  readonly undo?: boolean | undefined
  readonly from?: string | undefined
}

type Changes = 'run.cancel' | 'run.pause' | 'run.resume' | 'run.patch' | 'run.retry' | 'run.event'
type Place = {
  readonly tenant: string
  /** What the change is about and what caused it; unique within the run. */
  readonly cause: string
  /** Partitions of the log. */
  readonly partitions: number
}

/** A change as a record of the log, beside the first run of the tree (V1). */
export const changeRecord = <Name extends Changes>(
  { runId, rootRunId }: Pick<KnownRun, 'runId' | 'rootRunId'>,
  { name, data, tenant, cause, partitions }: Place & { readonly name: Name; readonly data: MessageOf<Name> },
): OutgoingRecord => ({
  topic: TOPICS.events,
  ...encodeEvent({ id: `${runId}/${cause}`, source: '/baton/gateway', subject: runId, tenant, name, data }), // V2
  ...(rootRunId === runId ? {} : { partition: partitionOf(rootRunId, partitions) }),
})

const SOURCE_OF_RETRIES = 'retry'

/** Identity of a run that runs another again: the same cause, the same run. */
export const retryIdOf = ({ runId, tenant, cause }: { runId: string; tenant: string; cause: string }) => {
  const requestId = `${runId}/${cause}`
  return { newRunId: runIdOf({ tenant, source: SOURCE_OF_RETRIES, requestId }), requestId }
}

/** One of the four actions as a record. `key` names the cause; `nowMs` is when a retry was asked for. */
export const actionRecord = (
  run: Pick<KnownRun, 'runId' | 'rootRunId'>,
  action: ControlAction,
  {
    options: { by, reason, undo, from },
    key,
    nowMs,
    ...place
  }: Omit<Place, 'cause'> & { readonly options: ControlOptions; readonly key: string; readonly nowMs: number },
): OutgoingRecord => {
  const { runId } = run
  const at = { ...place, cause: `${action}/${key}` }
  switch (action) {
    case 'cancel': {
      const data = { runId, by, reason: reason ?? 'asked for over HTTP', ...(undo === undefined ? {} : { undo }) }
      return changeRecord(run, { ...at, name: 'run.cancel', data })
    }
    case 'pause':
      return changeRecord(run, { ...at, name: 'run.pause', data: { runId, by, ...(reason === undefined ? {} : { reason }) } })
    case 'resume':
      return changeRecord(run, { ...at, name: 'run.resume', data: { runId, by } })
    case 'retry': {
      const again = retryIdOf({ runId, tenant: place.tenant, cause: key })
      const data = { runId, by, ...again, requestedAtMs: nowMs, ...(from === undefined ? {} : { from }) }
      return changeRecord(run, { ...at, name: 'run.retry', data })
    }
  }
}
