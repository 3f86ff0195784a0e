import { startHost, type RunningService, type StartService } from '@baton/service'
import { startRunLoop, type RunLoop } from './run-loop/run-loop.ts'

/** The service that owns runs: no commands, no routes of its own but health. */
export const start: StartService = async (platform, options): Promise<RunningService> => {
  let loop: RunLoop | undefined
  const { metrics } = platform.telemetry
  const host = await startHost({
    name: 'routing',
    platform,
    ...options,
    started: async () => {
      loop = await startRunLoop({ platform })
      metrics.beforeRender?.(() => {
        if (loop === undefined) return
        const { owned, resident, waiting, uncommitted } = loop.stats()
        metrics.gauge('baton_routing_partitions', owned)
        metrics.gauge('baton_routing_runs_resident', resident)
        metrics.gauge('baton_routing_runs_waiting', waiting)
        metrics.gauge('baton_routing_records_uncommitted', uncommitted)
      })
    },
    // A standby without partitions is ready as well: it waits for one.
    ready: () => loop !== undefined && (loop.stats().owned === 0 || loop.stats().confirmed),
    drain: () => loop?.close(),
  })
  return host
}
