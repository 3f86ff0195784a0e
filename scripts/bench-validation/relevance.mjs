// Whether an answer is about its question, and whether it says only what its sources say. Questions and answers of real models
// (data/recordings), policy documents (data/support); the changes made to sentences are ours, and so say nothing about how models err.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { seededRandom, shuffled } from '../../libs/policy/src/seeded-random.policy.ts'
import { answerScore } from '../../services/validation/src/checks/answers.check.ts'
import { grounded } from '../../services/validation/src/checks/grounded.check.ts'
import { sentencesOf } from '../../services/validation/src/checks/sentences.policy.ts'
import { areaUnder, percent } from './_figures.mjs'

export const title = 'Relevance of answers to questions, and of sentences to sources'
export const not = 'wrong answers in the right words, and claims twisted without a new word, number or denial: neither check can see them.'

const SEED = 20_261_121
const ROOT = join(import.meta.dirname, '..', '..')
const linesOf = (...path) =>
  gunzipSync(readFileSync(join(ROOT, ...path)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const answersPart = (say) => {
  const rows = shuffled(linesOf('data', 'recordings', 'gsm8k.jsonl.gz'), seededRandom(SEED))
  const scored = rows.map((row, at) => {
    const other = rows.slice(at + 1).find(({ id }) => id !== row.id) ?? rows.find(({ id }) => id !== row.id)
    return { own: answerScore(row.asked, row.text), foreign: answerScore(row.asked, other.text) }
  })
  const held = scored.slice(scored.length / 2)
  const min = 0.22 // the default of the check, chosen on the first half
  const kept = held.filter(({ own }) => own >= min).length / held.length
  const caught = held.filter(({ foreign }) => foreign < min).length / held.length
  const tuned = scored.slice(0, scored.length / 2)
  say('| least score | own answers kept (first half) | foreign answers caught (first half) |\n| --- | --- | --- |')
  for (const least of [0.14, 0.18, 0.22, 0.26, 0.3])
    say(
      `| ${least} | ${percent(tuned.filter(({ own }) => own >= least).length / tuned.length)} | ${percent(tuned.filter(({ foreign }) => foreign < least).length / tuned.length)} |`,
    )
  return [
    {
      what: `answers: own answer told from another's, n ${held.length}, seed ${SEED}`,
      must: 'area ≥ 0.95',
      seen: areaUnder(
        held.map(({ own }) => own),
        held.map(({ foreign }) => foreign),
      ).toFixed(3),
      ok:
        areaUnder(
          held.map(({ own }) => own),
          held.map(({ foreign }) => foreign),
        ) >= 0.95,
    },
    { what: 'answers: own answers that pass at the default', must: '≥ 95 %', seen: percent(kept), ok: kept >= 0.95 },
    { what: 'answers: answers to other questions caught at the default', must: '≥ 90 %', seen: percent(caught), ok: caught >= 0.9 },
  ]
}

const CHANGES = {
  'a number changed': (text) => (/\d/.test(text) ? text.replace(/\d+/, (number) => String(Number(number) + 7)) : undefined),
  'a denial put in': (text) =>
    / (?:is|are|can|may|must|will) /.test(text) && !/\b(?:not|no|never)\b|n't/i.test(text)
      ? text.replace(/ (is|are|can|may|must|will) /, ' $1 not ')
      : undefined,
}
const shortened = (text, random) => {
  const words = text.split(' ')
  return words.filter((_word, at) => at === 0 || random() > 0.2).join(' ')
}

const groundedPart = () => {
  const random = seededRandom(SEED)
  const documents = shuffled(linesOf('data', 'support', 'documents.jsonl.gz'), random).slice(0, 200)
  const counts = new Map()
  const look = (kind, text, sources, isGrounded) => {
    const { pass } = grounded.evaluate({ text, sources }, {}, AbortSignal.timeout(60_000))
    const count = counts.get(kind) ?? { n: 0, right: 0 }
    counts.set(kind, { n: count.n + 1, right: count.right + (pass === isGrounded ? 1 : 0) })
  }
  documents.forEach(({ content }, at) => {
    const other = documents[(at + 1) % documents.length].content
    const candidates = sentencesOf(content).filter(({ text }) => text.split(' ').length >= 8)
    for (const { text } of shuffled(candidates, random).slice(0, 2)) {
      look('said as in the source, a fifth of the words left out', shortened(text, random), [content], true)
      look('said of another document', text, [other], false)
      for (const [kind, change] of Object.entries(CHANGES)) {
        const changed = change(text)
        if (changed !== undefined) look(kind, changed, [content], false)
      }
    }
  })
  return [...counts].map(([kind, { n, right }]) => {
    const must = kind.startsWith('said as') ? 0.9 : 0.85
    return { what: `grounded: ${kind}, n ${n}`, must: `≥ ${percent(must)} right`, seen: percent(right / n), ok: right / n >= must }
  })
}

export const run = ({ say }) => [...answersPart(say), ...groundedPart()]
