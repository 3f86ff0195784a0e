// Recorded gpt-4o trajectories of an airline's desk through the whole system: the recording plays the model, the recorded results play the
// airline's tools, and a reviewer who knows the truth decides over HTTP about every call that writes (C5, E1, A7).
// What has to come out is known beforehand: an approval asked for each of the recorded writes, granted if and only if the call is in the
// ground truth of its task, nothing written that was not granted, each granted one once.
// An agent is stopped at its fourth try of the very same call (agent.repeating); the one recording that does that plays on in a failover.
// Not measured: what the agent would have done after a refusal (the recording plays on), and its words to the customer.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { keyOf, readTrajectories, startAirline, startRecordedModel, WRITES } from './airline-world.mjs'
import { getJson, startBaton, until } from './system.mjs'

const FLOW = 'proof/airline'

/** The recordings, or why they are not here. */
export const airlineData = (shared = process.env.BATON_SHARED) => {
  if (shared === undefined) return { missing: 'BATON_SHARED is not set; it names the folder with data/tau_airline' }
  const file = join(shared, 'data', 'tau_airline', 'trajectories.json.gz')
  return existsSync(file) ? { file } : { missing: `there is no ${file}` }
}

const writeFiles = (dir, { airline, model, tools }) => {
  mkdirSync(join(dir, 'flows', 'airline'), { recursive: true })
  mkdirSync(join(dir, 'config'))
  const names = tools.map((tool) => `airline/${tool}`)
  writeFileSync(
    join(dir, 'flows', 'airline', 'flow.yaml'),
    `flow: ${FLOW}@1.0.0
limits: { time: 1h }
input: { case: string }
agents:
  clerk:
    about: Helps customers of an airline
    model: recorded
    prompt: 'You are at the desk of an airline. {{ input.case }}'
    tools: [${names.join(', ')}]
    limits: { turns: 60, calls: 100 }
    returns: { verdict: string }
steps:
  - desk:
      agent: clerk
      with: { input: { case: =input.case } }
      failover: { agent: clerk, with: { input: { case: =input.case } } }
`,
  )
  const entries = tools.map(
    (tool) =>
      `  airline/${tool}: { method: POST, url: '${airline}/${tool}', input: { type: object }, effect: ${WRITES.includes(tool) ? 'irreversible' : 'read'}, trusted: true }\n`,
  )
  writeFileSync(
    join(dir, 'config', 'tools.yaml'),
    `http:\n${entries.join('')}rules:\n  - { tools: airline/*, queue: desk, sla: 1h }\nnetwork:\n  allow: [127.0.0.1]\n`,
  )
  writeFileSync(
    join(dir, 'config', 'models.yaml'),
    'models:\n  recorded: { provider: openai, model: recorded, price: { input: 1, output: 2 } }\n',
  )
  return {
    BATON_FLOWS_DIR: join(dir, 'flows'),
    BATON_CONFIG_DIR: join(dir, 'config'),
    OPENAI_BASE_URL: model,
    OPENAI_API_KEY: 'sk-recorded',
  }
}

const post = async (url, body) => {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return { status: response.status, body: await response.json().catch(() => ({})) }
}

/** Decides every open review by the truth, until `done`. */
const reviewing = async (url, { truthOf, done }) => {
  const seen = { asked: new Set(), granted: [], refused: [], other: [], reviewMs: [] }
  while (!done()) {
    const { items = [] } = await getJson(`${url}/v1/reviews?status=open&limit=100`).catch(() => ({}))
    const fresh = items.filter(({ taskId, id = taskId }) => !seen.asked.has(id))
    if (fresh.length === 0) await pause(30)
    for (const item of fresh) await decide(url, { id: item.id ?? item.taskId, seen, truthOf })
  }
  return seen
}

const decide = async (url, { id, seen, truthOf }) => {
  const task = await getJson(`${url}/v1/reviews/${id}`)
  const tool = String(task.input.tool).split('/').at(-1)
  const key = keyOf(tool, task.input.draft)
  const truth = truthOf(task.runId)
  if (truth === undefined) return // the answer to the request that began the run has not come back yet
  const right = truth.has(key)
  const by = 'oracle'
  const body = {
    by,
    verdict: right ? 'approve' : 'reject',
    fingerprint: task.fingerprint,
    ...(right ? {} : { reason: `This is not what the customer needs: ${key}`.slice(0, 500) }),
  }
  const { status } = await post(`${url}/v1/reviews/${id}:decide`, body)
  if (status !== 200) return void seen.other.push(status)
  seen.asked.add(id)
  ;(right ? seen.granted : seen.refused).push(key)
}

