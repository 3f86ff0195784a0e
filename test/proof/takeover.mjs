// `npm run proof:takeover`: what happens to runs under load when the process that owns them is killed, stopped, cut off, or its database restarts.
// For every round: the gap between the last step before and the first after, runs that are lost, effects that happened twice.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { createChecks } from './checks.mjs'
import { getJson, missingServers, startBaton, until } from './system.mjs'
import { raiseLoopback } from './takeover-network.mjs'
import { startCuttable, startRouting } from './takeover-slots.mjs'

const FLOWS_DIR = join(import.meta.dirname, 'flows')
const PARTITIONS = 12
const RUNS_PER_SECOND = 50
const TICKET_EVERY = 5
/** So that a new standby is ready for anything. */
const WARM_MS = 3_000
/** Longer than the lease of 1.5 s, by far. */
const CUT_MS = 8_000
const STOP_MS = 10_000
const SETTLE_MS = 3_000
const say = (text) => process.stdout.write(`${text}\n`)

/** What is done to the owner, how long it takes, and what is promised. `gapMs` bounds the largest gap, `p50Ms` the median. */
const CASES = [
  { name: 'kill', title: 'kill -9', limit: { p50Ms: 500 }, harm: ({ owner }) => owner.kill() },
  {
    name: 'stop',
    title: `SIGSTOP ${STOP_MS / 1_000} s, SIGCONT`,
    limit: { gapMs: 5_000 },
    harm: async ({ owner }) => {
      owner.signal('SIGSTOP')
      await pause(STOP_MS)
      owner.signal('SIGCONT')
    },
  },
  {
    name: 'postgres-cut',
    title: `PostgreSQL swallowed ${CUT_MS / 1_000} s`,
    limit: { gapMs: 5_000 },
    harm: ({ owner }) => swallow([owner.slot.postgres]),
  },
  {
    name: 'kafka-cut',
    title: `Kafka swallowed ${CUT_MS / 1_000} s`,
    limit: { gapMs: 5_000 },
    harm: ({ owner }) => swallow([owner.slot.kafka]),
  },
  { name: 'postgres-restart', title: 'PostgreSQL restart', limit: { gapMs: 5_000 }, harm: ({ servers }) => servers.postgres.restart() },
  {
    name: 'network-cut',
    title: `network down ${CUT_MS / 1_000} s`,
    limit: { gapMs: 5_000 },
    namespace: true,
    harm: async ({ owner }) => {
      owner.network.cut()
      await pause(CUT_MS)
      owner.network.mend()
    },
  },
]

const swallow = async (proxies) => {
  for (const proxy of proxies) proxy.swallow()
  await pause(CUT_MS)
  for (const proxy of proxies) proxy.mend()
}

/** Requests at a steady rate; hears of every step and every result. */
const openStream = async (bus) => {
  const sitting = randomBytes(4).toString('hex')
  const runs = new Map()
  const steps = []
  let repeats = 0
  const follow = async (topic, onRecord) => {
    const { partitions } = await bus.describe(topic)
    const reader = await bus.log({
      topic,
      onBatch: (_partition, records) => records.forEach(onRecord),
      onFault: (_partition, fault) => say(`${topic}: ${fault.message}`),
    })
    await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
    return reader
  }
  const readers = [
    await follow('baton.results', (record) => {
      const run = runs.get(record.headers.ce_correlationid)
      if (run === undefined) return
      if (run.results.size > 0) repeats += 1
      run.results.add(`${record.headers.ce_type} ${record.headers.ce_id} ${record.value.toString()}`)
    }),
    // The broker's own time: one clock for every process.
    await follow('baton.journal', (record) => {
      if (record.headers.ce_type.startsWith('baton.journal.step.')) steps.push({ atMs: record.timestampMs, partition: record.partition })
    }),
  ]
  let sent = 0
  const timer = setInterval(() => {
    sent += 1
    const id = `takeover-${sitting}-${sent}`
    const ticket = sent % TICKET_EVERY === 0
    runs.set(id, { ticket, results: new Set() })
    const value = Buffer.from(JSON.stringify({ id, flow: 'proof/ticket', source: 'proof', input: { n: sent, ticket } }))
    bus.publish([{ topic: 'baton.requests', key: id, headers: {}, value }]).catch((error) => say(`publish: ${error.message}`))
  }, 1_000 / RUNS_PER_SECOND)
  return {
    runs,
    steps,
    repeats: () => repeats,
    finish: async () => {
      clearInterval(timer)
      await until('every run to end', async () => [...runs.values()].every(({ results }) => results.size > 0), {
        timeoutMs: 180_000,
      }).catch((error) => say(error.message))
      await Promise.all(readers.map((reader) => reader.close()))
    },
  }
}

