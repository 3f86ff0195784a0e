// What judge models said, as a verdict. The judges themselves are model steps: this service asks no model.
//   N1. Rubric: criteria with a score each; the weighted mean must reach `min`, and no criterion may fall below `each`.
//   N2. Pairwise: asked in both orders, one wins only when it wins in both (what was `a` stood second in `swapped`, and is still called `a`).
//   N3. A score outside 0..1 is `confidence.invalid`: such a judge has not judged.
import { z } from 'zod'
import { asConfidence, settledPair } from '@baton/policy/confidence'
import type { Check, CheckResult } from './check.ts'
import { parseInput, parseOptions } from './parse.ts'

const Share = z.number().min(0).max(1)
const Options = z.strictObject({
  min: Share.default(0.7),
  each: Share.default(0),
  weights: z.record(z.string().max(100), z.number().positive().max(1_000)).optional(),
  /** Of a pair: who has to win; `either` passes when somebody does. */
  winner: z.enum(['a', 'b', 'either']).default('either'),
})
const Winner = z.enum(['a', 'b', 'tie'])
const Rubric = z.looseObject({
  scores: z.record(z.string().max(100), z.number()).refine((scores) => Object.keys(scores).length > 0, 'no score'),
})
const Pair = z.looseObject({ straight: Winner, swapped: Winner })
const Input = z.union([Pair, Rubric])

type Said = z.output<typeof Input>
const isPair = (said: Said): said is z.output<typeof Pair> => said['straight'] !== undefined

type Wanted = z.output<typeof Options>

const rubric = (scores: Readonly<Record<string, number>>, { min, each, weights = {} }: Wanted): CheckResult => {
  const rows = Object.entries(scores).map(([name, score]) => ({
    name,
    score: asConfidence(`score of ${name}`, score),
    weight: weights[name] ?? 1,
  })) // N3
  const total = rows.reduce((sum, { weight }) => sum + weight, 0)
  const score = Math.round((rows.reduce((sum, row) => sum + row.score * row.weight, 0) / total) * 1e4) / 1e4
  const low = rows.filter((row) => row.score < each).map(({ name }) => name)
  const pass = score >= min && low.length === 0 // N1
  const reason =
    low.length > 0
      ? `too low: ${low.join(', ')}`
      : `the judges give ${score.toFixed(2)}, ${pass ? 'at least' : 'below'} the ${min.toFixed(2)} asked for`
  return { pass, score, reason, more: { low } }
}

export const judged: Check = {
  name: 'judged',
  evaluate: (input, options): CheckResult => {
    const wanted = parseOptions('judged', Options, options)
    const said = parseInput('judged', Input, input)
    if (!isPair(said)) return rubric(said.scores, wanted)
    const winner = settledPair(said.straight, said.swapped) // N2
    const pass = wanted.winner === 'either' ? winner !== 'tie' : winner === wanted.winner
    const reason = winner === 'tie' ? 'neither wins in both orders' : `${winner} wins in both orders`
    return { pass, score: winner === 'tie' ? 0.5 : pass ? 1 : 0, reason, more: { winner } }
  },
}