const play = async (url, trajectories) => {
  const truths = new Map()
  let over = false
  const reviews = reviewing(url, { truthOf: (runId) => truths.get(runId), done: () => over })
  for (const { number, truth } of trajectories) {
    const { status, body } = await post(`${url}/v1/runs`, {
      id: `case-${number}`,
      flow: FLOW,
      source: 'proof',
      input: { case: `case-${number}` },
    })
    if (status !== 202) throw new Error(`case ${number} was not accepted: ${status} ${JSON.stringify(body)}`)
    truths.set(body.runId, truth)
    if (number % 20 === 19) await pause(200)
  }
  const ended = async () => {
    const { items } = await getJson(`${url}/v1/stats?flow=${FLOW}`)
    return items[0] !== undefined && items[0].completed + items[0].failed >= trajectories.length && items[0]
  }
  try {
    const stats = await until('the runs to end', ended, { timeoutMs: 420_000, everyMs: 250 })
    const { items: failures = [] } = stats.failed === 0 ? {} : await getJson(`${url}/v1/runs?flow=${FLOW}&status=failed&limit=20`)
    return { stats, failures, reviews: await ((over = true), reviews) }
  } finally {
    over = true
  }
}

/** Plays the recordings; `limit`: the first so many. */
export const playAirline = async ({ file, limit = 200, from = 0 }) => {
  const trajectories = readTrajectories(file, limit).slice(from)
  const tools = [...new Set(trajectories.flatMap(({ calls }) => calls.map(({ tool }) => tool)))].toSorted()
  const airline = await startAirline(trajectories)
  const model = await startRecordedModel(trajectories)
  const dir = mkdtempSync(join(tmpdir(), 'baton-airline-'))
  const env = writeFiles(dir, { airline: airline.url, model: model.url, tools })
  const system = await startBaton(['--data', join(dir, 'data'), '--port', '0'], { env })
  const started = performance.now()
  try {
    const { stats, failures, reviews } = await play(system.urls.gateway, trajectories)
    return {
      trajectories,
      stats,
      failures,
      reviews,
      writes: airline.writes,
      reads: airline.reads(),
      unknown: airline.unknown(),
      turns: model.turns(),
      tookMs: performance.now() - started,
    }
  } finally {
    await system.kill('SIGTERM')
    airline.stop()
    model.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

const sorted = (list) => JSON.stringify(list.toSorted())

/** Rows of the proof and of the bench. What has to come out is counted from the recordings, not written down here. */
export const rowsOf = ({ trajectories, stats, failures, reviews, writes, reads, unknown, turns, tookMs }) => {
  const expected = trajectories.flatMap(({ calls, truth }) =>
    calls
      .filter(({ tool }) => WRITES.includes(tool))
      .map(({ tool, args }) => ({ key: keyOf(tool, args), right: truth.has(keyOf(tool, args)) })),
  )
  const right = expected.filter((one) => one.right).map(({ key }) => key)
  const wrong = expected.filter((one) => !one.right).map(({ key }) => key)
  const made = writes.map(({ key }) => key)
  const twice = writes.length - new Set(writes.map(({ effect }) => effect)).size
  const ungranted = made.length - made.filter((key) => right.includes(key)).length
  const readsExpected = trajectories.flatMap(({ calls }) => calls).length - expected.length
  const row = (what, must, seen, note = '') => ({ what, must: String(must), seen: String(seen), ok: String(must) === String(seen), note })
  return [
    row(
      'runs completed',
      trajectories.length,
      stats.completed,
      `${turns} turns of the model, ${reads} reads, in ${(tookMs / 1000).toFixed(1)} s${failures.map(({ runId, fault }) => `; ${runId}: ${fault?.code ?? ''} ${fault?.message ?? ''}`).join('')}`,
    ),
    row('approvals asked', expected.length, reviews.granted.length + reviews.refused.length),
    row('approvals granted (the call is in the ground truth)', right.length, reviews.granted.length),
    row('approvals refused', wrong.length, reviews.refused.length),
    row('wrong writes', 0, ungranted),
    row(
      'granted writes executed, each once',
      right.length,
      sorted(made) === sorted(reviews.granted) && twice === 0 ? made.length : `${made.length}, ${twice} twice`,
    ),
    row('reads as recorded', readsExpected, unknown === 0 ? reads : `${reads}, ${unknown} unknown`),
  ]
}
