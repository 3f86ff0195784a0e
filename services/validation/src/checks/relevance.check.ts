// Are these passages about the question (D4)? Two signs: how much of the question each shares, rare words counting more, and how well
// the search itself thought it fits.
//   V1. A word that no passage has lowers every score; a word that all have counts least.
//   V2. Nothing found is not relevant; a question without content words passes nothing.
import { z } from 'zod'
import type { Check, CheckResult } from './check.ts'
import { parseInput, parseOptions } from './parse.ts'
import { contentStems } from './words.policy.ts'

const Options = z.strictObject({
  /** The best passage must reach this. */
  min: z.number().min(0).max(1).default(0.3),
  /** A passage below this is not kept; default `min`. */
  keep: z.number().min(0).max(1).optional(),
})
const Input = z.looseObject({
  query: z.string(),
  items: z.array(
    z.looseObject({ id: z.string(), title: z.string().default(''), text: z.string(), score: z.number().min(0).max(1).optional() }),
  ),
})
type Item = z.output<typeof Input>['items'][number]

/** The share of overlap in an item's score; the rest is the search's own. Chosen on banking77 against CLINC150's out-of-scope questions. */
const OVERLAP_SHARE = 0.5

const overlaps = (query: string, items: readonly Item[]): readonly number[] => {
  const asked = [...contentStems(query)]
  const stems = items.map(({ title, text }) => contentStems(`${title} ${text}`))
  const worth = asked.map((word) => {
    const having = stems.filter((set) => set.has(word)).length
    return 1 + Math.log((items.length + 1) / (having + 1)) // V1
  })
  const total = worth.reduce((sum, value) => sum + value, 0)
  if (total === 0) return items.map(() => 0) // V2
  return stems.map((set) => asked.reduce((sum, word, at) => sum + (set.has(word) ? (worth[at] ?? 0) : 0), 0) / total)
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

/** Scores of the passages, in their order. */
const relevanceOf = (query: string, items: readonly Item[]): readonly number[] => {
  const shares = overlaps(query, items)
  return items.map(({ score }, at) => {
    const overlap = shares[at] ?? 0
    return rounded(score === undefined ? overlap : OVERLAP_SHARE * overlap + (1 - OVERLAP_SHARE) * score)
  })
}

export const relevance: Check = {
  name: 'relevance',
  evaluate: (input, options): CheckResult => {
    const { min, keep = min } = parseOptions('relevance', Options, options)
    const { query, items } = parseInput('relevance', Input, input)
    const scores = relevanceOf(query, items)
    const best = Math.max(0, ...scores)
    const kept = items.flatMap(({ id }, at) => ((scores[at] ?? 0) >= keep ? [id] : []))
    const pass = items.length > 0 && best >= min // V2
    const reason =
      items.length === 0
        ? 'nothing was found'
        : `the best of ${items.length} passages scores ${best.toFixed(2)}, ${pass ? 'at least' : 'below'} the ${min.toFixed(2)} asked for`
    return { pass, score: best, reason, more: { kept, scores: [...scores] } }
  },
}
