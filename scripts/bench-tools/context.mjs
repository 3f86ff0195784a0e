// Context: a session of 200 messages into 8,000 tokens, with the real tokenizer. Cold: texts never counted in this process; known: counts
// that the session store keeps. Messages are made with a stated seed from the policy documents.
// Not measured: reading the session from the database, summaries written by a model (there are none).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export const name = 'context'

const root = join(import.meta.dirname, '..', '..')
const SEED = 20_260_731
const MESSAGES = 200
const TOKENS = 8_000

const random = (seed) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
const quantile = (values, share) =>
  values.toSorted((left, right) => left - right)[Math.min(values.length - 1, Math.floor(values.length * share))]
const ms = (value) => `${value.toFixed(2)} ms`

/** Messages of 20 to 200 words, cut from documents at random places. */
const sessionOf = (seed) => {
  const next = random(seed)
  const words = gunzipSync(readFileSync(join(root, 'data', 'support', 'documents.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .flatMap((line) => JSON.parse(line).content.split(/\s+/))
  return Array.from({ length: MESSAGES }, (_, at) => {
    const from = Math.floor(next() * (words.length - 200))
    return { text: `${at % 2 === 0 ? 'user' : 'assistant'}: ${words.slice(from, from + 20 + Math.floor(next() * 180)).join(' ')}` }
  })
}

export const run = async ({ quick }) => {
  const { assembleContext } = await import(join(root, 'services/models/dist/context/assemble.policy.js'))
  const { tokenCounter } = await import(join(root, 'services/models/dist/context/tokens.adapter.js'))
  const loading = performance.now()
  const count = await tokenCounter('o200k')
  count('warm')
  const loadMs = performance.now() - loading
  const rounds = quick ? 15 : 60
  const rows = []
  for (const cut of ['start', 'middle', 'summary']) {
    const times = { cold: [], known: [] }
    let worst = 0
    let least = TOKENS
    for (let round = 0; round < rounds; round++) {
      const entries = sessionOf(SEED + round + (cut === 'start' ? 0 : cut === 'middle' ? 1_000 : 2_000))
      for (const kind of ['cold', 'known']) {
        const given = kind === 'cold' ? entries : entries.map(({ text }) => ({ text, tokens: count(text) }))
        const started = performance.now()
        const made = assembleContext({ parts: [{ name: 'talk', entries: given, priority: 1, cut }], tokens: TOKENS, count })
        times[kind].push(performance.now() - started)
        const tokens = count(made.parts[0].text)
        worst = Math.max(worst, tokens)
        least = Math.min(least, tokens)
        if (made.leftOut.length !== 1) throw new Error('what was left out is not told')
      }
    }
    const p50 = quantile(times.known, 0.5)
    rows.push({
      what: `${MESSAGES} messages into ${TOKENS} tokens, ${cut}`,
      must: '<= 5 ms p50',
      seen: `${ms(p50)} p50`,
      ok: p50 <= 5,
      note: `p95 ${ms(quantile(times.known, 0.95))}; texts never counted before: ${ms(quantile(times.cold, 0.5))} p50; n=${rounds}, seed ${SEED}`,
    })
    rows.push({
      what: `tokens of the result, ${cut}`,
      must: `<= ${TOKENS}, >= 90 %`,
      seen: `${least} to ${worst}`,
      ok: worst <= TOKENS && least >= TOKENS * 0.9,
      note: `of ${rounds * 2} results, counted again`,
    })
  }
  rows.push({ what: 'loading the tokenizer, once a process', must: '', seen: ms(loadMs), note: 'at the first text near a limit' })
  return rows
}
