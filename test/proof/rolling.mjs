// `npm run proof:rolling`: every process of an installation is told to end and replaced, one after the other, under steady load. Requests come
// over the topic and over HTTP; each needs a model, a check, an effect, and now and then a person. What is visible outside is counted.
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { FLOW, openWorld, QUEUE } from './rolling-world.mjs'
import { missingServers, startBaton, startServers, until } from './system.mjs'

/** In the order they start; who is asked over HTTP first. Two where others wait for them. */
const REPLICAS = { tracing: 1, hitl: 1, tools: 2, models: 2, validation: 2, routing: 2, gateway: 2 }
const ASK_EVERY = 20
const PARTITIONS = 6
const WARM_MS = 5_000
const BETWEEN_MS = 1_000
const ACCEPT_MS = 5_000
const HELP = `npm run proof:rolling [-- --rounds 1] [--rate 10]

Seven services as ${Object.values(REPLICAS).reduce((sum, count) => sum + count, 0)} processes on Kafka and PostgreSQL (two of each but tracing and hitl), --rate requests a second, half over the
topic and half over HTTP. Each process gets SIGTERM and is replaced, one after the other, --rounds times. Every request has to end with one
result, every effect has to happen once. Not measured: what a load balancer adds; the client here goes to the other gateway when one is away.`
const say = (text) => process.stdout.write(`${text}\n`)

const startInstallation = async (servers, world) => {
  const seats = []
  const urls = {}
  const start = async (seat) => {
    const env = { KAFKA_BROKERS: servers.kafka.brokers.join(','), DATABASE_URL: servers.postgres.url, ...world.env, ...urls }
    seat.process = await startBaton(['--only', seat.service, '--port', String(seat.port)], { env })
    const url = seat.process.urls[seat.service]
    seat.port = Number(new URL(url).port) // The replacement takes the same door.
    urls[`BATON_${seat.service.toUpperCase()}_URL`] ??= url
  }
  const stop = async () => {
    for (const { process: running } of seats) running?.child.kill('SIGKILL')
  }
  try {
    for (const [service, count] of Object.entries(REPLICAS))
      for (let replica = 1; replica <= count; replica += 1) {
        const seat = { service, replica, port: 0 }
        seats.push(seat)
        await start(seat)
        say(`     ${service} ${replica}: ready`)
      }
  } catch (error) {
    await stop()
    throw error
  }
  return {
    seats,
    start,
    stop,
    gateways: () => seats.filter(({ service }) => service === 'gateway').map(({ port }) => `http://127.0.0.1:${port}`),
  }
}

/** What a client behind a load balancer does: another gateway when one is away or says that it ends; the id makes repeats harmless. */
const openClient = (gateways) => {
  const figures = { elsewhere: 0, refused: 0 }
  let turn = 0
  const ask = async (method, path, body) => {
    const untilMs = performance.now() + ACCEPT_MS
    for (let tries = 0; performance.now() < untilMs; tries += 1) {
      const urls = gateways()
      turn += 1
      if (tries > 0) {
        figures.elsewhere += 1
        await pause(20 * Math.min(tries, 10))
      }
      try {
        const reply = await fetch(`${urls[turn % urls.length]}${path}`, {
          method,
          headers: { 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(ACCEPT_MS),
        })
        if (reply.status < 500) return { status: reply.status, body: await reply.json(), tries }
      } catch {
        // Away: the other one.
      }
    }
    figures.refused += 1
    return { status: 0, body: {}, tries: 0 }
  }
  return { ask, figures }
}

const follow = async (bus, runs) => {
  const { partitions } = await bus.describe('baton.results')
  const reader = await bus.log({
    topic: 'baton.results',
    onBatch: (_partition, records) => {
      for (const { headers, value } of records) {
        const run = runs.get(headers.ce_correlationid)
        if (run === undefined) continue
        run.times = (run.times ?? 0) + 1
        run.endedAtMs ??= performance.now()
        run.results.add(`${headers.ce_type} ${headers.ce_id} ${value.toString()}`)
      }
    },
    onFault: (_partition, fault) => say(`results: ${fault.message}`),
  })
  await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
  return { close: () => reader.close() }
}

/** Requests at a steady rate; every second one over HTTP. */
const openLoad = ({ bus, client, runs, rate }) => {
  const sitting = randomBytes(4).toString('hex')
  const open = []
  let refused = 0
  let sent = 0
  const send = async (id, request, overHttp) => {
    const value = Buffer.from(JSON.stringify(request))
    const post = async () => {
      const { status, tries } = await client.ask('POST', '/v1/runs', request)
      runs.get(id).again = tries > 0
      return status === 202
    }
    const taken = overHttp
      ? await post()
      : await bus.publish([{ topic: 'baton.requests', key: id, headers: {}, value }]).then(
          () => true,
          () => false,
        )
    if (taken) return
    refused += 1
    runs.get(id).refused = true
  }
  const timer = setInterval(() => {
    sent += 1
    const id = `rolling-${sitting}-${sent}`
    const ask = sent % ASK_EVERY === 0
    runs.set(id, { begunAtMs: performance.now(), ask, results: new Set() })
    open.push(send(id, { id, flow: FLOW, source: 'proof', input: { about: id, ask } }, sent % 2 === 0))
  }, 1_000 / rate)
  return {
    refused: () => refused,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(open)
    },
  }
}

/** The person: answers whatever lies in the queue. */
const openPerson = ({ client }) => {
  let over = false
  const answer = async () => {
    while (!over) {
      const { body } = await client.ask('GET', `/v1/reviews?queue=${QUEUE}&limit=100`)
      for (const { taskId } of body.items ?? [])
        await client.ask('POST', `/v1/reviews/${taskId}:decide`, { by: 'ada', verdict: 'respond', output: { text: 'as it is' } })
      await pause(300)
    }
  }
  const done = answer()
  return {
    stop: async () => {
      over = true
      await done
    },
  }
}

