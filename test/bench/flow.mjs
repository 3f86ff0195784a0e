// Five durable no-op steps: Baton on Kafka and PostgreSQL, and embedded, beside the best durable peer. Prints ratios of interleaved pairs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FLOWS_DIR, PARTITIONS, PROCESSES, SINGLE_WARM_UP, startDistributed, WARM_UP } from './distributed.mjs'
import { runEmbedded } from './embedded-client.mjs'
import { idleShareOf, median, ratioInterval } from './figures.mjs'
import { measureHop } from './hop.mjs'
import { startPeer } from './peer.mjs'
import { missingServers, startBaton, startServers } from '../proof/system.mjs'

const f = (value, digits = 2) => value.toFixed(digits)
const say = (text) => process.stdout.write(`${text}\n`)

const options = (args) => {
  const number = (name, otherwise) => Number(args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise)
  return {
    pairs: number('pairs', 7),
    runs: number('runs', 3_000),
    fsync: args.includes('--fsync'),
    only: args.find((arg) => arg.startsWith('--only='))?.split('=')[1],
  }
}

const cpuPerStep = (before, after, runs) => Object.entries(after).reduce((sum, [name, ms]) => sum + ms - before[name], 0) / (5 * runs)

const distributed = async ({ pairs, runs, fsync }) => {
  const servers = await startServers({ flushEveryBatch: fsync })
  say(
    `\nKafka + PostgreSQL, processes: ${Object.values(PROCESSES)
      .map((services) => services.join('+'))
      .join(
        ' and ',
      )}; ${PARTITIONS} partitions; acks=all on one broker, ${fsync ? 'fsync on every produce batch' : 'page cache (usual Kafka durability)'}; PostgreSQL fsync on`,
  )
  const system = await startDistributed(servers)
  const load = await system.load()
  const peer = await startPeer('mastra', await servers.createDatabase('mastra_bench'))
  try {
    await load.measure({ count: WARM_UP, concurrency: 64 })
    await peer?.measure(1_000, 32)
    const ratios = []
    const ours = []
    for (let pair = 1; pair <= pairs; pair += 1) {
      const before = system.cpuMs()
      const baton = await load.measure({ count: runs, concurrency: 32 })
      const cpu = cpuPerStep(before, system.cpuMs(), runs)
      const other = await peer?.measure(1_000, 32)
      ours.push(baton.runsPerSecond)
      if (other !== undefined) ratios.push(baton.runsPerSecond / other.runsPerSecond)
      say(
        `  pair ${pair}: baton ${f(baton.runsPerSecond, 0)} runs/s (p50 ${f(baton.p50Ms, 1)} ms, p99 ${f(baton.p99Ms, 1)} ms, tracing caught up ${f(baton.tracingLagMs, 0)} ms after the last answer, ${f(cpu)} CPU-ms a step)${other === undefined ? '' : `, mastra ${f(other.runsPerSecond, 0)} runs/s, ratio ${f(baton.runsPerSecond / other.runsPerSecond)}`}`,
      )
    }
    if (ratios.length > 0) {
      const { mean, low, high, min, max } = ratioInterval(ratios)
      say(
        `  c=32: ${f(mean)} times mastra, 95 % interval ${f(low)}–${f(high)} over ${ratios.length} pairs (extremes ${f(min)}–${f(max)}); floor 1.2, goal 2.5`,
      )
    } else say(`  c=32: ${f(median(ours), 0)} runs/s (median)`)
    await load.measure({ count: SINGLE_WARM_UP, concurrency: 1 })
    const single = await load.measure({ count: 400, concurrency: 1 })
    const otherSingle = await peer?.measure(200, 1)
    const hopMs = await measureHop(servers.kafka.brokers)
    say(
      `  c=1: ${f(single.stepP50Ms)} ms a step p50${otherSingle === undefined ? '' : `, mastra ${f(otherSingle.stepP50Ms)}`}; limit 2, goal 1.2. A step is two hops; a bare hop through this broker takes ${f(hopMs)} ms here`,
    )
    const idle = Object.fromEntries(
      await Promise.all(Object.keys(PROCESSES).map(async (name) => [name, await idleShareOf(() => system.cpuMs()[name])])),
    )
    say(
      `  idle: ${Object.entries(idle)
        .map(([name, share]) => `${name} ${f(share)} %`)
        .join(', ')} of a core; limit 1 %`,
    )
    say(`  results repeated: ${load.repeats()}`)
  } finally {
    peer?.stop()
    await system.stop()
    await servers.stop()
  }
}

