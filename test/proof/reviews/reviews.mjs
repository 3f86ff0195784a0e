// People and machines on Kafka and PostgreSQL, a process a service: races, restarts, quorum, escalation, links, notices, and kill -9 of
// hitl, routing and gateway while hundreds of tasks are decided by two people at once.
// It does not prove anything about brokers or disks that fail, nor about several processes of hitl.
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { openPostgres } from '@baton/store'
import { createChecks } from '../checks.mjs'
import { missingServers, startBaton, startServers, until } from '../system.mjs'
import { HOOK_SECRET, makeWorld, openApi } from './world.mjs'

const SERVICES = ['tracing', 'hitl', 'routing', 'gateway']
/** How often each of them dies. */
const ROUNDS = 3
const VICTIMS = ['hitl', 'routing', 'gateway']
const say = (line) => process.stdout.write(`${line}\n`)

/** The address outside: refuses every third request, no notice more than once. */
const openOutside = async () => {
  const taken = []
  const refusals = new Set()
  let seen = 0
  const server = createServer((request, reply) => {
    void text(request).then((body) => {
      seen += 1
      const id = request.headers['webhook-id']
      const refused = seen % 3 === 1 && !refusals.has(id)
      if (refused) refusals.add(id)
      if (!refused) taken.push({ body, headers: request.headers })
      reply.writeHead(refused ? 503 : 204).end()
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}`, taken, close: () => server.close() }
}

const openProcesses = async (env) => {
  const processes = {}
  const ports = {}
  const start = async (name) => {
    const urls = Object.fromEntries(
      Object.entries(ports).map(([other, port]) => [`BATON_${other.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]),
    )
    processes[name] = await startBaton(['--only', name, '--port', String(ports[name] ?? 0)], { env: { ...env, ...urls } })
    ports[name] = new URL(processes[name].urls[name]).port
  }
  for (const name of SERVICES) await start(name)
  return {
    url: () => `http://127.0.0.1:${ports.gateway}`,
    kill: async (name) => {
      await processes[name].kill('SIGKILL')
      await start(name)
    },
    stop: () => Object.values(processes).forEach(({ child }) => child.kill('SIGKILL')),
  }
}

/** Asks again while what answers is dead; what is refused is an answer. */
const stubborn = (what, ask) =>
  until(
    what,
    async () => {
      const answer = await ask()
      return answer.status < 500 ? answer : undefined
    },
    { timeoutMs: 180_000, everyMs: 100 },
  )

const readAll = async (bus, topic) => {
  const { partitions } = await bus.describe(topic)
  const records = []
  for (const { partition, first, next } of partitions)
    for (let offset = first; offset < next;) {
      const page = await bus.read({ topic, partition, offset, limit: 1_000 })
      if (page.length === 0) break
      records.push(...page)
      offset = page.at(-1).offset + 1
    }
  return records
}

const endOf = (api, runId) =>
  until(
    `${runId} to end`,
    async () => {
      const { body } = await api.http('GET', `/v1/runs/${runId}`)
      return ['completed', 'failed', 'cancelled'].includes(body.status) ? body : undefined
    },
    { timeoutMs: 60_000, everyMs: 100 },
  )

const taskOf = (api, queue, runId) =>
  until(
    `the task of ${runId}`,
    async () => (await api.tasks(`queue=${queue}&status=all&run=${runId}`)).find((task) => task.runId === runId),
    { everyMs: 100 },
  )

const begin = async (api, flow, id) => {
  const { body } = await stubborn(`run ${id}`, () => api.start(flow, id, { n: 1, text: `text of ${id}` }))
  return { runId: body.runId, task: await taskOf(api, flow, body.runId) }
}

