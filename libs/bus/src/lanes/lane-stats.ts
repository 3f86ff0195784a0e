// What the partitions of a lane consumer tell about themselves.
import type { LaneStats } from '../bus.ts'
import type { LanePartition } from './lane-partition.ts'
import type { Work } from './work.ts'

/** The offset after the last record of a partition, as far as is known. */
export type PartitionEnds = (topic: string, partition: number) => number | undefined

type OfPartitions = Pick<LaneStats, 'watermarkGap' | 'oldestMs' | 'oldestAgeMs' | 'retryDepth' | 'lag' | 'partitions' | 'paused'>

/** What waits to be due is nobody's delay: it counts as retry depth only. */
export const laneStats = (
  lanes: Iterable<LanePartition<Work>>,
  { nowMs, steadyMs, endOf }: { readonly nowMs: () => number; readonly steadyMs: () => number; readonly endOf?: PartitionEnds },
): OfPartitions => {
  const lag: Record<string, number> = {}
  const retryDepth: Record<string, number> = {}
  let [watermarkGap, partitions, paused] = [0, 0, 0]
  let [takenAtMs, bornMs] = [Infinity, Infinity]
  for (const { topic, partition, watermark, retrying, waiting, paused: isPaused } of lanes) {
    partitions++
    if (isPaused) paused++
    watermarkGap += watermark.gap - waiting
    const behind = Math.max(watermark.gap, (endOf?.(topic, partition) ?? 0) - watermark.position)
    const depth = retrying ? retryDepth : lag
    depth[topic] = (depth[topic] ?? 0) + behind
    if (retrying || watermark.oldest === undefined) continue
    takenAtMs = Math.min(takenAtMs, watermark.oldest.takenAtMs)
    bornMs = Math.min(bornMs, watermark.oldest.bornMs)
  }
  const since = (atMs: number, now: number): number => (atMs === Infinity ? 0 : Math.max(0, now - atMs))
  return { watermarkGap, oldestMs: since(takenAtMs, steadyMs()), oldestAgeMs: since(bornMs, nowMs()), retryDepth, lag, partitions, paused }
}
