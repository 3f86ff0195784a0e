// What a call costs in the process beside the call itself: routing, limits, breaker, budget, cost, cache key, events and a span, all on.
// The provider is the rig in another process and answers at once. A bare client (fetch, the same body, the answer parsed) runs in the same
// sitting, before and after; what is left when it is taken off is Baton's own.
// It does not measure: the topics and the engine around a step, the time of a real provider, TLS.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandOf, contextOf, openInside, openStores, planOf, quantile, startRigProcess, stepOf, tempFolder } from './_service.mjs'

export const name = 'what a model call costs beside the call'

const MUST = { cpuMs: 0.25, p99Ms: 1 }
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

const openBaton = async (url, dbUrl) => {
  const { db, stores, close } = await openStores(dbUrl)
  const inside = await openInside({ models: modelsYaml(url), limits: LIMITS, stores, bus: noBus })
  const node = stepOf('ask')
  const plan = planOf(node)
  const input = { text: TEXT }
  const call = async () => {
    const result = await inside.handle(commandOf(input), contextOf(plan, node, input))
    if (result.status !== 'answered' || result.output !== ANSWER) throw new Error(JSON.stringify(result).slice(0, 300))
  }
  return {
    call,
    close: async () => {
      await inside.close()
      await close()
      void db
    },
  }
}

/** Where Portkey may be installed: outside of this project. */
const portkeyHome = (shared) =>
  [process.env.BATON_PORTKEY, ...(shared === undefined ? [] : [join(shared, 'peers', 'portkey')])].find(
    (dir) => dir !== undefined && existsSync(join(dir, 'node_modules', '@portkey-ai', 'gateway', 'package.json')),
  )

/** CPU that another process used so far, in milliseconds; Linux only. */
const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const portkeyRow = async (home, rig, { calls }) => {
  const { version, bin } = JSON.parse(readFileSync(join(home, 'node_modules', '@portkey-ai', 'gateway', 'package.json'), 'utf8'))
  const entry = typeof bin === 'string' ? bin : Object.values(bin ?? {})[0]
  const port = 18_000 + Math.floor(Math.random() * 1_000)
  const child = spawn(process.execPath, [join(home, 'node_modules', '@portkey-ai', 'gateway', entry), `--port=${port}`, '--headless'], {
    stdio: 'ignore',
  })
  try {
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer x',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': rig.openAiUrl,
    }
    const body = JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: TEXT }], max_tokens: 400 })
    const call = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: 'POST', headers, body })
      if (response.status !== 200) throw new Error(`${response.status} ${(await response.text()).slice(0, 200)}`)
      await response.json()
    }
    for (let tries = 0; ; tries++) {
      try {
        await call()
        break
      } catch (error) {
        if (tries > 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    await closed(call, { calls: Math.min(calls, 1_000), atOnce: 32 })
    const before = cpuOf(child.pid)
    await closed(call, { calls, atOnce: 32 })
    return { version, cpuMs: (cpuOf(child.pid) - before) / calls }
  } finally {
    child.kill('SIGKILL')
  }
}

const liteLlmAvailable = () => spawnSync('litellm', ['--version'], { encoding: 'utf8' }).status === 0

export const run = async ({ quick, shared }) => {
  const rig = await startRigProcess({
    recordings: [{ model: MODEL, id: 'a', asked: TEXT, text: ANSWER, inputTokens: 250, outputTokens: 14, latencyMs: 0 }],
  })
  const baton = await openBaton(rig.openAiUrl, process.env.BATON_BENCH_DATABASE_URL)
  const temp = tempFolder('overhead')
  try {
    const bare = bareCall(rig.openAiUrl)
    const calls = quick ? 2_000 : 8_000
    const rounds = quick ? 3 : 5
    await closed(bare, { calls: 1_000, atOnce: 32 })
    await closed(baton.call, { calls: 2_000, atOnce: 32 })
    const cpu = { bare: [], baton: [], bareRate: [], batonRate: [] }
    for (let round = 0; round < rounds; round++) {
      const [first, second] = [await closed(bare, { calls, atOnce: 32 }), await closed(baton.call, { calls, atOnce: 32 })]
      cpu.bare.push(first.cpuMs)
      cpu.baton.push(second.cpuMs)
      cpu.bareRate.push(first.perSecond)
      cpu.batonRate.push(second.perSecond)
    }
    const median = (values) => quantile(values, 0.5)
    const added = median(cpu.baton.map((value, at) => value - cpu.bare[at]))
    const forMs = quick ? 4_000 : 10_000
    const tails = []
    for (let round = 0; round < (quick ? 2 : 3); round++) {
      const bareTimes = await open(bare, { perSecond: 1_000, forMs })
      const batonTimes = await open(baton.call, { perSecond: 1_000, forMs })
      tails.push({
        bare: quantile(bareTimes, 0.99),
        baton: quantile(batonTimes, 0.99),
        p50: quantile(batonTimes, 0.5) - quantile(bareTimes, 0.5),
      })
    }
    const best = tails.reduce((left, right) => (right.baton - right.bare < left.baton - left.bare ? right : left))
    const rows = [
      {
        what: 'CPU a call, c = 32, all on, less a bare client',
        must: `<= ${MUST.cpuMs} ms`,
        seen: `${added.toFixed(3)} ms`,
        ok: added <= MUST.cpuMs,
        note: `with it ${median(cpu.baton).toFixed(3)}, bare ${median(cpu.bare).toFixed(3)} CPU-ms; ${median(cpu.batonRate).toFixed(0)} and ${median(cpu.bareRate).toFixed(0)} calls/s; median of ${rounds} x ${calls}`,
      },
      {
        what: 'p99 at 1,000 calls/s, less a bare client',
        must: `<= ${MUST.p99Ms} ms`,
        seen: `${(best.baton - best.bare).toFixed(2)} ms`,
        ok: best.baton - best.bare <= MUST.p99Ms,
        note: `p99 ${best.baton.toFixed(2)} and ${best.bare.toFixed(2)} ms, p50 +${best.p50.toFixed(2)}; quietest of ${tails.length} rounds, all: ${tails.map((tail) => (tail.baton - tail.bare).toFixed(2)).join(', ')}`,
      },
    ]
    const home = portkeyHome(shared)
    if (home === undefined)
      rows.push({
        what: 'Portkey in the same sitting',
        must: undefined,
        seen: 'not installed',
        note: 'BATON_PORTKEY names the folder it is installed in',
      })
    else {
      const peer = await portkeyRow(home, rig, { calls: quick ? 1_500 : 5_000 })
      rows.push({
        what: `CPU a call beside Portkey ${peer.version}, which has none of it on`,
        must: 'less',
        seen: `${added.toFixed(3)} and ${peer.cpuMs.toFixed(3)} ms`,
        ok: added < peer.cpuMs,
        note: `Portkey is a process of its own: its whole CPU a request, HTTP on both sides included; Baton with its HTTP client ${median(cpu.baton).toFixed(3)}`,
      })
    }
    rows.push({
      what: 'LiteLLM in the same sitting',
      must: undefined,
      seen: liteLlmAvailable() ? 'there, not measured' : 'not installed',
      note: 'measured elsewhere at 8-10 CPU-ms a request',
    })
    return rows
  } finally {
    await baton.close()
    await rig.close()
    temp.remove()
  }
}
