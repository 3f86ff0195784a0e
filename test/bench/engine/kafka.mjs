// Rows on Kafka and PostgreSQL, beside the peers: c = 32, c = 256, one at a time; with the page cache of the broker, or an fsync for each batch.
import { PROCESSES, SINGLE_WARM_UP, startDistributed, WARM_UP } from '../distributed.mjs'
import { measureHop } from '../hop.mjs'
import { grownBy } from '../processes.mjs'
import { startServers } from '../../proof/system.mjs'
import { playRounds, sayCpu, sayLatency, sayThroughput, startPeers } from './beside-peers.mjs'
import { f, say } from './report.mjs'

const STEPS = 5

/** Measures Baton with the CPU of every process that has a part in it. */
const measured = (system, load) => ({
  measure: async (count, concurrency) => {
    const before = system.allCpuMs()
    const figures = await load.measure({ count, concurrency })
    return { ...figures, cpu: grownBy(before, system.allCpuMs(), STEPS * count) }
  },
})

const ROWS = {
  kafka: { concurrency: 32, must: 2, goal: 3 },
  c256: { concurrency: 256, must: 2, goal: 3 },
}
const FSYNC_ROWS = { kafka: { concurrency: 32, must: 1, goal: 2 }, c256: { concurrency: 256, must: 2, goal: 2 } }

/** `rows` of kafka, c256, one. */
export const runOnKafka = async ({ rows, fsync, pairs, runs, peerNames }) => {
  say(
    `\nKafka + PostgreSQL, processes ${Object.values(PROCESSES)
      .map((services) => services.join('+'))
      .join(
        ' and ',
      )}; acks=all on one broker, ${fsync ? 'flush.messages=1: fsync for every batch' : 'page cache (usual Kafka durability)'}; PostgreSQL fsync on`,
  )
  const servers = await startServers({ flushEveryBatch: fsync })
  let system
  let peers = []
  const results = []
  try {
    system = await startDistributed(servers)
    peers = await startPeers(servers, peerNames)
    const load = await system.load()
    const baton = measured(system, load)
    const database = servers.postgres.pid
    await load.measure({ count: Math.min(WARM_UP, runs * 4), concurrency: 64 })
    for (const peer of peers) await peer.measure(Math.min(1_000, runs), 32)
    for (const row of rows.filter((name) => name !== 'one')) {
      const { concurrency, ...limits } = (fsync ? FSYNC_ROWS : ROWS)[row]
      const peerRuns = Math.max(concurrency, Math.ceil(runs / 3))
      const rounds = await playRounds({ baton, peers, pairs, runs, peerRuns, concurrency, database })
      results.push(sayThroughput(`c = ${concurrency}${fsync ? ', fsync' : ''}`, rounds, peers, limits))
      const limited = concurrency === 32 && !fsync
      const cpu = sayCpu(
        `CPU at c = ${concurrency}${fsync ? ', fsync' : ''}`,
        rounds,
        system.names,
        limited ? { must: 0.4, goal: 0.25 } : undefined,
      )
      if (limited) results.push(cpu)
    }
    if (rows.includes('one')) {
      await load.measure({ count: Math.min(SINGLE_WARM_UP, runs), concurrency: 1 })
      for (const peer of peers) await peer.measure(100, 1)
      const rounds = await playRounds({
        baton,
        peers,
        pairs,
        runs: Math.min(300, runs),
        peerRuns: Math.min(150, runs),
        concurrency: 1,
        database,
      })
      const limits = fsync ? { must: 2.2, goal: 2.2 } : { must: 1.6, goal: 1.2 }
      results.push(sayLatency(`one at a time${fsync ? ', fsync' : ''}`, rounds, peers, limits))
      say(`     a step is two hops through the broker; a bare hop takes ${f(await measureHop(servers.kafka.brokers))} ms here`)
    }
    if (load.repeats() > 0) say(`     results repeated: ${load.repeats()}`)
    return results
  } finally {
    for (const peer of peers) peer.stop()
    await system?.stop()
    await servers.stop()
  }
}
