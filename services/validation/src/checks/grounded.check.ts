// Does a text say only what its sources say? A heuristic of words, numbers and denials: it sees what is not there, not what is twisted.
//   W1. A sentence is measured against the best passage of up to three sentences; rare words of the sentence count more.
//   W2. A number that no source has, or a denial where the passage has none (or the other way round), makes a sentence ungrounded.
//   W3. A sentence that claims nothing (fewer than two words of meaning and no number) is left out.
//   W4. The places of what is not grounded are given, never the words.
import { z } from 'zod'
import type { JsonObject } from '@baton/contracts'
import type { Check, CheckResult } from './check.ts'
import { parseInput, parseOptions } from './parse.ts'
import { denies, numbersOf, sentencesOf, type Sentence } from './sentences.policy.ts'
import { stemsOf } from './words.policy.ts'

const Share = z.number().min(0).max(1)
const Options = z.strictObject({
  /** A sentence below this is not grounded. */
  min: Share.default(0.5),
  /** So much of the text, by sentences, must be grounded. */
  share: Share.default(1),
})
const Source = z.union([z.string(), z.looseObject({ text: z.string() }).transform(({ text }) => text)])
/** Every sentence is measured against every passage: bounded, so that the worst takes about a second. */
const LIMITS = { textChars: 50_000, sources: 200, sourceChars: 200_000 }
const Input = z.looseObject({
  text: z.string().max(LIMITS.textChars),
  sources: z
    .array(Source)
    .max(LIMITS.sources)
    .refine(
      (sources) => sources.reduce((chars, source) => chars + source.length, 0) <= LIMITS.sourceChars,
      `more than ${LIMITS.sourceChars} characters in all`,
    ),
})

const WINDOW = 3
const LISTED_MAX = 50

type Passage = {
  readonly stems: ReadonlySet<string>
  readonly sentences: readonly { readonly stems: ReadonlySet<string>; readonly denies: boolean }[]
}
type Sources = {
  readonly passages: readonly Passage[]
  readonly numbers: ReadonlySet<string>
  /** The passages that have a stem, by their place. */
  readonly holding: ReadonlyMap<string, readonly number[]>
}

const readSources = (texts: readonly string[]): Sources => {
  const passages = texts.flatMap((text) => {
    const sentences = sentencesOf(text).map((one) => ({ stems: new Set(stemsOf(one.text)), denies: denies(one.text) }))
    return sentences.map((_one, at) => {
      const window = sentences.slice(at, at + WINDOW)
      return { stems: new Set(window.flatMap(({ stems }) => [...stems])), sentences: window }
    })
  })
  const holding = new Map<string, number[]>()
  for (const [at, { stems }] of passages.entries()) {
    for (const stem of stems) {
      const places = holding.get(stem)
      if (places === undefined) holding.set(stem, [at])
      else places.push(at)
    }
  }
  return { passages, numbers: numbersOf(texts.join('\n')), holding }
}

const shareOf = (wanted: ReadonlyMap<string, number>, found: ReadonlySet<string>): number => {
  let total = 0
  let covered = 0
  for (const [stem, worth] of wanted) {
    total += worth
    if (found.has(stem)) covered += worth
  }
  return total === 0 ? 0 : covered / total
}

/** The sentence of a passage that says most of it, and whether that denies. */
const nearestDenies = (wanted: ReadonlyMap<string, number>, { sentences }: Passage): boolean => {
  const [nearest] = sentences.toSorted((left, right) => shareOf(wanted, right.stems) - shareOf(wanted, left.stems))
  return nearest?.denies ?? false
}

/** The passage that has most of what is wanted, and how much. */
const bestOf = (
  wanted: ReadonlyMap<string, number>,
  { passages, holding }: Pick<Sources, 'passages' | 'holding'>,
): { readonly share: number; readonly passage: Passage | undefined } => {
  const total = [...wanted.values()].reduce((sum, worth) => sum + worth, 0)
  const covered = new Map<number, number>()
  for (const [stem, worth] of wanted) for (const at of holding.get(stem) ?? []) covered.set(at, (covered.get(at) ?? 0) + worth)
  let [best, place] = [0, -1]
  for (const [at, worth] of covered) if (worth > best || (worth === best && at < place)) [best, place] = [worth, at]
  return { share: total === 0 ? 0 : best / total, passage: passages[place] }
}

/** How far a sentence is grounded; undefined where it claims nothing (W3). */
const groundOf = ({ text }: Sentence, { passages, numbers, holding }: Sources): number | undefined => {
  const stems = new Set(stemsOf(text))
  const claimed = numbersOf(text)
  if (stems.size < 2 && claimed.size === 0) return undefined
  const wanted = new Map([...stems].map((stem) => [stem, 1 + Math.log((passages.length + 1) / ((holding.get(stem)?.length ?? 0) + 1)) / 4])) // W1
  const { share, passage } = bestOf(wanted, { passages, holding })
  if (passage === undefined) return 0
  const hasNumbers = [...claimed].every((number) => numbers.has(number))
  const agrees = denies(text) === nearestDenies(wanted, passage)
  return share * (hasNumbers ? 1 : 0.3) * (agrees ? 1 : 0.4) // W2
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

export const grounded: Check = {
  name: 'grounded',
  evaluate: (input, options): CheckResult => {
    const { min, share } = parseOptions('grounded', Options, options)
    const { text, sources } = parseInput('grounded', Input, input)
    const read = readSources(sources)
    const looked = sentencesOf(text).flatMap((sentence) => {
      const score = groundOf(sentence, read)
      return score === undefined ? [] : [{ sentence, score: rounded(score) }]
    })
    const loose = looked.filter(({ score }) => score < min)
    const held = looked.length === 0 ? 1 : 1 - loose.length / looked.length
    const ungrounded: readonly JsonObject[] = loose
      .slice(0, LISTED_MAX)
      .map(({ sentence: { start, end }, score }) => ({ start, end, score })) // W4
    const pass = held >= share
    const reason =
      looked.length === 0
        ? 'the text claims nothing'
        : `${looked.length - loose.length} of ${looked.length} sentences are in the sources, ${pass ? 'at least' : 'fewer than'} the ${Math.round(100 * share)} % asked for`
    return { pass, score: rounded(held), reason, more: { ungrounded, sentences: looked.length } }
  },
}
