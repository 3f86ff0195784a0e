// The figures of a lane consumer as metrics.
import type { LaneStats } from '@baton/bus/bus'
import type { Metrics } from '@baton/telemetry'

/** Writes the gauges of one consumer; to be called when somebody asks for metrics. */
export const reportLanes = (metrics: Metrics, labels: { readonly service: string; readonly group: string }, stats: LaneStats): void => {
  const gauges = {
    baton_lanes_in_flight: stats.inFlight,
    baton_lanes_busy: stats.lanes,
    baton_lanes_watermark_gap: stats.watermarkGap,
    baton_lanes_held_bytes: stats.heldBytes,
    baton_lanes_oldest_seconds: stats.oldestMs / 1_000,
    baton_lanes_oldest_unprocessed_seconds: stats.oldestAgeMs / 1_000,
    baton_lanes_partitions: stats.partitions,
    baton_lanes_partitions_paused: stats.paused,
    baton_lanes_ownership_changes: stats.ownershipChanges,
  }
  for (const [name, value] of Object.entries(gauges)) metrics.gauge(name, value, labels)
  for (const [topic, lag] of Object.entries(stats.lag)) metrics.gauge('baton_lanes_lag', lag, { ...labels, topic })
  for (const [topic, depth] of Object.entries(stats.retryDepth)) metrics.gauge('baton_lanes_retry_depth', depth, { ...labels, topic })
}
