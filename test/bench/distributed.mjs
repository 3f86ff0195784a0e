// Baton as processes on Kafka and PostgreSQL, and a client on the topics: what benches of an installation share.
import { join } from 'node:path'
import { openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { getJson, startBaton, until } from '../proof/system.mjs'
import { openLoad } from './load.mjs'
import { cpuOfTrees } from './processes.mjs'

export const FLOWS_DIR = join(import.meta.dirname, 'flows')
// Few partitions: each costs throughput, and one owner needs no more (an installation chooses once).
export const PARTITIONS = 3
// The broker's compiler is done with what it runs here only after some hundred thousand records; before, it takes as much CPU as the broker.
export const WARM_UP = 12_000
// Requests of one record take other ways through the broker than batches do.
export const SINGLE_WARM_UP = 1_000
// The worker is a process of its own; the others share one.
export const PROCESSES = { worker: ['tools'], rest: ['tracing', 'routing', 'gateway'] }

const ownCpuMs = () => process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000

/** Starts the services as these processes, in their order, on running servers. */
export const startDistributed = async ({ kafka, postgres }, { services = PROCESSES, flowsDir = FLOWS_DIR } = {}) => {
  const env = {
    KAFKA_BROKERS: kafka.brokers.join(','),
    DATABASE_URL: postgres.url,
    BATON_FLOWS_DIR: flowsDir,
    BATON_EVENTS_PARTITIONS: String(PARTITIONS),
    BATON_KEEP_CONTENT: 'false',
  }
  const processes = {}
  try {
    return await startAll({ kafka, postgres, services, env, processes })
  } catch (error) {
    for (const { child } of Object.values(processes)) child.kill('SIGKILL')
    throw error
  }
}

const startAll = async ({ kafka, postgres, services, env, processes }) => {
  for (const [name, which] of Object.entries(services)) {
    const urls = Object.values(processes).flatMap(({ urls: known }) => Object.entries(known))
    const others = Object.fromEntries(urls.map(([service, url]) => [`BATON_${service.toUpperCase()}_URL`, url]))
    processes[name] = await startBaton(['--only', which.join(','), '--port', '0'], { env: { ...env, ...others } })
  }
  const tracing = Object.values(processes).find(({ urls }) => urls.tracing !== undefined)?.urls.tracing
  const bus = await openKafkaBus({
    brokers: kafka.brokers,
    clientId: 'bench',
    topicPrefix: '',
    topics: topicManifest({ eventsPartitions: PARTITIONS }),
    ensureTopics: true,
  })
  const loads = []
  const pids = Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, pid]))
  const tracedOf = async (flow) => (await getJson(`${tracing}/v1/stats?flow=${flow}`)).items[0]?.completed ?? 0
  return {
    /** A client that plays a job; `caughtUp` waits until tracing has all its runs. */
    load: async (job) => {
      const load = await openLoad(bus, job)
      loads.push(load)
      const before = await tracedOf(load.flow)
      const caughtUp = () =>
        until('tracing to catch up', async () => (await tracedOf(load.flow)) - before >= load.started, { everyMs: 50, timeoutMs: 300_000 })
      return { ...load, measure: (how) => load.measure({ ...how, caughtUp }), repeats: () => load.repeats }
    },
    names: Object.keys(processes),
    /** Of our processes alone. */
    cpuMs: () => cpuOfTrees(pids),
    /** Of our processes, the servers, and this client. */
    allCpuMs: () => ({ ...cpuOfTrees({ ...pids, broker: kafka.pid, database: postgres.pid }), client: ownCpuMs() }),
    stop: async () => {
      for (const load of loads) await load.close()
      await bus.close()
      for (const process_ of Object.values(processes).reverse()) await process_.kill('SIGTERM')
    },
  }
}
