// Answering by quoting: the sentences of the retrieved passages that share most with the question.
//   Q1. Every sentence of the answer stands word for word in a passage; nothing is made up, nothing is joined.
//   Q2. The score says how much of the question the quotes cover, from 0 to 1. It measures retrieval, not truth.
//   Q3. Where no passage shares a word of substance with the question, there are no quotes and the score is 0.

export type Passage = { readonly id?: string; readonly title: string; readonly text: string }
export type Quote = { readonly text: string; readonly passage: number; readonly score: number }
export type Quoting = { readonly quotes: readonly Quote[]; readonly score: number }

const SENTENCES_MAX = 2_000
const SENTENCE_CHARS_MAX = 600
const STOP_WORDS = new Set(
  ('a about after all also am an and any are as at be because been before being but by can could did do does doing don for from get getting go got had has have having he her here him ' +
    'his how i if in into is it its just like me more most my need no not now of off on once one only or other our out over please same she should so some such than that the their ' +
    'them then there these they this those to too tell try trying up use using very want was we were what when where which while who why will with would yes you your').split(' '),
)

/** A word without the endings that English adds; crude, and the same for question and passage. */
const stem = (word: string): string => {
  const base = word.replace(/(?:'s|’s)$/, '')
  if (base.length > 5 && base.endsWith('ing')) return base.slice(0, -3)
  if (base.length > 4 && base.endsWith('ied')) return `${base.slice(0, -3)}y`
  if (base.length > 4 && base.endsWith('ies')) return `${base.slice(0, -3)}y`
  if (base.length > 4 && base.endsWith('ed')) return base.slice(0, -2)
  if (base.length > 3 && base.endsWith('s') && !base.endsWith('ss')) return base.slice(0, -1)
  return base
}

const trimmed = (stemmed: string): string => stemmed.replace(/(?:e|y)$/, '')

/** Words of substance, stemmed, each once. */
export const termsOf = (text: string): ReadonlySet<string> =>
  new Set((text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu) ?? []).filter((word) => word.length > 1 && !STOP_WORDS.has(word)).map((word) => trimmed(stem(word))))

const clean = (line: string): string => line.replace(/^\s*(?:#{1,6}|[-*•]|\d+[.)])\s*/, '').replaceAll('**', '').trim()

/** Sentences and list items of a passage; headings and scraps are left out. */
export const sentencesOf = (text: string): readonly string[] =>
  text
    .split(/\n+/)
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) => clean(line).split(/(?<=[.!?])\s+(?=["'(\p{Lu}\d])/u))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.length >= 20 && sentence.length <= SENTENCE_CHARS_MAX)

type Candidate = { readonly text: string; readonly passage: number; readonly terms: ReadonlySet<string> }

/** Weight of a term: rare among the passages counts more. */
const weights = (terms: ReadonlySet<string>, passages: readonly ReadonlySet<string>[]): ReadonlyMap<string, number> =>
  new Map([...terms].map((term) => [term, Math.log(1 + (passages.length + 1) / (1 + passages.filter((passage) => passage.has(term)).length))]))

/** Picks up to `quotesMax` sentences, each for what it adds to those before (Q1, Q2, Q3). */
export const quote = (question: string, passages: readonly Passage[], quotesMax: number): Quoting => {
  const asked = termsOf(question)
  const termsOfPassage = passages.map(({ title, text }) => termsOf(`${title} ${text}`))
  const weight = weights(asked, termsOfPassage)
  const total = [...weight.values()].reduce((sum, value) => sum + value, 0)
  const candidates: Candidate[] = passages
    .flatMap(({ title, text }, passage) => sentencesOf(text).map((sentence) => ({ text: sentence, passage, terms: termsOf(`${title} ${sentence}`) })))
    .slice(0, SENTENCES_MAX)
  const covered = new Set<string>()
  const quotes: Quote[] = []
  while (quotes.length < quotesMax && total > 0) {
    const best = candidates
      .map((candidate) => ({ candidate, gain: gainOf(candidate, { asked, covered, weight, first: quotes.length === 0 }) }))
      .reduce<{ candidate: Candidate | undefined; gain: number }>((left, right) => (right.gain > left.gain ? right : left), { candidate: undefined, gain: 0 })
    if (best.candidate === undefined) break
    const { text, passage, terms } = best.candidate
    for (const term of terms) if (asked.has(term)) covered.add(term)
    quotes.push({ text, passage, score: Math.round((best.gain / total) * 1_000) / 1_000 })
    candidates.splice(candidates.indexOf(best.candidate), 1)
  }
  const reached = [...covered].reduce((sum, term) => sum + (weight.get(term) ?? 0), 0)
  return { quotes, score: total === 0 ? 0 : Math.round((reached / total) * 1_000) / 1_000 }
}

type Sought = { readonly asked: ReadonlySet<string>; readonly covered: ReadonlySet<string>; readonly weight: ReadonlyMap<string, number>; readonly first: boolean }

/** What a sentence adds. After the first, only new terms count: a second sentence saying the same is no answer. */
const gainOf = ({ terms, passage }: Candidate, { asked, covered, weight, first }: Sought): number => {
  let gain = 0
  for (const term of terms) if (asked.has(term) && (first || !covered.has(term))) gain += weight.get(term) ?? 0
  // Between equals the better-ranked passage and the shorter sentence win.
  return gain === 0 ? 0 : gain - passage * 0.01 - terms.size * 0.001
}
