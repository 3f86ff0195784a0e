// The database as far as the run loop sees it: rows of runs, positions, and who owns a partition.
import type { PartitionSnapshot, RunRow } from '@baton/engine'
import { PARTITIONS } from './broker.ts'

export type Store = {
  readonly load: (runIds: readonly string[]) => readonly RunRow[]
  readonly timers: (partition: number) => readonly { readonly runId: string; readonly wakeAtMs: number }[]
  /** One transaction; false when somebody else owns the partition by now (L4). */
  readonly commit: (snapshot: PartitionSnapshot, epoch: number) => boolean
  /** Raises the epoch; from here the owner before can store nothing any more. */
  readonly takeOver: (partition: number) => { readonly epoch: number; readonly next: number }
}

export const createStore = (): Store => {
  const rows = new Map<string, RunRow>()
  const positions = Array.from({ length: PARTITIONS }, () => ({ epoch: 0, next: 0 }))
  const positionOf = (partition: number) => {
    const position = positions[partition]
    if (position === undefined) throw new Error(`no partition ${partition}`)
    return position
  }
  return {
    load: (runIds) => runIds.flatMap((runId) => rows.get(runId) ?? []),
    timers: (partition) =>
      [...rows.values()].flatMap(({ runId, wakeAtMs, ...row }) =>
        row.partition === partition && wakeAtMs !== null ? [{ runId, wakeAtMs }] : [],
      ),
    commit: (snapshot, epoch) => {
      const position = positionOf(snapshot.partition)
      if (position.epoch !== epoch) return false
      for (const row of snapshot.rows) rows.set(row.runId, row)
      position.next = snapshot.next
      return true
    },
    takeOver: (partition) => {
      const position = positionOf(partition)
      position.epoch += 1
      return { ...position }
    },
  }
}