const quantile = (values, q) => values.toSorted((left, right) => left - right)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0

const roll = async ({ installation, rounds }) => {
  const restarts = []
  for (let round = 1; round <= rounds; round += 1)
    for (const seat of installation.seats) {
      const begunAtMs = performance.now()
      const { code, signal } = await seat.process.kill('SIGTERM')
      const drainMs = performance.now() - begunAtMs
      await installation.start(seat)
      const awayMs = performance.now() - begunAtMs
      restarts.push({ seat, code, signal, drainMs, awayMs })
      const ended = code === 0 ? 'in order' : `with ${code ?? signal}`
      say(
        `     ${seat.service} ${seat.replica}: ended ${ended} after ${drainMs.toFixed(0)} ms, back after ${(awayMs / 1_000).toFixed(1)} s`,
      )
      await pause(BETWEEN_MS)
    }
  return restarts
}

const rowsOf = ({ runs, restarts, world, client, refused }) => {
  const all = [...runs].filter(([, run]) => run.refused !== true)
  const ended = all.filter(([, { results }]) => results.size > 0)
  const row = (what, must, seen, ok) => ({ what, must, seen: String(seen), ok })
  const none = (what, seen) => row(what, '0', seen, seen === 0)
  const wrong = (counts) => all.filter(([id]) => (counts.get(id) ?? 0) !== 1)
  const waits = ended.map(([, { begunAtMs, endedAtMs, ask }]) => (ask ? undefined : endedAtMs - begunAtMs)).filter((ms) => ms !== undefined)
  const drains = restarts.map(({ drainMs }) => drainMs)
  return [
    none('requests that nobody took', refused),
    none('requests without a result', all.length - ended.length),
    none('requests with two different results', ended.filter(([, { results }]) => results.size > 1).length),
    none('results that are not completed', ended.filter(([, { results }]) => ![...results][0].startsWith('baton.run.completed.v1')).length),
    // A request that is sent again is answered again, with the same result.
    none('results published twice to requests sent once', ended.filter(([, { again, times }]) => again !== true && times > 1).length),
    none('effects that did not happen once', wrong(world.effects).length),
    none('model calls paid more than once', all.filter(([id]) => (world.asked.get(id) ?? 0) > 1).length),
    none('processes that did not end in order', restarts.filter(({ code }) => code !== 0).length),
    row('requests', '', all.length),
    row('processes restarted', '', restarts.length),
    row('end of a process after SIGTERM, p50 / max', '', `${quantile(drains, 0.5).toFixed(0)} / ${Math.max(...drains).toFixed(0)} ms`),
    row(
      'request to result without a person, p50 / p99 / max',
      '',
      [0.5, 0.99, 1].map((q) => quantile(waits, q).toFixed(0)).join(' / ') + ' ms',
    ),
    row('calls over HTTP that went to the other gateway', '', client.figures.elsewhere),
  ]
}

const play = async ({ servers, world, rounds, rate }) => {
  const installation = await startInstallation(servers, world)
  const bus = await openKafkaBus({
    brokers: servers.kafka.brokers,
    clientId: 'proof',
    topicPrefix: '',
    topics: topicManifest({ eventsPartitions: PARTITIONS }),
    ensureTopics: true,
  })
  try {
    const runs = new Map()
    const client = openClient(installation.gateways)
    const results = await follow(bus, runs)
    const person = openPerson({ client })
    const load = openLoad({ bus, client, runs, rate })
    await pause(WARM_MS)
    const restarts = await roll({ installation, rounds })
    await pause(WARM_MS)
    await load.stop()
    const open = () => [...runs.values()].filter(({ results: got, refused }) => got.size === 0 && refused !== true)
    await until('every request to end', async () => open().length === 0, { timeoutMs: 90_000 }).catch((error) => say(error.message))
    await person.stop()
    await pause(1_000)
    await results.close()
    for (const [id, { results: got, refused }] of runs)
      if (got.size === 0 && refused !== true) {
        const { body } = await client.ask('GET', `/v1/runs?correlation=${id}`)
        say(`     no result: ${id} ${JSON.stringify(body).slice(0, 300)}`)
      }
    const failed = [...runs.values()].find(({ results: got }) => got.size > 0 && ![...got][0].startsWith('baton.run.completed.v1'))
    if (failed !== undefined) say(`     one that failed: ${[...failed.results][0].slice(0, 600)}`)
    return rowsOf({ runs, restarts, world, client, refused: load.refused() })
  } finally {
    await bus.close()
    await installation.stop()
  }
}

export const main = async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '1' },
      rate: { type: 'string', default: '10' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    say(HELP)
    return 0
  }
  const missing = missingServers()
  if (missing !== undefined) {
    say(`SKIP: ${missing}`)
    return process.env['CI'] === 'true' ? 1 : 0
  }
  const servers = await startServers()
  const world = await openWorld()
  try {
    const rows = await play({ servers, world, rounds: values.quick ? 1 : Number(values.rounds), rate: Number(values.rate) })
    say('\n| what | must | seen | |\n| --- | --- | --- | --- |')
    for (const { what, must, seen, ok } of rows)
      say(`| ${what} | ${must} | ${seen} | ${ok === undefined ? '' : ok ? 'PASS' : '**FAIL**'} |`)
    const failed = rows.filter(({ ok }) => ok === false).length
    say(failed === 0 ? '\nall as it must be' : `\n${failed} not as they must be`)
    return failed === 0 ? 0 : 1
  } finally {
    await world.close()
    await servers.stop()
  }
}
