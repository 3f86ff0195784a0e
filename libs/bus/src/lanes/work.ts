// A message on its way through the lanes.
import type { BusRecord } from '../bus.ts'
import type { FailureRecord } from './failure-record.ts'
import type { LanePartition } from './lane-partition.ts'
import type { PriorityClass } from './priority.policy.ts'

export type Work = {
  readonly key: string
  readonly tenant: string
  readonly priority: PriorityClass
  readonly offset: number
  readonly takenAtMs: number
  readonly bornMs: number
  readonly returning: boolean
  readonly bytes: number
  readonly dueAtMs: number
  readonly lane: LanePartition<Work>
  readonly stage: number
  /** Given back as soon as it is settled: the position may stay behind it for long. */
  record: BusRecord
  failure: FailureRecord | undefined
  attempt: number
  settled: boolean
  /** Forgotten while it waited; whatever still comes for it is void. */
  dropped: boolean
  forwards: number
  timer: NodeJS.Timeout | undefined
}

/** What a record takes beside its value: key, headers and what is kept about it, roughly. */
const RECORD_BYTES = 512

export const bytesOf = ({ value }: BusRecord): number => value.length + RECORD_BYTES

/** What is known of a message's failures, without the wait it has behind it. */
export const failureSoFar = ({ failure, record }: Work): Omit<FailureRecord, 'notBeforeMs'> => {
  const { topic, partition, offset, timestampMs } = record
  const { notBeforeMs: _, ...known } = failure ?? { origin: { topic, partition, offset, timestampMs }, attempts: 0, stage: 0 }
  return known
}

/** In place of a record that is not needed any more. */
export const NO_RECORD: BusRecord = { topic: '', partition: 0, offset: 0, key: '', value: Buffer.alloc(0), headers: {}, timestampMs: 0 }
