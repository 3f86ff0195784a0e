// What hedging is worth: recorded latencies of real calls, three in a hundred stalled. The same calls in the same order twice: without a
// second call, and with one after the observed p95. It does not measure a provider that is slow all over: there hedging does nothing by
// design, because at most a share of calls is started again.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { commandOf, contextOf, openInside, openStores, planOf, quantile, startRigProcess, stepOf } from './_service.mjs'

export const name = 'slow calls, started again'

const MUST = { cut: 0.4, extra: 0.05 }
const MODEL = 'claude-3-haiku-20240307'
const FILES = ['simple', 'multiple_function', 'parallel_function']
const SPEED = 4
const STALL = { share: 0.03, ms: 12_000 / SPEED }
const SEED = 11

/** Recorded answers with their times; those that nobody waited for to the end are left out. */
const recordingsIn = (shared) =>
  FILES.flatMap((file) =>
    gunzipSync(readFileSync(join(shared, 'data', 'bfcl', 'results', MODEL, `${file}.jsonl.gz`)))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  )
    .filter(({ latency }) => typeof latency === 'number' && latency < 30)
    .map(({ id, result, input_token_count, output_token_count, latency }) => ({
      model: MODEL,
      id,
      text: typeof result === 'string' ? result : JSON.stringify(result),
      inputTokens: input_token_count,
      outputTokens: output_token_count,
      latencyMs: latency * 1_000,
    }))

const modelsYaml = (url) => `
servers:
  here: { speaks: openai, url: ${url} }
models:
  one: { provider: openai, server: here, model: ${MODEL}, price: { input: 0.25, output: 1.25 }, outputTokensMax: 500 }
`

const noBus = { publish: async (records) => records.map(() => ({ partition: 0, offset: 0 })) }

const play = async (rig, recordings, { hedge, calls, atOnce, progress }) => {
  const { stores, close } = await openStores()
  const inside = await openInside({ models: modelsYaml(rig.openAiUrl), limits: `hedge: ${hedge ? 'slow' : 'asked'}`, stores, bus: noBus })
  await rig.setFaults([{ fault: { kind: 'stall', stallMs: STALL.ms }, share: STALL.share }])
  await rig.reset()
  const node = stepOf('one')
  const plan = planOf(node)
  const times = []
  let cost = 0
  let next = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let at = next++; at < calls; at = next++) {
        const input = { text: `[recording ${recordings[at % recordings.length].id}]` }
        const started = performance.now()
        const result = await inside.handle(commandOf(input), contextOf(plan, node, input))
        if (result.status !== 'answered') throw new Error(JSON.stringify(result).slice(0, 300))
        times.push(performance.now() - started)
        cost += result.meter.costMicroUsd
        progress(`${hedge ? 'with' : 'without'} hedging ${times.length} of ${calls}`)
      }
    }),
  )
  const { requests } = await rig.stats()
  await inside.close()
  await close()
  return { times, extra: requests / calls - 1, cost }
}

/** Interval of a share of p99 by drawing calls anew. */
const intervalOf = (before, after, draws = 400) => {
  const drawn = (values) => values.map(() => values[Math.floor(Math.random() * values.length)])
  const cuts = Array.from({ length: draws }, () => 1 - quantile(drawn(after), 0.99) / quantile(drawn(before), 0.99))
  return [quantile(cuts, 0.025), quantile(cuts, 0.975)]
}

export const run = async ({ quick, shared, progress }) => {
  if (shared === undefined || !existsSync(join(shared, 'data', 'bfcl')))
    return [{ what: 'hedging', seen: 'skipped', note: 'needs the recorded calls in BATON_SHARED' }]
  const recordings = recordingsIn(shared)
  const rig = await startRigProcess({ recordings, speed: SPEED, seed: SEED })
  try {
    const size = { calls: quick ? 1_500 : 4_000, atOnce: quick ? 50 : 60 }
    const without = await play(rig, recordings, { ...size, hedge: false, progress })
    const hedged = await play(rig, recordings, { ...size, hedge: true, progress })
    const [before, after] = [quantile(without.times, 0.99), quantile(hedged.times, 0.99)]
    const cut = 1 - after / before
    const [low, high] = intervalOf(without.times, hedged.times)
    const ms = (value) => `${(value * SPEED).toFixed(0)} ms`
    const of = `${size.calls} calls of ${MODEL} (n = ${recordings.length} recorded), ${STALL.share * 100} % stalled ${(STALL.ms * SPEED) / 1_000} s, ${SPEED} times as fast, seed ${SEED}`
    return [
      {
        what: 'p99 cut by hedging',
        must: `>= ${MUST.cut * 100} %`,
        seen: `${(cut * 100).toFixed(1)} %`,
        ok: cut >= MUST.cut,
        note: `${ms(before)} to ${ms(after)}, 95 % interval ${(low * 100).toFixed(0)}-${(high * 100).toFixed(0)} %; p50 ${ms(quantile(without.times, 0.5))} and ${ms(quantile(hedged.times, 0.5))}; ${of}`,
      },
      {
        what: 'calls more',
        must: `<= ${MUST.extra * 100} %`,
        seen: `${(hedged.extra * 100).toFixed(2)} %`,
        ok: hedged.extra <= MUST.extra,
        note: `cost ${((hedged.cost / without.cost - 1) * 100).toFixed(1)} % more, the calls that were given up included`,
      },
    ]
  } finally {
    await rig.close()
  }
}