/** The longest time without a step of these partitions, from just before the harm on. */
const gapOf = ({ steps, partitions, harmedMs }) => {
  const times = steps.flatMap(({ atMs, partition }) => (partitions.has(partition) ? [atMs] : [])).toSorted((left, right) => left - right)
  let before = times.findLast((atMs) => atMs <= harmedMs) ?? harmedMs
  let gapMs = 0
  for (const atMs of times) {
    if (atMs <= before) continue
    gapMs = Math.max(gapMs, atMs - before)
    before = atMs
  }
  return gapMs
}

/** The process that holds most advisory locks, told by the port its connection comes from, and its partitions. */
const findOwner = async (database, processes) => {
  const { rows: locks } = await database.query(
    `select a.client_port as port, count(*)::int as count from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted group by 1 order by 2 desc limit 1`,
  )
  const owner = [...processes].find(({ slot }) => locks[0] !== undefined && slot.postgres.holds(locks[0].port))
  const { rows } = await database.query(
    'select owner_uuid as owner, array_agg(partition) as partitions from log_partitions group by 1 order by count(*) desc limit 1',
  )
  if (owner === undefined || rows[0]?.owner == null || rows[0].partitions.length < PARTITIONS / 2) return undefined
  return { owner, partitions: new Set(rows[0].partitions) }
}

const asked = async (url, statement) => {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await statement(client)
  } finally {
    await client.end()
  }
}

/** Nearest rank. */
const quantile = (values, q) => values.toSorted((left, right) => left - right)[Math.max(0, Math.ceil(q * values.length) - 1)]
const whole = (ms) => (ms === undefined ? '-' : ms.toFixed(0))

const table = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  for (const row of rows)
    say(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '))
}

/** Plays the rounds of one case, and counts when all is quiet again. */
const play = async ({ stage, harmful, rounds }) => {
  const { servers, bus, processes, restore, toolsUrl } = stage
  const before = await getJson(`${toolsUrl}/v1/tickets?limit=1`)
  const stream = await openStream(bus)
  const gaps = []
  for (let round = 1; round <= rounds; round += 1) {
    await pause(WARM_MS)
    const { owner, partitions } = await until('an owner', () => asked(servers.postgres.url, (database) => findOwner(database, processes)), {
      timeoutMs: 120_000,
    })
    const harmedMs = Date.now()
    await harmful.harm({ owner, servers })
    await pause(SETTLE_MS)
    const steps = () => stream.steps.filter(({ atMs }) => atMs > harmedMs - WARM_MS)
    // A gap that has not ended is measured when it has.
    await until('a step', async () => steps().some(({ atMs, partition }) => partitions.has(partition) && atMs > Date.now() - 1_000), {
      timeoutMs: 120_000,
    }).catch((error) => say(error.message))
    gaps.push(gapOf({ steps: steps(), partitions, harmedMs }))
    say(`     ${harmful.title}, round ${round}: ${whole(gaps.at(-1))} ms without a step on ${partitions.size} partitions`)
    stream.steps.splice(0)
    await restore()
  }
  await stream.finish()
  await pause(1_000)
  const after = await getJson(`${toolsUrl}/v1/tickets?limit=1`)
  const runs = [...stream.runs.values()]
  const ended = runs.filter(({ results }) => results.size > 0)
  const needed = ended.filter(({ ticket }) => ticket).length
  return {
    harmful,
    gaps,
    runs: runs.length,
    lost: runs.length - ended.length,
    otherwise: ended.filter(({ results }) => ![...results].every((result) => result.startsWith('baton.run.completed.v1'))).length,
    contradicting: ended.filter(({ results }) => results.size > 1).length,
    duplicated: after.total - before.total - needed,
    repeats: stream.repeats(),
  }
}