/** What one person after the other, and nobody, does. */
const singles = async ({ api, processes, check }) => {
  const crowd = await begin(api, 'crowd', 'crowd-1')
  const votes = await Promise.all(['ada', 'bob', 'cyd'].map((by) => api.act(crowd.task.taskId, 'decide', { by, verdict: 'approve' })))
  const { body: after } = await api.http('GET', `/v1/reviews/${crowd.task.taskId}`)
  check(
    'quorum: of three at once two count, and the third learns that it is decided',
    votes.filter(({ status }) => status === 200).length === 2 && after.votes.length === 2,
    votes.map(({ status }) => status).join(' '),
  )
  check('quorum: the run goes on', (await endOf(api, crowd.runId)).status === 'completed')
  const signatures = (await api.http('GET', '/v1/reviews/learned/signatures')).body
  check(
    'what cannot be taken back is signed, and the chain is whole',
    signatures.signatures >= 1 && signatures.brokenAt === null,
    JSON.stringify(signatures),
  )

  const climb = await begin(api, 'climb', 'climb-1')
  await processes.kill('hitl')
  const climbed = await until('the next rung', async () => {
    const task = await api.show(climb.task.taskId)
    return task.queue === 'leads' ? task : undefined
  })
  check('escalation: over a kill -9 of hitl it climbs to the next queue', climbed.rung === 1, `${climbed.status}, ${climbed.priority}`)
  const expired = await endOf(api, climb.runId)
  check(
    'escalation: at its end what can be taken back is rejected, silence is no consent',
    expired.status === 'failed' && JSON.stringify(expired).includes('review.expired'),
    expired.status,
  )

  const advice = await begin(api, 'advice', 'advice-1')
  check('what is advisory goes on', (await endOf(api, advice.runId)).status === 'completed')
  check('… flagged as unreviewed', (await api.show(advice.task.taskId)).decision?.unreviewed === true)

  const held = await begin(api, 'held', 'held-1')
  await api.act(held.task.taskId, 'decide', { by: 'ada', verdict: 'approve' })
  await api.act(held.task.taskId, 'undo', { by: 'ada' })
  await api.act(held.task.taskId, 'decide', { by: 'ada', verdict: 'edit', output: { text: 'second thought', n: 2 } })
  await processes.kill('hitl')
  check(
    'grace: a decision taken back is never heard of; the second one survives a kill -9 and is applied',
    JSON.stringify(await endOf(api, held.runId)).includes('second thought'),
  )

  const linked = await begin(api, 'desk', 'link-1')
  const { body: link } = await api.http('POST', `/v1/reviews/${linked.task.taskId}/links`, { person: 'eve' })
  const looks = await Promise.all([1, 2, 3].map(() => api.http('GET', link.path)))
  check(
    'links: looking decides nothing',
    looks.every(({ status }) => status === 200) && (await api.show(linked.task.taskId)).decision === null,
  )
  const uses = await Promise.all(['approve', 'reject', 'approve'].map((verdict) => api.http('POST', link.path, { verdict })))
  check(
    'links: of three uses at once one counts',
    uses.filter(({ status }) => status === 200).length === 1,
    uses.map(({ status }) => status).join(' '),
  )
  const refused = await begin(api, 'crowd', 'crowd-2')
  check(
    'links: what cannot be taken back has none',
    (await api.http('POST', `/v1/reviews/${refused.task.taskId}/links`, { person: 'eve' })).status === 403,
  )

  const claimed = await begin(api, 'desk', 'claim-1')
  await api.act(claimed.task.taskId, 'claim', { by: 'ada' })
  await processes.kill('hitl')
  const other = await stubborn('an answer', () => api.act(claimed.task.taskId, 'claim', { by: 'bob' }))
  check('restart: a claim holds others off over a kill -9', other.status === 409 && other.body.by === 'ada', `${other.status}`)
  await api.act(claimed.task.taskId, 'decide', { by: 'ada', verdict: 'approve' })
}

/** Everybody decides while everything dies. */
const storm = async ({ api, processes, check }, count) => {
  const runs = []
  const ids = Array.from({ length: count }, (_, n) => `storm-${n}`)
  const lanes = (width, items, work) => {
    const rest = [...items]
    const lane = async () => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
    }
    return Promise.all(Array.from({ length: width }, lane))
  }
  await lanes(8, ids, async (id) => {
    const { body } = await stubborn(`run ${id}`, () => api.start('desk', id, { n: Number(id.slice(6)), text: id }))
    runs.push({ id, runId: body.runId })
  })
  const open = async () => (await api.http('GET', '/v1/reviews?queue=desk&limit=200')).body.items
  // Spread over the work: each process dies in each third of it, however fast the machine is.
  let done = 0
  const kills = []
  const deaths = ROUNDS * VICTIMS.length
  const killer = (async () => {
    for (let n = 0; n < deaths; n += 1) {
      while (done < (n * count) / (deaths + 1)) await pause(20)
      const victim = VICTIMS[n % VICTIMS.length]
      await processes.kill(victim)
      kills.push(victim)
    }
  })()
  const acknowledged = new Map()
  let answers = 0
  let unclear = 0
  await lanes(12, runs, async ({ runId }) => {
    const task = await until(`the task of ${runId}`, async () => (await api.tasks(`queue=desk&status=all&run=${runId}`))[0], {
      timeoutMs: 180_000,
      everyMs: 100,
    })
    const both = await Promise.all(
      ['ada', 'bob'].map(async (by) => {
        const output = { text: `${by} decided ${runId}`, n: 1 }
        // A repeat of one's own decision, whose answer was lost with a process, is told that it counts already.
        const { status, body } = await stubborn(`${by} on ${runId}`, () => api.act(task.taskId, 'decide', { by, verdict: 'edit', output }))
        answers += 1
        if (status === 200 || (status === 409 && body.by === by)) acknowledged.set(runId, [...(acknowledged.get(runId) ?? []), by])
        return status === 200 || (status === 409 && body.code === 'review.closed')
      }),
    )
    if (both.includes(false)) unclear += 1
    done += 1
  })
  await killer
  say(
    `     ${count} tasks, ${answers} answers, ${kills.length} processes killed: ${VICTIMS.map((name) => `${name} ${kills.filter((one) => one === name).length}`).join(', ')}`,
  )
  await until('nothing open', async () => (await open()).filter(({ runId }) => runs.some((run) => run.runId === runId)).length === 0, {
    timeoutMs: 60_000,
  })
  check(
    `${count} tasks: each was decided by exactly one of two people, and both know whose decision counts`,
    unclear === 0 && runs.every(({ runId }) => acknowledged.get(runId)?.length === 1),
    `${unclear} unclear`,
  )
  return { runs, acknowledged }
}

