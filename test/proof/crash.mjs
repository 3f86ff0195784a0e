// kill -9 of every process and of all of them, again and again, with runs in flight: every run ends with one result, no ticket twice.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openEmbeddedBus, openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { createChecks } from './checks.mjs'
import { getJson, missingServers, startBaton, startServers, until } from './system.mjs'

const FLOWS_DIR = join(import.meta.dirname, 'flows')
const FLOW = 'proof/ticket'
const RUNS = 100
const SERVICES = ['tracing', 'tools', 'routing', 'gateway']
const say = (text) => process.stdout.write(`${text}\n`)

/** Every second run needs a ticket. */
const requestOf = (id, n) => ({ id, flow: FLOW, source: 'proof', input: { n, ticket: n % 2 === 0 } })

/** Posts until it is accepted: the gateway may be dead just now. The id makes repeats harmless. */
const submit = async (url, request) => {
  await until(
    `request ${request.id} to be accepted`,
    async () => {
      const response = await fetch(`${url()}/v1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      return response.status === 202
    },
    { timeoutMs: 90_000, everyMs: 100 },
  )
}

/** Reads a topic at rest, all of it. */
const readAll = async (bus, topic) => {
  const { partitions } = await bus.describe(topic)
  const records = []
  for (const { partition, first, next } of partitions) {
    for (let offset = first; offset < next;) {
      const page = await bus.read({ topic, partition, offset, limit: 1_000 })
      if (page.length === 0) break
      records.push(...page)
      offset = page.at(-1).offset + 1
    }
  }
  return records
}

const judge = ({ check, name, ids, records, tickets }) => {
  const ours = records.filter((record) => ids.has(record.headers.ce_correlationid))
  const contents = new Map()
  for (const record of ours) {
    const id = record.headers.ce_correlationid
    if (!contents.has(id)) contents.set(id, new Set())
    contents.get(id).add(`${record.headers.ce_id} ${record.value.toString()}`)
  }
  const completed = ours.filter((record) => record.headers.ce_type === 'baton.run.completed.v1').length
  const needed = [...ids.values()].filter(Boolean).length
  check(
    `${name}: runs started = distinct results`,
    contents.size === ids.size && [...contents.values()].every((set) => set.size === 1),
    `${ids.size} runs, ${contents.size} with a result, ${[...contents.values()].filter((set) => set.size > 1).length} with more than one`,
  )
  check(`${name}: every result says completed`, completed === ours.length, `${ours.length - completed} others`)
  check(`${name}: tickets = runs that needed one`, tickets === needed, `${tickets} tickets, ${needed} needed`)
  say(`     raw repeats of results: ${ours.length - contents.size}`)
}

/** Starts runs while `disturb` kills things, then waits until every run has ended in tracing. */
const play = async ({ url, label, rounds, disturb }) => {
  const ids = new Map()
  for (let round = 1; round <= rounds.length; round += 1) {
    const begun = Array.from({ length: RUNS }, (_, n) => requestOf(`${label}-${round}-${n}`, n))
    for (const { id, input } of begun) ids.set(id, input.ticket)
    const submitted = Promise.all(begun.map((request) => submit(url, request)))
    await pause(150 + Math.random() * 400)
    await disturb(rounds[round - 1])
    await submitted
    say(`     round ${round}: killed ${rounds[round - 1]} with ${RUNS} runs in flight`)
  }
  await until(
    `${ids.size} runs to end`,
    async () => {
      const { items } = await getJson(`${url()}/v1/stats?flow=${FLOW}`)
      return items[0] !== undefined && items[0].completed + items[0].failed >= ids.size
    },
    { timeoutMs: 120_000, everyMs: 250 },
  )
  return ids
}

const embedded = async (check, rounds) => {
  say('embedded: one process, kill -9')
  const dir = mkdtempSync(join(tmpdir(), 'baton-crash-'))
  const start = () => startBaton(['--data', dir, '--port', '0'], { env: { BATON_FLOWS_DIR: FLOWS_DIR } })
  let system = await start()
  const url = () => system.urls.gateway
  const ids = await play({
    url,
    label: 'embedded',
    rounds: Array.from({ length: rounds }, () => 'the process'),
    disturb: async () => {
      await system.kill('SIGKILL')
      system = await start()
    },
  })
  const { total: tickets } = await getJson(`${url()}/v1/tickets?limit=1`)
  await system.kill('SIGTERM')
  const bus = await openEmbeddedBus({ dir: join(dir, 'log'), topics: topicManifest({}) })
  judge({ check, name: 'embedded', ids, records: await readAll(bus, 'baton.results'), tickets })
  await bus.close()
  rmSync(dir, { recursive: true, force: true })
}

const distributed = async (check) => {
  say('Kafka + PostgreSQL: kill -9 of each process, of all of them, and a restart of the database')
  const servers = await startServers()
  const { kafka, postgres } = servers
  const processes = {}
  const ports = {}
  const env = { KAFKA_BROKERS: kafka.brokers.join(','), DATABASE_URL: postgres.url, BATON_FLOWS_DIR: FLOWS_DIR }
  const start = async (name) => {
    const urls = Object.fromEntries(
      Object.entries(ports).map(([other, port]) => [`BATON_${other.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]),
    )
    processes[name] = await startBaton(['--only', name, '--port', String(ports[name] ?? 0)], { env: { ...env, ...urls } })
    ports[name] = new URL(processes[name].urls[name]).port
  }
  const kill = async (names) => {
    await Promise.all(names.map((name) => processes[name].kill('SIGKILL')))
    for (const name of names) await start(name)
  }
  try {
    for (const name of SERVICES) await start(name)
    const url = () => `http://127.0.0.1:${ports.gateway}`
    const ids = await play({
      url,
      label: 'kafka',
      rounds: [...SERVICES, 'all of them', 'the database'],
      disturb: (victim) => (victim === 'the database' ? postgres.restart() : kill(victim === 'all of them' ? SERVICES : [victim])),
    })
    const { total: tickets } = await getJson(`${url()}/v1/tickets?limit=1`)
    const bus = await openKafkaBus({
      brokers: kafka.brokers,
      clientId: 'proof',
      topicPrefix: '',
      topics: topicManifest({}),
      ensureTopics: true,
    })
    judge({ check, name: 'Kafka', ids, records: await readAll(bus, 'baton.results'), tickets })
    await bus.close()
  } finally {
    for (const process_ of Object.values(processes)) process_.child.kill('SIGKILL')
    await servers.stop()
  }
}

export const main = async (args) => {
  const { check, end } = createChecks()
  const only = args.find((arg) => arg.startsWith('--only='))?.split('=')[1]
  if (only !== 'kafka') await embedded(check, 6)
  const missing = missingServers()
  if (missing !== undefined) {
    say(`SKIP Kafka + PostgreSQL: ${missing}`)
    if (process.env.CI === 'true') check('Kafka and PostgreSQL are here', false)
  } else if (only !== 'embedded') await distributed(check)
  return end()
}
