// What a call costs in the process beside the call itself: routing, limits of tenant, model and server, breaker, budgets, cost, events and a
// span as the worker makes it, exported in batches to a collector in another process. What of these was really on is printed.
// The provider is the rig in another process and answers at once. A bare client (fetch, the same body, the answer parsed) runs in the same
// sitting, in turns; what is left when it is taken off is Baton's own. Rounds come in pairs, and what is judged is the median of their
// differences: on a machine that others use as well a single round says little.
// It does not measure: the topics and the engine around a step, the time of a real provider, TLS.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { built } from './_data.mjs'
import { liteLlmHome, measureLiteLlm, measurePortkey, portkeyHome } from './_peers.mjs'
import { commandOf, contextOf, openInside, openStores, planOf, quantile, startRigProcess, stepOf, tempFolder } from './_service.mjs'

export const name = 'what a model call costs beside the call'

const { openTelemetry, ATTRIBUTES } = await built('libs/telemetry/dist/index.js')
const { bootstrapInterval } = await built('libs/policy/dist/statistics/index.js')

const MUST = { cpuMs: 0.25, p99Ms: 1, ofLiteLlm: 1 / 20 }
const MODEL = 'm-1'
const TEXT = 'Where is my new card? I ordered it two weeks ago and have not heard anything since. '.repeat(12) // about 1 kB
const ANSWER = 'It was sent on Monday; it should be with you by Friday.'

const modelsYaml = (url) => `
servers:
  here: { speaks: openai, url: ${url}, limits: { requestsPerMinute: 50000000, concurrency: 5000 } }
models:
  first: { provider: openai, server: here, model: ${MODEL}, price: { input: 0.15, output: 0.6 }, outputTokensMax: 400, limits: { requestsPerMinute: 40000000, tokensPerMinute: 2000000000 } }
  second: { provider: openai, server: here, model: ${MODEL}, price: { input: 2.5, output: 10 }, outputTokensMax: 400 }
routes:
  ask: [first, second]
`
const LIMITS = `
limits:
  - { of: tenant, requestsPerMinute: 40000000 }
budgets:
  - { of: tenant, per: day, usd: 100000 }
  - { of: flow, per: month, usd: 1000000 }
`

/** Calls at a fixed number at once; CPU of this process a call, and times. */
const closed = async (call, { calls, atOnce }) => {
  const times = []
  let left = calls
  const before = process.cpuUsage()
  const started = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left -= 1
        const at = performance.now()
        await call()
        times.push(performance.now() - at)
      }
    }),
  )
  const { user, system } = process.cpuUsage(before)
  return { cpuMs: (user + system) / 1_000 / calls, perSecond: calls / ((performance.now() - started) / 1_000), times }
}

/** Calls at a fixed rate, whatever they take; a call counts from when it was due. */
const open = async (call, { perSecond, forMs }) => {
  const times = []
  const started = performance.now()
  const running = []
  const total = Math.floor((perSecond * forMs) / 1_000)
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) * perSecond) / 1_000))
    for (; sent < due; sent++) {
      const at = performance.now()
      running.push(call().then(() => times.push(performance.now() - at)))
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(running)
  return times
}

