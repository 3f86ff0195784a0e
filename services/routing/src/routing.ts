import { randomUUID } from 'node:crypto'
import { Fault } from '@baton/contracts'
import { startHost, type RunningService, type StartService } from '@baton/service'
import { startRunLoop, type RunLoop } from './run-loop/run-loop.ts'
import { keepRetention } from './upkeep/retention.ts'

/** Ready without partitions as well: a standby waits for one. Not ready when partitions stand still, with the first reason. */
const readiness = (loop: RunLoop | undefined): boolean | Fault => {
  if (loop === undefined) return false
  const [stuck] = loop.faults()
  if (stuck !== undefined) {
    const [partition, { code, message }] = stuck
    return new Fault(code, message, { partition, partitions: [...loop.faults().keys()].join(',') })
  }
  const { owned, confirmed } = loop.stats()
  return owned === 0 || confirmed
}

/**
 * An embedded process cannot lose its partitions to another one: its data directory is locked. A long lease spares a small database the
 * renewals, and a restart takes over at once whatever the lease says.
 */
const EMBEDDED_LEASE_MS = 60_000

/** The service that owns runs: no commands, no routes of its own but health. */
export const start: StartService = async (platform, options): Promise<RunningService> => {
  let loop: RunLoop | undefined
  let upkeep: ReturnType<typeof keepRetention> | undefined
  const { metrics, logger } = platform.telemetry
  const { runsKeepDays, tracesKeepDays } = platform.config
  const host = await startHost({
    name: 'routing',
    platform,
    ...options,
    started: async () => {
      loop = await startRunLoop({ platform, ...(platform.config.embedded ? { leaseMs: EMBEDDED_LEASE_MS } : {}) })
      upkeep = keepRetention({
        retention: platform.stores.retention,
        ownerUuid: randomUUID(),
        runsKeepDays,
        tracesKeepDays,
        telemetry: { metrics, logger: logger.child({ service: 'routing' }) },
      })
      metrics.beforeRender?.(() => {
        if (loop === undefined) return
        const { owned, resident, waiting, uncommitted } = loop.stats()
        metrics.gauge('baton_routing_partitions', owned)
        metrics.gauge('baton_routing_partitions_stuck', loop.faults().size)
        metrics.gauge('baton_routing_runs_resident', resident)
        metrics.gauge('baton_routing_runs_waiting', waiting)
        metrics.gauge('baton_routing_records_uncommitted', uncommitted)
      })
    },
    ready: () => readiness(loop),
    drain: async ({ graceMs }) => {
      await Promise.all([loop?.close({ graceMs }), upkeep?.stop()])
    },
  })
  return host
}