const judge = async ({ check, bus, api }, { runs, acknowledged }) => {
  const lost = []
  for (const { runId } of runs) await endOf(api, runId).catch(() => lost.push(runId))
  const [results, journal] = await Promise.all(['baton.results', 'baton.journal'].map((topic) => readAll(bus, topic)))
  const outcomes = new Map(runs.map(({ runId }) => [runId, new Set()]))
  const steps = new Map(runs.map(({ runId }) => [runId, new Set()]))
  for (const { key, headers, value } of results)
    outcomes.get(key)?.add(`${headers.ce_type} ${JSON.parse(value.toString()).output?.text ?? ''}`)
  for (const { key, headers } of journal) if (headers.ce_type === 'baton.journal.step.completed.v1') steps.get(key)?.add(headers.ce_id)
  const wrong = runs.filter(({ runId }) => {
    const [by] = acknowledged.get(runId) ?? []
    const said = [...outcomes.get(runId)]
    return said.length !== 1 || said[0] !== `baton.run.completed.v1 ${by} decided ${runId}`
  })
  check(
    'decisions lost: 0',
    lost.length === 0 && wrong.length === 0,
    `${lost.length} runs did not end, ${wrong.length} with another outcome than was decided`,
  )
  const twice = runs.filter(({ runId }) => steps.get(runId).size !== 1)
  check('decisions applied twice: 0', twice.length === 0, `${twice.length} with more or less than one completed step`)
}

const judgeNotices = async ({ check, outside, db, runs }) => {
  const decided = () =>
    new Set(
      outside.taken
        .map(({ body }) => JSON.parse(body))
        .filter(({ type }) => type === 'review.decided')
        .map(({ data }) => data.runId),
    )
  // A notice that a killed process had in hand is taken up again after half a minute; one that was refused, after a longer pause each time.
  const waiting = async () => (await db.query(`select 1 from review_notices where status = 'waiting' limit 1`)).rows.length
  await until('the notices', async () => (await waiting()) === 0, { timeoutMs: 240_000, everyMs: 500 }).catch(() => undefined)
  const absent = runs.filter(({ runId }) => !decided().has(runId))
  for (const { runId } of absent.slice(0, 5)) {
    const { rows } = await db.query('select status, tries, problem, event_id, next_at_ms from review_notices where body like $1', [
      `%${runId}%`,
    ])
    say(`     no notice of ${runId}: ${JSON.stringify(rows)}`)
  }
  const missing = absent.length
  const bad = outside.taken.filter(({ body, headers }) => {
    const expected = createHmac('sha256', HOOK_SECRET)
      .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
      .digest('base64')
    return headers['webhook-signature'] !== `v1,${expected}`
  }).length
  const repeats = outside.taken.length - new Set(outside.taken.map(({ headers }) => headers['webhook-id'])).size
  check(
    'notices: every decision reached the address outside, though it refused every third',
    missing === 0,
    `${missing} missing, ${repeats} repeats with the same id`,
  )
  check('notices: every signature is right', bad === 0, `${outside.taken.length} notices`)
}

export const main = async ({ quick }) => {
  const missing = missingServers()
  if (missing !== undefined) {
    say(`SKIP: ${missing}`)
    return process.env.CI === 'true' ? 1 : 0
  }
  const { check, end } = createChecks()
  const outside = await openOutside()
  const world = makeWorld({ hookUrl: outside.url })
  const servers = await startServers()
  const env = { ...world.env, KAFKA_BROKERS: servers.kafka.brokers.join(','), DATABASE_URL: servers.postgres.url }
  let processes
  let bus
  try {
    processes = await openProcesses(env)
    const api = openApi(processes.url)
    await singles({ api, processes, check })
    const stormed = await storm({ api, processes, check }, quick ? 60 : 500)
    bus = await openKafkaBus({
      brokers: servers.kafka.brokers,
      clientId: 'proof',
      topicPrefix: '',
      topics: topicManifest({}),
      ensureTopics: true,
    })
    await judge({ check, bus, api }, stormed)
    const db = openPostgres({ url: servers.postgres.url })
    await judgeNotices({ check, outside, db, runs: stormed.runs })
    await db.close()
  } finally {
    await bus?.close()
    processes?.stop()
    outside.close()
    await servers.stop()
    world.remove()
  }
  return end()
}
