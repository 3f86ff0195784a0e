// How long runs stand still when the routing process is killed (kill -9) and a warm standby takes over, on Kafka and PostgreSQL.
// Prints, for every round, when the next result came, when each partition gave its next one, and the longest a run took.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { median } from './figures.mjs'
import { missingServers, startBaton, startServers, until } from '../proof/system.mjs'

const FLOWS_DIR = join(import.meta.dirname, 'flows')
const PARTITIONS = 12
const RUNS_PER_SECOND = 200
const WARM_MS = 3_000
const say = (text) => process.stdout.write(`${text}\n`)

/** Publishes requests at a steady rate and hears of results, all on one clock. */
const openStream = async (bus) => {
  const sitting = randomBytes(4).toString('hex')
  const runs = new Map()
  const { partitions } = await bus.describe('baton.results')
  const reader = await bus.log({
    topic: 'baton.results',
    onBatch: (_partition, records) => {
      for (const record of records) {
        const run = runs.get(record.headers.ce_correlationid)
        if (run !== undefined && run.endedMs === undefined) Object.assign(run, { endedMs: performance.now(), partition: record.partition })
      }
    },
    onFault: (_partition, fault) => {
      throw new Error(fault.message)
    },
  })
  await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
  let sent = 0
  const timer = setInterval(() => {
    const records = Array.from({ length: RUNS_PER_SECOND / 50 }, () => {
      const id = `takeover-${sitting}-${(sent += 1)}`
      runs.set(id, { begunMs: performance.now() })
      return {
        topic: 'baton.requests',
        key: id,
        headers: {},
        value: Buffer.from(JSON.stringify({ id, flow: 'bench/one-step', source: 'bench', input: { v: sent } })),
      }
    })
    bus.publish(records).catch((error) => say(`publish: ${error.message}`))
  }, 20)
  return {
    ended: () => [...runs.values()].filter(({ endedMs }) => endedMs !== undefined),
    open: () => [...runs.values()].filter(({ endedMs }) => endedMs === undefined),
    close: async () => {
      clearInterval(timer)
      await until('every run to end', async () => [...runs.values()].every(({ endedMs }) => endedMs !== undefined))
      await reader.close()
    },
  }
}

/** Results and runs have the same key, but other topics: a partition of results stands for the one of the log with its number. */
const figuresOf = (runs, killedMs) => {
  const after = runs.filter(({ endedMs }) => endedMs > killedMs).toSorted((left, right) => left.endedMs - right.endedMs)
  const firsts = new Map()
  for (const { partition, endedMs } of after) if (!firsts.has(partition)) firsts.set(partition, endedMs - killedMs)
  // What was on its way when the process died is answered within some ms; the standstill begins behind it.
  const ends = after.map(({ endedMs }) => endedMs)
  let longest = { ms: 0, untilMs: 0 }
  for (const [index, endMs] of ends.entries()) {
    const ms = endMs - (ends[index - 1] ?? killedMs)
    if (ms > longest.ms) longest = { ms, untilMs: endMs - killedMs }
  }
  return {
    standstillMs: longest.ms,
    nextMs: longest.untilMs,
    allMs: Math.max(...firsts.values()),
    slowestMs: Math.max(...after.map(({ begunMs, endedMs }) => endedMs - begunMs)),
  }
}

export const main = async (args) => {
  const missing = missingServers()
  if (missing !== undefined) {
    say(`SKIP: ${missing}`)
    return process.env.CI === 'true' ? 1 : 0
  }
  const rounds = Number(args.find((arg) => arg.startsWith('--rounds='))?.split('=')[1] ?? 7)
  const signal = args.includes('--term') ? 'SIGTERM' : 'SIGKILL'
  const servers = await startServers()
  const env = {
    KAFKA_BROKERS: servers.kafka.brokers.join(','),
    DATABASE_URL: servers.postgres.url,
    BATON_FLOWS_DIR: FLOWS_DIR,
    BATON_EVENTS_PARTITIONS: String(PARTITIONS),
    ...(args.includes('--verbose') ? { LOG_LEVEL: 'info' } : {}),
  }
  const processes = new Set()
  const start = async (name, port) => {
    const started = await startBaton(['--only', name, '--port', String(port)], { env, quiet: !args.includes('--verbose') })
    processes.add(started)
    return started
  }
  try {
    await start('gateway', 0)
    let owner = await start('routing', 0)
    const bus = await openKafkaBus({
      brokers: servers.kafka.brokers,
      clientId: 'bench',
      topicPrefix: '',
      topics: topicManifest({ eventsPartitions: PARTITIONS }),
      ensureTopics: false,
    })
    const stream = await openStream(bus)
    const all = []
    for (let round = 1; round <= rounds; round += 1) {
      const standby = await start('routing', 0)
      await pause(WARM_MS)
      const killedMs = performance.now()
      if (args.includes('--verbose')) say(`killed at ${Date.now()}`)
      await owner.kill(signal)
      const deadMs = performance.now() - killedMs
      processes.delete(owner)
      owner = standby
      await pause(3_000)
      const figures = figuresOf(stream.ended(), killedMs)
      all.push(figures)
      say(
        `round ${round}: next result ${figures.nextMs.toFixed(0)} ms after the kill (standstill ${figures.standstillMs.toFixed(0)} ms), every partition ${figures.allMs.toFixed(0)} ms, slowest run ${figures.slowestMs.toFixed(0)} ms; process gone after ${deadMs.toFixed(0)} ms`,
      )
    }
    await stream.close()
    await bus.close()
    const of = (name) => median(all.map((figures) => figures[name])).toFixed(0)
    say(
      `median of ${rounds}: next result ${of('nextMs')} ms, every partition ${of('allMs')} ms, slowest run ${of('slowestMs')} ms; ${signal}, ${PARTITIONS} partitions, ${RUNS_PER_SECOND} runs/s`,
    )
    return 0
  } finally {
    for (const { child } of processes) child.kill('SIGKILL')
    await servers.stop()
  }
}
