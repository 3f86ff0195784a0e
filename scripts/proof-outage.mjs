// `npm run proof:outage [-- --quick]`: a provider is down for 30 seconds at 100 requests a second, through the whole of Baton in one process.
// With a second provider in the route every run goes on there; with none the commands are put off and done when it is back. Every run has
// to end with its answer, nobody waits longer than a second for the failover, and what comes back is not stormed.
// The providers are the rig, in processes of their own. It does not measure real providers, nor Kafka and PostgreSQL.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openEmbeddedBus } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { startBaton, until } from '../test/proof/system.mjs'
import { startRigProcess, tempFolder } from './bench-models/_service.mjs'

const QUICK = process.argv.includes('--quick')
const LOAD = QUICK
  ? { perSecond: 40, warmMs: 4_000, downMs: 8_000, afterMs: 6_000 }
  : { perSecond: 100, warmMs: 10_000, downMs: 30_000, afterMs: 20_000 }
const LATENCY_MS = 200
const MUST = { failoverMs: 1_000, stormTimes: 3, probesPerSecond: 3 }
const MODEL = 'm-1'
/** How long it counts as just back. */
const BACK_MS = 5_000
const SAID = 'It is on its way.'
const FLOW = `flow: proof/ask@1.0.0
about: One question to a route.
limits: { time: 10m }
input:
  text: string
steps:
  - answer:
      model: ask
      prompt: '{{ text }}'
      with: { text: =input.text }
      timeout: 10s
output: { answer: =answer }
`
/** Whoever does not begin to answer in time is passed over. */
const FIRST_MS = 700
const server = (name, url) => `  ${name}: { speaks: openai, url: ${url} }`
const model = (name, hangs) =>
  `  ${name}: { provider: openai, server: ${name}, model: ${MODEL}, price: { input: 1, output: 1 }, outputTokensMax: 100${name === 'first' && hangs ? `, limits: { firstToken: ${FIRST_MS}ms }` : ''} }`
const modelsYaml = (rigs, hangs) => {
  const names = ['first', 'second'].slice(0, rigs.length)
  return `servers:\n${names.map((name, at) => server(name, rigs[at].openAiUrl)).join('\n')}\nmodels:\n${names.map((name) => model(name, hangs)).join('\n')}\nroutes:\n  ask: [${names.join(', ')}]\n`
}

/** The rig answers a recording in its time; questions differ, so the mark names it. */
const startTimed = () =>
  startRigProcess({
    recordings: [{ model: MODEL, id: 'a', text: SAID, inputTokens: 10, outputTokens: 6, latencyMs: LATENCY_MS }],
    speed: 1,
  })