const embedded = async ({ pairs, runs }) => {
  say('\nembedded, one process, log fsynced (group commit), PGlite checkpoints, journal and tracing on')
  const missing = missingServers()
  const servers = missing === undefined ? await startServers() : undefined
  const peer = servers === undefined ? undefined : await startPeer('mastra', await servers.createDatabase('mastra_bench'))
  const system = await runEmbedded({ flowsDir: FLOWS_DIR })
  try {
    await system.measure(2_000, 64)
    await peer?.measure(300, 32)
    const ratios = []
    for (let pair = 1; pair <= pairs; pair += 1) {
      const baton = await system.measure(runs, 32)
      const other = await peer?.measure(1_000, 32)
      if (other !== undefined) ratios.push(baton.runsPerSecond / other.runsPerSecond)
      say(
        `  pair ${pair}: baton ${f(baton.runsPerSecond, 0)} runs/s (p50 ${f(baton.p50Ms, 1)} ms, p99 ${f(baton.p99Ms, 1)} ms, tracing caught up ${f(baton.tracingLagMs, 0)} ms after the last answer, ${f(baton.cpuMsPerStep)} CPU-ms a step)${other === undefined ? '' : `, mastra ${f(other.runsPerSecond, 0)} runs/s, ratio ${f(baton.runsPerSecond / other.runsPerSecond)}`}`,
      )
    }
    if (ratios.length > 0) {
      const { mean, low, high, min, max } = ratioInterval(ratios)
      say(
        `  c=32: ${f(mean)} times mastra, 95 % interval ${f(low)}–${f(high)} over ${ratios.length} pairs (extremes ${f(min)}–${f(max)}); floor 2`,
      )
    }
    const single = await system.measure(400, 1)
    say(`  c=1: ${f(single.stepP50Ms)} ms a step p50`)
    say(`  idle: ${f(await system.idleShare())} % of a core; limit 1 %`)
  } finally {
    peer?.stop()
    await system.stop()
    await servers?.stop()
  }
}

/** From `baton up` on an empty data directory to the first finished run, by HTTP from outside. */
const coldStart = async () => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-cold-'))
  const begun = performance.now()
  const system = await startBaton(['--data', dir, '--port', '0'], { env: { BATON_FLOWS_DIR: FLOWS_DIR } })
  const response = await fetch(`${system.urls.gateway}/v1/runs?wait=10s`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ flow: 'bench/five-steps', input: { v: 1 } }),
  })
  const result = await response.json()
  const ms = performance.now() - begun
  await system.kill('SIGTERM')
  rmSync(dir, { recursive: true, force: true })
  if (result.status !== 'completed') throw new Error(`the first run ended as ${JSON.stringify(result)}`)
  say(`\ncold start: ${f(ms / 1_000)} s from the command to the first finished run (embedded, empty directory); limit 3 s`)
}

export const main = async (args) => {
  const chosen = options(args)
  const wants = (part) => chosen.only === undefined || chosen.only === part
  say('five durable no-op steps; the client shares the cores; runs/s includes the time until tracing has caught up')
  if (wants('cold')) await coldStart()
  if (wants('embedded')) await embedded(chosen)
  if (wants('kafka')) {
    const missing = missingServers()
    if (missing === undefined) await distributed(chosen)
    else say(`SKIP Kafka + PostgreSQL: ${missing}`)
  }
  say('\nnot measured: several brokers, replication, networks, models and tools that do work')
  return 0
}