const judge = (check, { harmful, gaps, lost, otherwise, contradicting, duplicated }) => {
  const { title, limit } = harmful
  const [p50, max] = [quantile(gaps, 0.5), Math.max(...gaps)]
  if (limit.p50Ms !== undefined) check(`${title}: the median gap is under ${limit.p50Ms} ms`, p50 < limit.p50Ms, `${whole(p50)} ms`)
  if (limit.gapMs !== undefined) check(`${title}: every gap is under ${limit.gapMs} ms`, max < limit.gapMs, `${whole(max)} ms`)
  check(`${title}: no run is lost or failed`, lost === 0 && otherwise === 0, `${lost} lost, ${otherwise} not completed`)
  check(
    `${title}: no run has two results, no effect happened twice or not at all`,
    contradicting === 0 && duplicated === 0,
    `${contradicting} and ${duplicated}`,
  )
}

const openStage = async ({ namespaces, verbose }) => {
  const servers = await startCuttable({ namespaces })
  const env = { BATON_FLOWS_DIR: FLOWS_DIR, BATON_EVENTS_PARTITIONS: String(PARTITIONS) }
  const direct = { ...env, KAFKA_BROKERS: servers.kafka.brokers.join(','), DATABASE_URL: servers.postgres.url }
  const children = new Set()
  const processes = new Set()
  const restore = async () => {
    for (const gone of [...processes].filter((process_) => !process_.running())) processes.delete(gone)
    for (const slot of servers.slots)
      if (![...processes].some((process_) => process_.slot === slot)) processes.add(await startRouting(slot, { env, namespaces, verbose }))
  }
  const stop = async () => {
    for (const process_ of processes) process_.signal('SIGKILL')
    for (const { child } of children) child.kill('SIGKILL')
    await servers.stop()
  }
  try {
    const gateway = await startBaton(['--only', 'gateway', '--port', '0'], { env: direct })
    children.add(gateway)
    const tools = await startBaton(['--only', 'tools', '--port', '0'], { env: direct })
    children.add(tools)
    await restore()
    const bus = await openKafkaBus({
      brokers: servers.kafka.brokers,
      clientId: 'proof',
      topicPrefix: '',
      topics: topicManifest({ eventsPartitions: PARTITIONS }),
      ensureTopics: true,
    })
    return { servers, bus, processes, restore, toolsUrl: tools.urls.tools, stop: () => bus.close().then(stop) }
  } catch (error) {
    await stop()
    throw error
  }
}

const option = (args, name) => {
  const at = args.indexOf(`--${name}`)
  return at >= 0 ? args[at + 1] : args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
}

const main = async (args) => {
  const missing = missingServers()
  if (missing !== undefined) {
    say(`SKIP: ${missing}`)
    return process.env.CI === 'true' ? 1 : 0
  }
  if (Number(process.versions.node.split('.')[0]) < 24) {
    say('wrong use: an older Node hands over to another process, which a signal would not reach; run it by npm')
    return 2
  }
  const namespace = process.env.BATON_PROOF_NAMESPACE ?? 'started without scripts/proof-takeover.mjs'
  const namespaces = namespace === 'own'
  if (namespaces) raiseLoopback()
  const rounds = Number(option(args, 'rounds') ?? 40)
  const only = option(args, 'only')?.split(',')
  const { check, end } = createChecks()
  const stage = await openStage({ namespaces, verbose: args.includes('--verbose') })
  const played = []
  try {
    for (const harmful of CASES.filter(({ name }) => only === undefined || only.includes(name))) {
      if (harmful.namespace === true && !namespaces) {
        say(`SKIP ${harmful.title}: ${namespace}`)
        continue
      }
      const result = await play({ stage, harmful, rounds })
      played.push(result)
      judge(check, result)
    }
  } finally {
    await stage.stop()
  }
  say(
    `\n${rounds} rounds each, ${RUNS_PER_SECOND} runs/s of three steps, a ticket in every ${TICKET_EVERY}th, ${PARTITIONS} partitions; gaps in ms`,
  )
  table([
    ['fault', 'p50', 'p95', 'max', 'runs', 'lost', 'not completed', 'two results', 'effects twice', 'repeated records'],
    ...played.map(({ harmful, gaps, runs, lost, otherwise, contradicting, duplicated, repeats }) => [
      harmful.title,
      ...[quantile(gaps, 0.5), quantile(gaps, 0.95), Math.max(...gaps)].map(whole),
      ...[runs, lost, otherwise, contradicting, duplicated, repeats].map(String),
    ]),
  ])
  return end()
}

process.exit(await main(process.argv.slice(2)))
