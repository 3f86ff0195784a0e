// The two Kafka client libraries under the Bus port, side by side: hop, CPU, throughput, idling. Ratios of interleaved pairs, platformatic to
// kafkajs; below 1 means that platformatic takes less.
import { fork, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'
import { kafkaAvailable, startKafka } from '@baton/testing/servers'
import { cpuMsOf, median, ratioInterval } from './figures.mjs'
import { openLoad } from './load.mjs'
import { getJson, missingServers, startBaton, startServers, until } from '../proof/system.mjs'

const CLIENTS = ['kafkajs', 'platformatic']
const WAYS = { log: 'publish to log reader', work: 'publish to lane handler' }
const IDLE = { settleMs: 12_000, windowMs: 10_000 }
const say = (text) => process.stdout.write(`${text}\n`)
const f = (value, digits = 2) => value.toFixed(digits)
const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]

const options = (args) => {
  const value = (name) => args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1]
  return {
    pairs: Number(value('pairs') ?? 10),
    hops: Number(value('hops') ?? 500),
    messages: Number(value('messages') ?? 40_000),
    only: value('only')?.split(','),
  }
}

const startClient = async (client, brokers) => {
  const child = fork(join(import.meta.dirname, 'client-process.mjs'), [client, brokers.join(','), `${client}.`])
  const waiting = new Map()
  const ready = new Promise((resolve) => waiting.set('ready', resolve))
  child.on('message', ({ id, answer }) => waiting.get(id)?.(answer))
  child.once('exit', (code) => {
    if (code !== 0) throw new Error(`${client} ended with ${code}`)
  })
  await ready
  let calls = 0
  const ask = (name, args = {}) =>
    new Promise((resolve) => {
      calls += 1
      waiting.set(calls, resolve)
      child.send({ id: calls, name, ...args })
    })
  return { client, ask }
}

/** Every other pair begins with the other client. */
const interleaved = async (pairs, measure) => {
  const found = []
  for (let pair = 0; pair < pairs; pair += 1) {
    const both = {}
    for (const client of pair % 2 === 0 ? CLIENTS : CLIENTS.toReversed()) both[client] = await measure(client)
    found.push(both)
  }
  return found
}

const compare = (label, pairs, unit, figure) => {
  const of = (client) => median(pairs.map((both) => figure(both[client])))
  const { mean, low, high } = ratioInterval(pairs.map(({ kafkajs, platformatic }) => figure(platformatic) / figure(kafkajs)))
  say(
    `  ${label}: kafkajs ${f(of('kafkajs'))} ${unit}, platformatic ${f(of('platformatic'))} ${unit}; ratio ${f(mean)} (95 % ${f(low)}–${f(high)}, ${pairs.length} pairs)`,
  )
}

const hopsAndLoad = async (clients, { pairs, hops, messages }) => {
  for (const [way, label] of Object.entries(WAYS)) {
    for (const { ask } of Object.values(clients)) {
      await ask('read', { way })
      await ask('load', { way, messages })
      await ask('hop', { way, messages: hops })
    }
    say(`\n${label}, one message at a time (${hops} a round)`)
    const single = await interleaved(pairs, (client) => clients[client].ask('hop', { way, messages: hops }))
    // Other work on the machine only ever adds: the tenth is what the hop itself takes.
    compare('p10', single, 'ms', ({ handledMs }) => quantile(handledMs, 0.1))
    compare('p50', single, 'ms', ({ handledMs }) => quantile(handledMs, 0.5))
    compare('p99', single, 'ms', ({ handledMs }) => quantile(handledMs, 0.99))
    compare('CPU', single, 'µs a message', ({ cpuUsPerMessage }) => cpuUsPerMessage)
    say(`${label}, ${messages} messages of 500 bytes and six headers as fast as they go`)
    const full = await interleaved(pairs, (client) => clients[client].ask('load', { way, messages }))
    compare('throughput', full, 'thousand a second', ({ seconds }) => messages / seconds / 1_000)
    compare('CPU', full, 'µs a message', ({ cpuUsPerMessage }) => cpuUsPerMessage)
  }
}

const idling = async (clients, { pairs }) => {
  for (const { ask } of Object.values(clients)) await ask('subscribe')
  await pause(IDLE.settleMs)
  const windows = []
  const read = async () => Object.fromEntries(await Promise.all(CLIENTS.map(async (client) => [client, await clients[client].ask('cpu')])))
  for (let window = 0; window < Math.min(pairs, 6); window += 1) {
    const before = await read()
    await pause(IDLE.windowMs)
    const after = await read()
    windows.push(
      Object.fromEntries(
        CLIENTS.map((client) => [
          client,
          { share: (100 * (after[client].cpuMs - before[client].cpuMs)) / IDLE.windowMs, rssMb: after[client].rssMb },
        ]),
      ),
    )
  }
  say('\nidle: two groups with five retry topics each, a log of 12 partitions, a table; both at once')
  compare('CPU', windows, '% of a core', ({ share }) => share)
  compare('memory', windows, 'MB', ({ rssMb }) => rssMb)
}

const PACKAGES = { kafkajs: 'kafkajs', platformatic: '@platformatic/kafka' }