const bareCall = (url) => {
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: TEXT }], max_tokens: 400 })
  return async () => {
    const response = await fetch(`${url}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const answer = await response.json()
    if (answer.choices[0].message.content !== ANSWER) throw new Error('another answer')
  }
}

/** What publishes into nothing: the topics are not measured here. */
const noBus = { publish: async (records) => records.map(() => ({ partition: 0, offset: 0 })) }

/** A collector of spans in another process. */
const startCollector = async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '_collector.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { url } = JSON.parse(await new Promise((resolve) => child.stdout.once('data', (line) => resolve(String(line)))))
  return { url, spans: async () => (await (await fetch(url)).json()).spans, close: () => child.kill('SIGKILL') }
}

const openBaton = async (url, { dbUrl, collectorUrl }) => {
  const { db, stores, close } = await openStores(dbUrl)
  let told = 0
  const bus = {
    publish: (records) => {
      told += records.length
      return noBus.publish(records)
    },
  }
  const telemetry = openTelemetry({ service: 'models', level: 'error', otlpEndpoint: collectorUrl })
  const inside = await openInside({ models: modelsYaml(url), limits: LIMITS, stores, bus })
  const node = stepOf('ask')
  const plan = planOf(node)
  const input = { text: TEXT }
  let calls = 0
  const call = async () => {
    calls += 1
    const command = commandOf(input)
    const { runId, tenant, flow, path, attemptId } = command
    const attributes = {
      [ATTRIBUTES.runId]: runId,
      [ATTRIBUTES.tenant]: tenant,
      [ATTRIBUTES.flow]: flow,
      [ATTRIBUTES.stepPath]: path,
      [ATTRIBUTES.attemptId]: attemptId,
    }
    const traceparent = `00-${calls.toString(16).padStart(32, '0')}-${'cd'.repeat(8)}-01`
    const result = await telemetry.span({ name: 'model.invoke', attributes, traceparent }, () =>
      inside.handle(command, contextOf(plan, node, input)),
    )
    if (result.status !== 'answered' || result.output !== ANSWER) throw new Error(JSON.stringify(result).slice(0, 300))
  }
  return {
    call,
    /** What of all that is said to be on has left a trace. */
    on: async () => {
      const budgets = await inside.budgets.list()
      return {
        calls,
        events: told,
        spentMicroUsd: Math.max(0, ...budgets.map(({ spent }) => spent)),
        budgets: budgets.length,
        breakers: inside.conditions.list().length,
        limits: inside.limits.limits.length,
      }
    },
    /** Exports what spans are left. */
    settle: () => telemetry.close(),
    close: async () => {
      await inside.close()
      await close()
      void db
    },
  }
}

const median = (values) => quantile(values, 0.5)
/** Median of paired differences, with its interval. */
const medianOf = (differences) =>
  bootstrapInterval(differences.length, (drawn) => median([...drawn].map((at) => differences[at])), { resamples: 1_000 })

/** In turns, the one and the other first. */
const inTurns = async (rounds, one, other) => {
  const pairs = []
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) pairs.push([await one(), await other()])
    else {
      const second = await other()
      pairs.push([await one(), second])
    }
  }
  return pairs
}

const cpuRow = (pairs, calls) => {
  const added = medianOf(pairs.map(([bare, baton]) => baton.cpuMs - bare.cpuMs))
  const of = (which, read) => median(pairs.map((pair) => read(pair[which])))
  const both = (read, digits) => `${of(1, read).toFixed(digits)} and ${of(0, read).toFixed(digits)}`
  const note = `with it and bare ${both(({ cpuMs }) => cpuMs, 3)} CPU-ms, ${both(({ perSecond }) => perSecond, 0)} calls/s; median of ${pairs.length} pairs of ${calls}, 95 % interval ${added.low.toFixed(3)} to ${added.high.toFixed(3)}`
  return { added, withIt: of(1, ({ cpuMs }) => cpuMs), note }
}

/** Above this a bare client has no p99 at the rate: the machine is busy with other things, and a difference would say nothing of Baton. */
const BUSY_MS = 50
const PAIRS_MIN = 3

const tailRow = (all, forMs) => {
  const pairs = all.filter(([bare]) => quantile(bare, 0.99) < BUSY_MS)
  const what = 'p99 at 1,000 calls/s, less a bare client'
  if (pairs.length < PAIRS_MIN)
    return {
      what,
      must: `<= ${MUST.p99Ms} ms`,
      seen: 'not measured',
      note: `in ${all.length - pairs.length} of ${all.length} pairs the bare client alone had a p99 above ${BUSY_MS} ms: the machine is busy`,
    }
  const added = medianOf(pairs.map(([bare, baton]) => quantile(baton, 0.99) - quantile(bare, 0.99)))
  const half = medianOf(pairs.map(([bare, baton]) => median(baton) - median(bare)))
  const p99 = (which) => median(pairs.map((pair) => quantile(pair[which], 0.99))).toFixed(2)
  return {
    what,
    must: `<= ${MUST.p99Ms} ms`,
    seen: `${added.value.toFixed(2)} ms [${added.low.toFixed(2)}, ${added.high.toFixed(2)}]`,
    ok: added.value <= MUST.p99Ms,
    note: `median of the differences of ${pairs.length} pairs of ${forMs / 1_000} s${pairs.length < all.length ? `, ${all.length - pairs.length} more left out where the bare client alone was above ${BUSY_MS} ms` : ''}; p99 with it and bare ${p99(1)} and ${p99(0)} ms; p50 +${half.value.toFixed(2)} ms`,
  }
}

/** A row of a peer; that it could not be measured is a failure, not the end of the others. */
const rowOfPeer = async (what, measure, rowFor) => {
  try {
    return rowFor(await measure())
  } catch (error) {
    return { what, seen: 'could not be measured', ok: false, note: String(error) }
  }
}

const peerRows = async ({ rig, shared, dir, quick, added, withIt }) => {
  const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: TEXT }], max_tokens: 400 })
  const given = { rig, body, text: ANSWER, closed, model: MODEL, dir }
  const whole = (perSecond) =>
    `a process of its own: its whole CPU a request, HTTP on both sides included, ${perSecond.toFixed(0)} requests/s; Baton with its HTTP client ${withIt.toFixed(3)}`
  const [portkey, liteLlm] = [portkeyHome(shared), liteLlmHome()]
  const absent = (what, variable) => ({ what, seen: 'not installed', note: `${variable} names the folder it is installed in` })
  const [ofPortkey, ofLiteLlm] = ['Portkey in the same sitting', 'LiteLLM in the same sitting']
  const first =
    portkey === undefined
      ? absent(ofPortkey, 'BATON_PORTKEY')
      : await rowOfPeer(
          ofPortkey,
          () => measurePortkey(portkey, { ...given, calls: quick ? 1_500 : 5_000 }),
          ({ version, cpuMs, perSecond }) => ({
            what: `CPU a call beside Portkey ${version}, which has none of it on`,
            must: 'less',
            seen: `${added.toFixed(3)} and ${cpuMs.toFixed(3)} ms`,
            ok: added < cpuMs,
            note: whole(perSecond),
          }),
        )
  const second =
    liteLlm === undefined
      ? absent(ofLiteLlm, 'BATON_LITELLM')
      : await rowOfPeer(
          ofLiteLlm,
          () => measureLiteLlm(liteLlm, { ...given, calls: quick ? 500 : 2_000 }),
          ({ version, cpuMs, perSecond }) => ({
            what: `CPU a call beside LiteLLM ${version}, proxy without a database`,
            must: `<= 1/${1 / MUST.ofLiteLlm}`,
            seen: `${added.toFixed(3)} and ${cpuMs.toFixed(3)} ms, 1/${(cpuMs / added).toFixed(0)}`,
            ok: added <= cpuMs * MUST.ofLiteLlm,
            note: whole(perSecond),
          }),
        )
  return [first, second]
}

const onRow = async (baton, collector) => {
  const { calls, events, spentMicroUsd, budgets, breakers, limits } = await baton.on()
  await baton.settle()
  const spans = await collector.spans()
  const seen = {
    events: events >= calls,
    cost: spentMicroUsd > 0,
    budgets: budgets >= 2,
    breakers: breakers >= 2,
    limits: limits >= 1,
    spans: spans >= calls / 2,
  }
  const off = Object.keys(seen).filter((what) => !seen[what])
  return {
    what: 'what was on left its traces',
    must: 'routing, limits, breaker, budget, cost, span',
    seen: off.length === 0 ? 'all' : `not: ${off.join(', ')}`,
    ok: off.length === 0,
    note: `${calls} calls: ${events} events of routing told, ${limits} limits of tenants beside those of models, ${breakers} breakers, ${budgets} budgets, $${(spentMicroUsd / 1e6).toFixed(2)} spent of the first; ${spans} spans exported (a full queue drops some in closed rounds)`,
  }
}

export const run = async ({ quick, shared }) => {
  const rig = await startRigProcess({
    recordings: [{ model: MODEL, id: 'a', asked: TEXT, text: ANSWER, inputTokens: 250, outputTokens: 14, latencyMs: 0 }],
  })
  const collector = await startCollector()
  const baton = await openBaton(rig.openAiUrl, { dbUrl: process.env.BATON_BENCH_DATABASE_URL, collectorUrl: collector.url })
  const temp = tempFolder('overhead')
  try {
    const bare = bareCall(rig.openAiUrl)
    const calls = quick ? 1_000 : 3_000
    await closed(bare, { calls: 1_000, atOnce: 32 })
    await closed(baton.call, { calls: 2_000, atOnce: 32 })
    const cpu = await inTurns(
      quick ? 5 : 13,
      () => closed(bare, { calls, atOnce: 32 }),
      () => closed(baton.call, { calls, atOnce: 32 }),
    )
    const { added, withIt, note } = cpuRow(cpu, calls)
    const forMs = 2_000
    const tails = await inTurns(
      quick ? 3 : 15,
      () => open(bare, { perSecond: 1_000, forMs }),
      () => open(baton.call, { perSecond: 1_000, forMs }),
    )
    return [
      {
        what: 'CPU a call, c = 32, all on, less a bare client',
        must: `<= ${MUST.cpuMs} ms`,
        seen: `${added.value.toFixed(3)} ms`,
        ok: added.value <= MUST.cpuMs,
        note,
      },
      tailRow(tails, forMs),
      await onRow(baton, collector),
      ...(await peerRows({ rig, shared, dir: temp.dir, quick, added: added.value, withIt })),
    ]
  } finally {
    await baton.close()
    collector.close()
    await rig.close()
    temp.remove()
  }
}
