// Answers on a partition that is not their run's: producers of other teams may choose it by another hash (DESIGN §3).
//   F1. The state of a run is never loaded by an owner of another partition: two owners would decide one run.
//   F2. A record of such a run is appended to its partition, once; what is not found there either becomes a dead letter (R8).
import { partitionOf, TOPICS, type FaultData } from '@baton/contracts'
import type { BusRecord, OutgoingRecord } from '@baton/bus/bus'
import type { RunRow } from '@baton/store'
import { deadLetterOf } from './log-records.ts'

const MOVED = 'x-baton-moved-from'
/** Runs remembered with a partition that is not the one of their key: those that a step of another run started. */
const HOMES_MAX = 1_000

export type Places = {
  /** F1: the rows of this partition; where the others belong is remembered. */
  own(rows: readonly RunRow[]): readonly RunRow[]
  /** F2: what becomes of a record that the engine refused. */
  refused(record: BusRecord, fault: FaultData, runId: string | undefined): OutgoingRecord
}

/** `partitions`: of the log. */
export const createPlaces = ({ partition, partitions }: { readonly partition: number; readonly partitions: number }): Places => {
  const homes = new Map<string, number>()
  return {
    own: (rows) =>
      rows.filter((row) => {
        if (row.partition === partition) return true
        homes.set(row.runId, row.partition)
        for (const oldest of homes.keys()) {
          if (homes.size <= HOMES_MAX) break
          homes.delete(oldest)
        }
        return false
      }),
    refused: (record, fault, runId) => {
      const { key, value, headers, offset } = record
      const home = runId === undefined ? partition : (homes.get(runId) ?? partitionOf(runId, partitions))
      if (fault.code !== 'request.not_found' || home === partition || headers[MOVED] !== undefined) return deadLetterOf(record, fault)
      return { topic: TOPICS.events, partition: home, key, value, headers: { ...headers, [MOVED]: `${partition}/${offset}` } }
    },
  }
}