/** What a process pays once, before its first connection. */
const loading = async ({ pairs }) => {
  const pairsOfLoads = await interleaved(Math.min(pairs, 6), (client) => {
    const script = `const before = process.cpuUsage(); await import('${PACKAGES[client]}'); const { user, system } = process.cpuUsage(before)
      console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage().rss / 1048576 }))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '..', '..', 'libs', 'bus'),
      encoding: 'utf8',
    })
    return JSON.parse(stdout)
  })
  say('\nloading the library in an empty process')
  compare('CPU', pairsOfLoads, 'ms', ({ cpuMs }) => cpuMs)
  compare('memory of the process', pairsOfLoads, 'MB', ({ rssMb }) => rssMb)
}

/** The port alone. */
const port = async (chosen) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-clients-'))
  const server = await startKafka({ dir })
  const open = async () =>
    Object.fromEntries(await Promise.all(CLIENTS.map(async (name) => [name, await startClient(name, server.brokers)])))
  const close = (clients) => Promise.all(Object.values(clients).map(({ ask }) => Promise.race([ask('close'), pause(5_000)])))
  try {
    const busy = await open()
    await hopsAndLoad(busy, chosen)
    await close(busy)
    const idle = await open()
    await idling(idle, chosen)
    await close(idle)
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

const PROCESSES = { worker: ['tools'], rest: ['tracing', 'routing', 'gateway'] }
const PARTITIONS = 3
/** Two installations on one machine, whose services have fixed ports: each has an address of its own (Linux has all of 127.0.0.0/8). */
const HOSTS = { kafkajs: '127.0.0.21', platformatic: '127.0.0.22' }

/** A whole installation on one client library, on topics and a database of its own. */
const startSystem = async (client, { kafka, createDatabase }) => {
  const topicPrefix = `${client}.`
  const env = {
    KAFKA_BROKERS: kafka.brokers.join(','),
    DATABASE_URL: await createDatabase(client),
    BATON_KAFKA_CLIENT: client,
    BATON_HOST: HOSTS[client],
    BATON_TOPIC_PREFIX: topicPrefix,
    BATON_FLOWS_DIR: join(import.meta.dirname, 'flows'),
    BATON_EVENTS_PARTITIONS: String(PARTITIONS),
    BATON_KEEP_CONTENT: 'false',
  }
  const processes = {}
  for (const [name, services] of Object.entries(PROCESSES)) {
    const started = await startBaton(['--only', services.join(','), ...(services.length === 1 ? ['--port', '0'] : [])], { env })
    process.once('exit', () => started.child.kill('SIGKILL')) // Where something fails, nothing of it stays.
    processes[name] = started
  }
  const bus = await openKafkaBus({
    client,
    brokers: kafka.brokers,
    clientId: 'bench',
    topicPrefix,
    topics: [],
    ensureTopics: false,
  })
  const load = await openLoad(bus)
  const traced = async () => (await getJson(`${processes.rest.urls.tracing}/v1/stats?flow=bench/five-steps`)).items[0]?.completed ?? 0
  const caughtUp = () => until('tracing to catch up', async () => (await traced()) >= load.started, { everyMs: 50 })
  const cpuMs = () => Object.values(processes).reduce((sum, { pid }) => sum + cpuMsOf(pid), 0)
  return {
    measure: async (count, concurrency) => {
      const before = cpuMs()
      const found = await load.measure({ count, concurrency, caughtUp })
      return { ...found, cpuMsPerStep: (cpuMs() - before) / (5 * count) }
    },
    idleCpuMs: () => cpuMsOf(processes.rest.pid),
    stop: async () => {
      await load.close()
      await bus.close()
      for (const { kill } of Object.values(processes).toReversed()) await kill('SIGTERM')
    },
  }
}

const system = async ({ pairs }) => {
  const servers = await startServers()
  const systems = {}
  try {
    for (const client of CLIENTS) systems[client] = await startSystem(client, servers)
    for (const { measure } of Object.values(systems)) {
      await measure(3_000, 64)
      await measure(200, 1)
    }
    say('\nthe whole system, five no-op steps a run, journal and tracing on, one run at a time (60 a round)')
    const single = await interleaved(pairs, (client) => systems[client].measure(60, 1))
    compare('p50', single, 'ms a step', ({ stepP50Ms }) => stepP50Ms)
    compare('CPU of all services', single, 'ms a step', ({ cpuMsPerStep }) => cpuMsPerStep)
    say('the whole system, 32 runs at a time (600 a round)')
    const many = await interleaved(pairs, (client) => systems[client].measure(600, 32))
    compare('throughput', many, 'runs a second', ({ runsPerSecond }) => runsPerSecond)
    compare('CPU of all services', many, 'ms a step', ({ cpuMsPerStep }) => cpuMsPerStep)
    await pause(IDLE.settleMs)
    const windows = []
    for (let window = 0; window < Math.min(pairs, 6); window += 1) {
      const before = CLIENTS.map((client) => systems[client].idleCpuMs())
      await pause(IDLE.windowMs)
      windows.push(
        Object.fromEntries(CLIENTS.map((client, nth) => [client, (100 * (systems[client].idleCpuMs() - before[nth])) / IDLE.windowMs])),
      )
    }
    say('the whole system, idle')
    compare('tracing, routing and gateway in one process', windows, '% of a core', (share) => share)
  } finally {
    for (const running of Object.values(systems)) await running.stop()
    await servers.stop()
  }
}

export const main = async (args) => {
  const chosen = options(args)
  const wants = (part) => chosen.only === undefined || chosen.only.includes(part)
  say('ratios are platformatic to kafkajs; both under the same loops of the Kafka adapter, on one broker')
  if (wants('loading')) await loading(chosen)
  const available = kafkaAvailable()
  if (!available.ok) say(`SKIP: ${available.reason}`)
  else if (wants('port')) await port(chosen)
  if (wants('system')) {
    const missing = missingServers()
    if (missing === undefined) await system(chosen)
    else say(`SKIP the whole system: ${missing}`)
  }
  say('\nnot measured: several brokers, networks, compression')
  return 0
}
