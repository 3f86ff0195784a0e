// Checks on content as steps of a flow, in the real system: novelty, relevance of an answer, groundedness, business rules, confidence that is
// none, and a judge model asked in both orders. The answers are what real models answered to GSM8K, and who was right; the judge is made up.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { agreementBetween } from '../../libs/policy/src/confidence/index.ts'
import { seededRandom, shuffled } from '../../libs/policy/src/seeded-random.policy.ts'
import { percent } from '../bench-validation/_figures.mjs'

export const title = 'Content: novelty, relevance, groundedness, rules, judges'
export const not =
  'real judge models: this one is made up (right 70 %, wrong 10 %, else what stands first), to show what asking in both orders is good for.'

const SEED = 20_261_121

const checksFlow = `flow: proof/content@1.0.0
limits: { time: 1m, total: 1d, steps: 30 }
input: { question: string, answer: string, sources: 'string[]', total: number, net: number, tax: number }
steps:
  - new: { check: { novelty: { model: support/models/novelty.bin.gz } }, with: =input.question }
  - about: { check: answers, with: { question: =input.question, text: =input.answer } }
  - held: { check: grounded, with: { text: =input.answer, sources: =input.sources } }
  - business:
      check: { rules: { hold: { adds_up: 'it.total - it.net - it.tax < 0.005 && it.net + it.tax - it.total < 0.005' } } }
      with: { total: =input.total, net: =input.net, tax: =input.tax }
output: { new: '=!new.pass', about: =about.pass, held: =held.pass, business: =business.pass }
`

const sureFlow = `flow: proof/sure@1.0.0
limits: { time: 1m, steps: 10 }
input: { self: number }
steps:
  - sure:
      check: { confidence: { min: 0.5 } }
      with: { self: =input.self }
      onError: { set: =fault.code, then: next }
output: { sure: =sure }
`

const judgeFlow = `flow: proof/judge@1.0.0
about: A judge model is asked in both orders; one answer wins only when it wins in both, else a person decides.
limits: { time: 1m, total: 1d, steps: 30 }
input: { question: string, a: string, b: string }
steps:
  - asked:
      parallel:
        straight: { model: pair-judge, prompt: '{{ question }} FIRST: {{ one }} SECOND: {{ two }}', with: { question: =input.question, one: =input.a, two: =input.b }, returns: { better: first | second | tie } }
        swapped: { model: pair-judge, prompt: '{{ question }} FIRST: {{ one }} SECOND: {{ two }}', with: { question: =input.question, one: =input.b, two: =input.a }, returns: { better: first | second | tie } }
      join: all
  - verdict:
      check: judged
      with:
        straight: '=asked.straight.better == "first" ? "a" : (asked.straight.better == "second" ? "b" : "tie")'
        swapped: '=asked.swapped.better == "first" ? "b" : (asked.swapped.better == "second" ? "a" : "tie")'
output: { winner: =verdict.winner, straight: '=asked.straight.better == "first" ? "a" : (asked.straight.better == "second" ? "b" : "tie")' }
`

/** What the made-up judge is: it sees who is right in seven of ten pairs, is wrong in one, and else takes what stands first. */
const SEES = 0.7
const ERRS = 0.1

