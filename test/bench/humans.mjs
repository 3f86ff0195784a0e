// The engine of tasks under load: hitl in this process, on a Kafka and a PostgreSQL of its own, asked over its HTTP interface without a
// socket. What it does not measure: the network, the gateway, people.
import { mkdtempSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'
import { encodeEvent, sha256, TOPICS, topicManifest } from '@baton/contracts'
import { start } from '@baton/hitl'
import { openPostgres, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { missingServers, startServers, until } from '../proof/system.mjs'

const PLAN_HASH = 'b'.repeat(64)
const SEED = 20_260_730
const PARTITION = 0
const say = (text) => process.stdout.write(`${text}\n`)

const seeded = (seed) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
const round = (value) => Math.round(value * 10) / 10
const taskIdOf = (attemptId) => `rev_${sha256(attemptId).slice(0, 32)}`

const openWorld = async () => {
  const servers = await startServers()
  const manifest = topicManifest({ eventsPartitions: 3 })
  const bus = await openKafkaBus({
    brokers: servers.kafka.brokers,
    clientId: 'bench',
    topicPrefix: '',
    topics: manifest,
    ensureTopics: true,
  })
  const db = openPostgres({ url: servers.postgres.url })
  const stores = await openStore(db)
  const body = JSON.stringify({ hash: PLAN_HASH, nodes: { work: { id: 'work', kind: 'model', effect: 'read', with: { lit: {} } } } })
  await stores.flows.publish({
    tenant: 'default',
    flow: 'bench/work',
    version: '1',
    hash: PLAN_HASH,
    body,
    alias: 'stable',
    replace: false,
    by: 'bench',
  })
  const dir = mkdtempSync(join(tmpdir(), 'baton-humans-'))
  const config = {
    topicPrefix: '',
    flowsDir: dir,
    configDir: dir,
    dataDir: dir,
    embedded: false,
    drainMs: 5_000,
    requestBytesMax: 1e6,
    inlineBytesMax: 65_536,
  }
  const telemetry = openTelemetry({ service: 'bench', level: process.env.LOG_LEVEL ?? 'error' })
  const platform = {
    bus,
    db,
    stores,
    telemetry,
    config,
    nowMs: Date.now,
    call: () => Promise.resolve({ status: 404, body: '{}', contentType: 'application/json' }),
  }
  const service = await start(platform, {})
  const http = async (method, path, data) => {
    const reply = await service.inject({ method, path, ...(data === undefined ? {} : { body: JSON.stringify(data) }) })
    return { status: reply.status, body: JSON.parse(reply.body) }
  }
  const close = async () => {
    await service.close({ graceMs: 5_000 })
    await bus.close()
    await db.close()
    await servers.stop()
  }
  return { bus, db, http, close }
}

const requestOf = (runId, ask) => {
  const attemptId = `${runId}/work/1`
  const untilMs = Date.now() + 86_400_000
  const data = {
    runId,
    rootRunId: runId,
    tenant: 'default',
    flow: 'bench/work',
    version: '1',
    planHash: PLAN_HASH,
    engineVersion: 1,
    nodeId: 'work',
    path: 'work',
    kind: 'human',
    attempt: 1,
    attemptId,
    leaseUntilMs: untilMs,
    deadlineMs: untilMs,
    reservation: attemptId,
    effectKey: attemptId,
    priority: 'normal',
    answerPartition: PARTITION,
    input: null,
    ask,
  }
  return {
    topic: 'baton.hitl.commands',
    ...encodeEvent({ name: 'review.request', data, id: `${attemptId}/c`, source: '/bench', subject: runId, tenant: 'default' }),
  }
}
const askOf = (more) => ({
  kind: 'approval',
  use: 'answer',
  title: 'May this be done?',
  input: { draft: { amount: 10 } },
  reasons: ['a bench'],
  ...more,
})

const readAll = async (bus, topic) => {
  const { partitions } = await bus.describe(topic)
  const found = []
  for (const { partition, first, next } of partitions)
    for (let offset = first; offset < next;) {
      const page = await bus.read({ topic, partition, offset, limit: 2_000 })
      if (page.length === 0) break
      found.push(...page)
      offset = page.at(-1).offset + 1
    }
  return found
}

/** Terminal events by task: the kinds, each id once. */
const terminals = (records) => {
  const byTask = new Map()
  for (const { headers, value } of records) {
    const kind = /^baton\.review\.(decided|expired)\./.exec(headers.ce_type ?? '')?.[1]
    if (kind === undefined) continue
    const { taskId, verdict, by } = JSON.parse(value.toString())
    if (!byTask.has(taskId)) byTask.set(taskId, new Map())
    byTask.get(taskId).set(headers.ce_id, kind === 'decided' ? `${verdict} by ${by}` : 'expired')
  }
  return byTask
}

/** Of one person, who asks again while the service says that it has too much to do; what they decided already counts as theirs. */
const clearAnswer = async (http, id, by) => {
  for (let asked = 1; ; asked += 1) {
    const { status, body } = await http('POST', `/v1/reviews/${id}:decide`, { by, verdict: by === 'ada' ? 'approve' : 'reject' })
    const won = status === 200 || (status === 409 && body.by === by)
    if (status < 500) return { by, asked, won, told: status === 409 && body.code === 'review.closed' && body.by !== undefined }
    await pause(250)
  }
}

/** Two people and the clock, all at the moment when a task is due. */
const race = async ({ bus, db, http }, trials) => {
  const random = seeded(SEED)
  const spreadMs = Math.max(4_000, trials * 9)
  const leadMs = Math.max(4_000, trials * 1.5)
  const runs = Array.from({ length: trials }, (_, n) => `run_race${n}`)
  for (let from = 0; from < trials; from += 500)
    await bus.publish(
      runs
        .slice(from, from + 500)
        .map((runId) => requestOf(runId, askOf({ slaMs: Math.round(leadMs + random() * spreadMs), risk: 'irreversible' }))),
    )
  const count = async (where) =>
    Number((await db.query(`select count(*) as n from review_tasks where run_id like 'run_race%' and ${where}`)).rows[0].n)
  await until(`${trials} tasks`, async () => (await count('true')) === trials, { timeoutMs: 300_000, everyMs: 250 })
  const { rows } = await db.query(`select task_id as id, due_at_ms as due from review_tasks where run_id like 'run_race%'`)
  const answers = new Map(rows.map(({ id }) => [id, []]))
  await Promise.all(
    rows.flatMap(({ id, due }) =>
      ['ada', 'bob'].map(async (by) => {
        // The clock looks four times a second: people decide just before, at, and just after.
        await pause(Math.max(0, Number(due) - Date.now() + Math.round(random() * 400) - 100))
        answers.get(id).push(await clearAnswer(http, id, by))
      }),
    ),
  )
  await until('all to be closed', async () => (await count(`status in ('decided', 'expired')`)) === trials, {
    timeoutMs: 60_000,
    everyMs: 250,
  })
  await until('the outbox to be empty', async () => (await db.query('select 1 from review_outbox limit 1')).rows.length === 0, {
    timeoutMs: 60_000,
  })
  const { rows: after } = await db.query(
    `select task_id as id, status, verdict, decided_by as by from review_tasks where run_id like 'run_race%'`,
  )
  const [log, journal] = [terminals(await readAll(bus, TOPICS.events)), terminals(await readAll(bus, TOPICS.journal))]
  let [wrong, decided, expired, badAnswers, again] = [0, 0, 0, 0, 0]
  for (const { id, status, verdict, by } of after) {
    const row = status === 'decided' ? `${verdict} by ${by}` : status
    const told = [log.get(id), journal.get(id)]
    if (!told.every((events) => events?.size === 1 && [...events.values()][0] === row)) wrong += 1
    const winners = answers.get(id).filter(({ won }) => won)
    const losers = answers.get(id).filter(({ won, told: clear }) => !won && clear)
    again += answers.get(id).filter(({ asked }) => asked > 1).length
    const agreed = status === 'decided' ? winners.length === 1 && winners[0].by === by : winners.length === 0
    if (!agreed || winners.length + losers.length !== 2) badAnswers += 1
    if (status === 'decided') decided += 1
    else expired += 1
  }
  say(
    `     ${decided} decided, ${expired} expired; seed ${SEED}, ${trials} trials, three at each; ${again} people had to ask again because the service was busy`,
  )
  return [
    {
      what: `decision against timeout, ${trials} trials on Kafka`,
      must: 'one terminal event each',
      seen: `${wrong} without exactly one in row, log and journal`,
      ok: wrong === 0 && after.length === trials,
    },
    { what: 'answers to both people', must: 'agree with it; losers told who', seen: `${badAnswers} do not`, ok: badAnswers === 0 },
    {
      what: 'both outcomes happened',
      must: 'more than 1 % each',
      seen: `${decided} and ${expired}`,
      ok: Math.min(decided, expired) > trials / 100,
    },
  ]
}

/** Copies of one task, made by the database: rows as the service writes them. */
const fill = async ({ bus, db, http }, count) => {
  await bus.publish([requestOf('run_template', askOf({ slaMs: 40_000_000, queue: 'q0' }))])
  const template = taskIdOf('run_template/work/1')
  await until('the template', async () => (await http('GET', `/v1/reviews/${template}`)).status === 200)
  const { rows } = await db.query(
    `select column_name as name from information_schema.columns where table_name = 'review_tasks' order by ordinal_position`,
  )
  const given = {
    task_id: `'rev_fill' || n`,
    run_id: `'run_fill' || n`,
    attempt_id: `'run_fill' || n || '/work/1'`,
    queue: `'q' || (n % 50)`,
    urgency: `(n::bigint * 7919) % 101`,
    rank: `100 - (n::bigint * 7919) % 101`,
    due_at_ms: `due_at_ms + (n::bigint * 104729) % 10000000`,
    next_at_ms: `due_at_ms + (n::bigint * 104729) % 10000000`,
  }
  const names = rows.map(({ name }) => name)
  for (let from = 0; from < count; from += 20_000)
    await db.query(
      `insert into review_tasks (${names.join(', ')}) select ${names.map((name) => given[name] ?? name).join(', ')}
       from review_tasks, generate_series(${from + 1}, ${Math.min(count, from + 20_000)}) as n where task_id = $1`,
      [template],
    )
  await db.query('analyze review_tasks')
}

const timed = async (times, work) => {
  const taken = []
  const before = process.cpuUsage()
  for (let n = 0; n < times; n += 1) {
    const beganAt = performance.now()
    const { status, body } = await work(n)
    taken.push(performance.now() - beganAt)
    if (status !== 200) throw new Error(`status ${status}: ${JSON.stringify(body)}`)
  }
  const { user, system } = process.cpuUsage(before)
  return { taken, cpuMs: (user + system) / 1_000 / times }
}

const LIMIT_MS = 20
const speed = async ({ db, http }, { count, times }) => {
  const cursors = []
  for (const queue of ['q1', 'q2', 'q3']) cursors.push((await http('GET', `/v1/reviews?queue=${queue}&limit=50`)).body.nextCursor)
  const measured = {
    'list, all queues': await timed(times, () => http('GET', '/v1/reviews?limit=50')),
    'list, one queue': await timed(times, (n) => http('GET', `/v1/reviews?queue=q${n % 50}&limit=50`)),
    'list, next page': await timed(times, (n) => http('GET', `/v1/reviews?queue=q${(n % 3) + 1}&limit=50&cursor=${cursors[n % 3]}`)),
    claim: await timed(times, (n) => http('POST', `/v1/reviews/rev_fill${n + 1}:claim`, { by: 'ada' })),
    decide: await timed(times, (n) => http('POST', `/v1/reviews/rev_fill${n + 1}:decide`, { by: 'ada', verdict: 'approve' })),
  }
  const open = Number(
    (await db.query(`select count(*) as n from review_tasks where status in ('pending', 'claimed', 'escalated')`)).rows[0].n,
  )
  return Object.entries(measured).map(([what, { taken, cpuMs }]) => ({
    what: `${what}, ${count} open tasks`,
    must: `p95 <= ${LIMIT_MS} ms`,
    seen: `p50 ${round(quantile(taken, 0.5))}, p95 ${round(quantile(taken, 0.95))}, p99 ${round(quantile(taken, 0.99))} ms; ${round(cpuMs)} CPU-ms of this process (n ${taken.length}, ${open} open after)`,
    ok: quantile(taken, 0.95) <= LIMIT_MS,
  }))
}

const ON_TIME_MS = 1_000
/** Clocks of many tasks, in the middle of all the others. */
const clocks = async ({ db }, due) => {
  const fromMs = Date.now() + 3_000
  await db.query(
    `update review_tasks set due_at_ms = $1::bigint + (x.place * 10), next_at_ms = $1::bigint + (x.place * 10), run_id = 'run_due'
     from (select task_id, row_number() over (order by task_id) as place from review_tasks where status = 'pending' and task_id like 'rev_fill%' order by task_id limit $2) x
     where review_tasks.task_id = x.task_id`,
    [fromMs, due],
  )
  const closed = async () =>
    Number((await db.query(`select count(*) as n from review_tasks where run_id = 'run_due' and status = 'expired'`)).rows[0].n)
  await until('the clocks', async () => (await closed()) === due, { timeoutMs: 60_000 + due * 20, everyMs: 500 })
  const { rows } = await db.query(
    `select (progress::jsonb -> 'closed' ->> 'atMs')::bigint - due_at_ms as late from review_tasks where run_id = 'run_due'`,
  )
  const late = rows.map((row) => Number(row.late))
  return {
    what: `${due} clocks that ring, 100 a second`,
    must: `p99 <= ${ON_TIME_MS} ms late, none early`,
    seen: `p50 ${quantile(late, 0.5)}, p99 ${quantile(late, 0.99)}, most ${Math.max(...late)} ms late, ${late.filter((ms) => ms < 0).length} early`,
    ok: quantile(late, 0.99) <= ON_TIME_MS && late.every((ms) => ms >= 0),
  }
}

const table = (rows) => {
  const columns = ['what', 'must', 'seen']
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => row[column].length)))
  const line = (cells) => cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')
  return [line(columns), ...rows.map((row) => `${line(columns.map((column) => row[column]))} | ${row.ok ? 'PASS' : 'FAIL'}`)].join('\n')
}

const report = (rows) => {
  say(table(rows))
  say(`Load of the machine: ${loadavg().map(round).join(', ')} on ${availableParallelism()} cores.`)
  say('Not measured: the network, the gateway, several processes of hitl, people.')
  return rows.every(({ ok }) => ok) ? 0 : 1
}

export const main = async ({ quick, only }) => {
  const missing = missingServers()
  if (missing !== undefined) {
    say(`SKIP: ${missing}`)
    return process.env.CI === 'true' ? 1 : 0
  }
  const world = await openWorld()
  const rows = []
  try {
    if (only !== 'speed') rows.push(...(await race(world, quick ? 500 : 10_000)))
    if (only === 'race') return report(rows)
    const count = quick ? 10_000 : 100_000
    await fill(world, count)
    rows.push(...(await speed(world, { count, times: quick ? 200 : 1_000 })), await clocks(world, quick ? 300 : 2_000))
  } finally {
    await world.close()
  }
  return report(rows)
}