const submit = async (url, id) => {
  const body = JSON.stringify({ id, flow: 'proof/ask', input: { text: `[recording a] ${id}` } })
  const response = await fetch(`${url}/v1/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (response.status !== 202) throw new Error(`${id}: ${response.status} ${await response.text()}`)
  await response.arrayBuffer()
}

/** Requests at a fixed rate; `phases` run beside. Returns the ids with when they were sent. */
const send = async (url, phases) => {
  const sent = new Map()
  const failures = []
  const open = new Set()
  const started = performance.now()
  const totalMs = LOAD.warmMs + LOAD.downMs + LOAD.afterMs
  const acts = phases.map(async ({ atMs, act }) => {
    await pause(atMs)
    await act()
  })
  for (let number = 0; ;) {
    const passedMs = performance.now() - started
    if (passedMs >= totalMs) break
    const due = Math.floor((passedMs * LOAD.perSecond) / 1_000)
    for (; number < due; number++) {
      const id = `r-${number}`
      sent.set(id, performance.now() - started)
      const going = submit(url, id)
        .catch((error) => failures.push(error.message))
        .finally(() => open.delete(going))
      open.add(going)
    }
    await pause(2)
  }
  await Promise.all([...acts, ...open])
  return { sent, failures }
}

const readAll = async (bus, topic, onRecord) => {
  const { partitions } = await bus.describe(topic)
  for (const { partition, first, next } of partitions) {
    for (let offset = first; offset < next;) {
      const page = await bus.read({ topic, partition, offset, limit: 1_000 })
      if (page.length === 0) break
      for (const record of page) onRecord(record)
      offset = page.at(-1).offset + 1
    }
  }
}

/** Every result by request, and the time of each failover: from the first call of a dispatch to the start of the one that answered. */
const readTopics = async (dataDir) => {
  const bus = await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest(), nowMs: Date.now })
  const results = new Map()
  const failovers = []
  await readAll(bus, 'baton.results', ({ headers, value }) => results.set(headers.ce_correlationid, JSON.parse(value.toString('utf8'))))
  await readAll(bus, 'baton.journal', ({ headers, value }) => {
    if (headers.ce_type !== 'baton.model.routed.v1') return
    const { calls } = JSON.parse(value.toString('utf8'))
    const answered = calls.find(({ outcome }) => outcome === 'answered')
    if (calls.length > 1 && answered !== undefined)
      failovers.push(answered.startedAtMs - Math.min(...calls.map(({ startedAtMs }) => startedAtMs)))
  })
  await bus.close()
  return { results, failovers }
}

const row = (what, must, seen, ok, note = '') => ({ what, must, seen, ok, note })
const quantile = (values, share) =>
  values.toSorted((left, right) => left - right)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

const play = async (name, { rigs, down }) => {
  const temp = tempFolder('outage')
  const [flows, config, data] = ['flows', 'config', 'data'].map((part) => join(temp.dir, part))
  for (const dir of [join(flows, 'ask'), config]) mkdirSync(dir, { recursive: true })
  writeFileSync(join(flows, 'ask', 'flow.yaml'), FLOW)
  writeFileSync(join(config, 'models.yaml'), modelsYaml(rigs, down.kind === 'hang'))
  const baton = await startBaton(['--data', data, '--port', '0'], {
    env: { BATON_FLOWS_DIR: flows, BATON_CONFIG_DIR: config, BATON_DATA_DIR: data, OPENAI_BASE_URL: '', OPENAI_API_KEY: '' },
  })
  const url = baton.urls.gateway ?? Object.values(baton.urls)[0]
  const seen = {}
  try {
    await until('the first run', async () => (await fetch(`${url}/readyz`)).ok)
    for (const rig of rigs) await rig.reset()
    const { sent, failures } = await send(url, [
      {
        atMs: LOAD.warmMs,
        act: async () => {
          seen.before = await rigs[0].stats()
          await rigs[0].setFaults([{ fault: down }])
          await rigs[0].reset()
        },
      },
      {
        atMs: LOAD.warmMs + LOAD.downMs,
        act: async () => {
          seen.down = await rigs[0].stats()
          await rigs[0].setFaults([])
          await rigs[0].reset()
        },
      },
      {
        atMs: LOAD.warmMs + LOAD.downMs + BACK_MS,
        act: async () => {
          seen.back = await rigs[0].stats()
        },
      },
    ])
    await until(
      'every run to end',
      async () => {
        const { items } = await (await fetch(`${url}/v1/runs?status=running&limit=1`)).json()
        return items.length === 0
      },
      { timeoutMs: 180_000, everyMs: 500 },
    )
    seen.after = await rigs[0].stats()
    const metrics = await (await fetch(`${url}/metrics`)).text()
    await baton.kill('SIGTERM')
    return { name, sent, failures, seen, ...(await readTopics(data)), deferred: sumOf(metrics, 'baton_model_deferred_total') }
  } finally {
    await baton.kill('SIGKILL')
    temp.remove()
  }
}

const sumOf = (metrics, name) =>
  metrics
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)

const judgeCommon = ({ name, sent, failures, results, seen }) => {
  const completed = [...sent.keys()].filter((id) => results.get(id)?.status === 'completed')
  const lost = sent.size - completed.length
  const probes = seen.down.timeline.slice(20).reduce((sum, count) => sum + count, 0) / Math.max(1, LOAD.downMs / 1_000 - 2)
  const usual = LOAD.perSecond / 10
  const second = (timeline) => timeline.map((_, at) => timeline.slice(at, at + 10).reduce((sum, count) => sum + count, 0))
  const busiest = Math.max(0, ...second(seen.after.timeline))
  return [
    row(
      `${name}: requests lost`,
      '0',
      lost + failures.length,
      lost + failures.length === 0,
      `${sent.size} sent, ${completed.length} completed${failures.length === 0 ? '' : `; ${failures[0]}`}`,
    ),
    row(
      `${name}: calls to the provider while it is down, after 2 s`,
      `<= ${MUST.probesPerSecond} a second`,
      probes.toFixed(2),
      probes <= MUST.probesPerSecond,
    ),
    row(
      `${name}: most at once in the first ${BACK_MS / 1_000} s when it is back`,
      `<= ${MUST.stormTimes} times the most before`,
      `${seen.back.inFlightMax} and ${seen.before.inFlightMax}`,
      seen.back.inFlightMax <= MUST.stormTimes * seen.before.inFlightMax,
      `busiest second ${busiest}, usual ${usual * 10}`,
    ),
  ]
}

const judgeFailover = (played) => {
  const { name, sent, results, seen, failovers } = played
  const during = [...sent].filter(([, atMs]) => atMs >= LOAD.warmMs && atMs < LOAD.warmMs + LOAD.downMs)
  const before = [...sent].filter(([, atMs]) => atMs < LOAD.warmMs)
  const times = (list) => list.map(([id]) => results.get(id)?.metrics.latencyMs ?? Number.POSITIVE_INFINITY)
  const longest = Math.max(0, ...failovers)
  const back = seen.after.timeline.length === 0 ? 0 : (seen.after.outcomes.answered ?? 0)
  return [
    ...judgeCommon(played),
    row(
      `${name}: longest time to the call that answered instead`,
      `<= ${MUST.failoverMs} ms`,
      `${longest} ms`,
      failovers.length > 0 && longest <= MUST.failoverMs,
      `${failovers.length} failed over in their dispatch, the others went to the second at once; runs: p50 before ${quantile(times(before), 0.5).toFixed(0)} ms, during ${quantile(times(during), 0.5).toFixed(0)}, longest ${Math.max(...times(during)).toFixed(0)}`,
    ),
    row(`${name}: the provider that came back answers again`, '> 0', back, back > 0),
  ]
}

const print = (rows) => {
  for (const { what, must, seen, ok, note } of rows)
    console.log(`${ok ? 'PASS' : 'FAIL'} | ${what} | must ${must} | seen ${seen}${note === '' ? '' : ` | ${note}`}`)
}

const main = async () => {
  console.log(`${LOAD.perSecond} requests a second, down for ${LOAD.downMs / 1_000} s, answers take ${LATENCY_MS} ms`)
  const rows = []
  const scenarios = [
    { name: 'two providers, one breaks its connections', both: true, down: { kind: 'reset' } },
    { name: 'two providers, one hangs', both: true, down: { kind: 'hang' } },
    { name: 'one provider, answers 503', both: false, down: { kind: 'status', status: 503 } },
  ]
  for (const { name, both, down } of scenarios) {
    const rigs = await Promise.all([startTimed(), ...(both ? [startTimed()] : [])])
    try {
      const played = await play(name, { rigs, down })
      const judged = both ? judgeFailover(played) : judgeCommon(played)
      if (!both) judged.push(row(`${name}: commands were put off, not failed`, '> 0', played.deferred, played.deferred > 0))
      print(judged)
      rows.push(...judged)
    } finally {
      await Promise.all(rigs.map((rig) => rig.close()))
    }
  }
  const failed = rows.filter(({ ok }) => !ok).length
  console.log(failed === 0 ? `${rows.length} checks passed` : `${failed} checks failed`)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
