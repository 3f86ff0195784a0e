// The embedded product on its fsynced log, as a library's benchmark would have it, beside the peers.
import { FLOWS_DIR } from '../distributed.mjs'
import { runEmbedded } from '../embedded-client.mjs'
import { missingServers, startServers } from '../../proof/system.mjs'
import { playRounds, sayCpu, sayLatency, sayThroughput, startPeers } from './beside-peers.mjs'
import { say } from './report.mjs'

export const runEmbeddedRow = async ({ pairs, runs, peerNames }) => {
  say('\nembedded, one process with its client, log fsynced (group commit), PGlite checkpoints, journal and tracing on')
  const missing = missingServers()
  if (missing !== undefined) say(`  no peers: ${missing}`)
  const servers = missing === undefined ? await startServers() : undefined
  let system
  let peers = []
  try {
    peers = servers === undefined ? [] : await startPeers(servers, peerNames)
    system = await runEmbedded({ flowsDir: FLOWS_DIR })
    const baton = {
      measure: async (count, concurrency) => {
        const { cpuMsPerStep, ...figures } = await system.measure(count, concurrency)
        return { ...figures, cpu: { 'baton and client': cpuMsPerStep } }
      },
    }
    const common = { baton, peers, pairs, database: servers?.postgres.pid }
    await baton.measure(Math.min(3_000, runs), 64)
    for (const peer of peers) await peer.measure(Math.min(300, runs), 32)
    const many = await playRounds({ ...common, runs, peerRuns: Math.ceil(runs / 3), concurrency: 32 })
    const throughput = sayThroughput('embedded, c = 32', many, peers, { must: 3, goal: 5 })
    sayCpu('embedded, CPU at c = 32, client included', many, ['baton and client'])
    for (const peer of peers) await peer.measure(50, 1)
    const single = await playRounds({ ...common, runs: Math.min(300, runs), peerRuns: Math.min(150, runs), concurrency: 1 })
    return [throughput, sayLatency('embedded, one at a time', single, peers, { must: 0.6, goal: 0.4 })]
  } finally {
    for (const peer of peers) peer.stop()
    await system?.stop()
    await servers?.stop()
  }
}