let pairs
export const prepare = ({ home, upstream, root, quick }) => {
  home.flow('flows/support')
  const rows = gunzipSync(readFileSync(join(root, 'data', 'recordings', 'gsm8k.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const byId = new Map()
  for (const row of rows) byId.set(row.id, [...(byId.get(row.id) ?? []), row])
  const random = seededRandom(SEED)
  pairs = shuffled(
    [...byId.values()].filter((two) => two.length === 2 && two[0].correct !== two[1].correct),
    random,
  )
    .slice(0, quick ? 20 : 120)
    .map((two) => {
      const [a, b] = random() < 0.5 ? two : two.toReversed()
      const luck = random()
      const kind = luck < SEES ? 'sees' : luck < SEES + ERRS ? 'errs' : 'first'
      return { question: a.asked.replaceAll(/\s+/g, ' '), a: a.text, b: b.text, right: a.correct ? 'a' : 'b', kind }
    })
  const byAnswer = new Map(
    pairs.flatMap((pair) => [
      [pair.a.trim(), pair],
      [pair.b.trim(), pair],
    ]),
  )
  upstream.serve({
    'pair-judge': (asked) => {
      const [, first = '', second = ''] = /FIRST: ([\s\S]*?) SECOND: ([\s\S]*)$/.exec(asked) ?? []
      const pair = byAnswer.get(first.trim()) ?? byAnswer.get(second.trim())
      if (pair === undefined) return { better: 'tie' }
      const good = pair[pair.right].trim()
      if (pair.kind === 'sees') return { better: first.trim() === good ? 'first' : 'second' }
      return { better: pair.kind === 'errs' ? (first.trim() === good ? 'second' : 'first') : 'first' }
    },
  })
}

const CASES = [
  { what: 'a good answer', input: {}, expected: { new: false, about: true, held: true, business: true } },
  {
    what: 'input unlike anything seen before',
    input: { question: 'how do penguins sleep on the ice' },
    expected: { new: true, about: false },
  },
  {
    what: 'a correct text about something else',
    input: { answer: 'Photosynthesis turns light and water into sugar and oxygen. It happens in the chloroplasts of plants.' },
    expected: { about: false, held: false },
  },
  {
    what: 'a number that no source has',
    input: { answer: 'A new card arrives within 15 working days.' },
    expected: { about: true, held: false },
  },
  { what: 'a total that does not add up', input: { total: 13 }, expected: { business: false } },
]
const GOOD = {
  question: 'When will my new card arrive?',
  answer: 'A new card arrives within 5 working days.',
  sources: ['New cards are sent by post. A card arrives within 5 working days of the order.'],
  total: 12,
  net: 10,
  tax: 2,
}

export const run = async ({ lab, say }) => {
  for (const flow of [checksFlow, sureFlow, judgeFlow]) await lab.publish(flow)
  const rows = []
  for (const { what, input, expected } of CASES) {
    const { output, fault } = await lab.run('proof/content', { ...GOOD, ...input })
    const seen = Object.fromEntries(Object.keys(expected).map((key) => [key, output?.[key]]))
    rows.push({
      what,
      must: JSON.stringify(expected),
      seen: fault === undefined ? JSON.stringify(seen) : fault.code,
      ok: JSON.stringify(seen) === JSON.stringify(expected),
    })
  }
  const senseless = (await lab.run('proof/sure', { self: 2_000_000_000_000_000 })).output?.sure
  rows.push({ what: 'a confidence of 2e15', must: 'confidence.invalid', seen: String(senseless), ok: senseless === 'confidence.invalid' })

  const runs = await lab.runAll(
    'proof/judge',
    pairs.map(({ question, a, b }) => ({ question, a, b })),
    { many: 4 },
  )
  const given = runs.map(({ result }, at) => ({ ...result?.output, right: pairs[at].right }))
  const settled = given.filter(({ winner }) => winner === 'a' || winner === 'b')
  const once = agreementBetween(given.map(({ straight, right }) => ({ left: straight, right })))
  const both = agreementBetween(settled.map(({ winner, right }) => ({ left: winner, right })))
  say(
    `seed ${SEED}; ${pairs.length} questions of GSM8K with two recorded answers of which one is right; the verdict of the benchmark stands for people`,
  )
  say('\n| judge | decided | agrees with people | kappa |\n| --- | --- | --- | --- |')
  say(`| asked once | ${percent(1)} | ${percent(once.agreed)} | ${once.kappa.toFixed(3)} |`)
  say(
    `| asked in both orders, settled only when both say the same | ${percent(settled.length / given.length)} | ${percent(both.agreed)} | ${both.kappa.toFixed(3)} |`,
  )
  rows.push({
    what: 'pairs that both orders agree on: agreement with people against asking once',
    must: `> ${percent(once.agreed)}`,
    seen: percent(both.agreed),
    ok: both.agreed > once.agreed,
  })
  rows.push({
    what: 'pairs with a verdict or a tie',
    must: String(pairs.length),
    seen: String(given.filter(({ winner }) => winner !== undefined).length),
    ok: given.every(({ winner }) => winner !== undefined),
  })
  return rows
}
