// Answering by quoting: the sentences of the retrieved passages that share most with the question.
//   Q1. Every sentence of the answer stands word for word in a passage; nothing is made up, nothing is joined.
//   Q2. The score says how much of the question the quotes cover, from 0 to 1. It measures retrieval, not truth.
//   Q3. Where no passage shares a word of substance with the question, there are no quotes and the score is 0.

export type Passage = { readonly id?: string; readonly title: string; readonly text: string }
type Quote = { readonly text: string; readonly passage: number; readonly score: number }
export type Quoting = { readonly quotes: readonly Quote[]; readonly score: number }

const SENTENCES_MAX = 2_000
const SENTENCE_CHARS_MAX = 600
const STOP_WORDS = new Set(
  (
    'a about after all also am an and any are as at be because been before being but by can could did do does doing don for from get getting go got had has have having he her here him ' +
    'his how i if in into is it its just like me more most my need no not now of off on once one only or other our out over please same she should so some such than that the their ' +
    'them then there these they this those to too tell try trying up use using very want was we were what when where which while who why will with would yes you your'
  ).split(' '),
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
const termsOf = (text: string): ReadonlySet<string> =>
  new Set(
    (text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu) ?? [])
      .filter((word) => word.length > 1 && !STOP_WORDS.has(word))
      .map((word) => trimmed(stem(word))),
  )

const clean = (line: string): string =>
  line
    .replace(/^\s*(?:#{1,6}|[-*•]|\d+[.)])\s*/, '')
    .replaceAll('**', '')
    .trim()

/** Sentences and list items of a passage; headings, tables and scraps are left out. */
export const sentencesOf = (text: string): readonly string[] =>
  text
    .split(/\n+/)
    .filter((line) => !/^\s*[#|]/.test(line))
    .flatMap((line) => clean(line).split(/(?<=[.!?])\s+(?=["'(\p{Lu}\d])/u))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence.length >= 20 && sentence.length <= SENTENCE_CHARS_MAX)

type Terms = ReadonlySet<string>
type Candidate = { readonly text: string; readonly passage: number; readonly terms: Terms; readonly standing: number }
type Sought = { readonly asked: Terms; readonly weight: ReadonlyMap<string, number>; readonly total: number }

/** What its passage adds to the value of a sentence: a sentence is seldom the answer where its surroundings speak of something else. */
const SURROUNDINGS = 0.5
const TITLE = 0.25
/** Later quotes must add this share of the question, or they only fill the page. */
const GAIN_MIN = 0.05

/** Weight of a term: rare among the passages counts more, absent from all counts most. */
const weigh = (asked: Terms, passages: readonly Terms[]): ReadonlyMap<string, number> =>
  new Map(
    [...asked].map((term) => [term, Math.log(1 + (passages.length + 1) / (1 + passages.filter((passage) => passage.has(term)).length))]),
  )

const shareOf = (terms: Iterable<string>, { weight, total }: Sought, except?: Terms): number => {
  let sum = 0
  for (const term of terms) if (except?.has(term) !== true) sum += weight.get(term) ?? 0
  return total === 0 ? 0 : sum / total
}

const candidatesOf = (passages: readonly Passage[], sought: Sought): readonly Candidate[] =>
  passages
    .flatMap(({ title, text }, passage) => {
      const titled = shareOf(termsOf(title), sought)
      const standing = SURROUNDINGS * shareOf(termsOf(text), sought) + TITLE * titled - passage * 0.02
      return sentencesOf(text).map((sentence) => ({ text: sentence, passage, terms: termsOf(sentence), standing }))
    })
    .slice(0, SENTENCES_MAX)

/** Picks up to `quotesMax` sentences, each for what it adds to those before (Q1, Q2, Q3). */
export const quote = (question: string, passages: readonly Passage[], quotesMax: number): Quoting => {
  const asked = termsOf(question)
  const weight = weigh(
    asked,
    passages.map(({ title, text }) => termsOf(`${title} ${text}`)),
  )
  const sought: Sought = { asked, weight, total: [...weight.values()].reduce((sum, value) => sum + value, 0) }
  const left = new Set(candidatesOf(passages, sought))
  const covered = new Set<string>()
  const quotes: Quote[] = []
  while (quotes.length < quotesMax) {
    const best = bestOf(left, { sought, covered, first: quotes.length === 0 })
    if (best === undefined) break
    const { text, passage, terms } = best.candidate
    for (const term of terms) if (asked.has(term)) covered.add(term)
    quotes.push({ text, passage, score: rounded(best.gain) })
    left.delete(best.candidate)
  }
  return { quotes, score: rounded(shareOf(covered, sought)) }
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000

type Round = { readonly sought: Sought; readonly covered: Terms; readonly first: boolean }

/** The sentence that adds most; undefined when none adds anything (Q3). After the first only new terms count. */
const bestOf = (candidates: Iterable<Candidate>, { sought, covered, first }: Round): { candidate: Candidate; gain: number } | undefined => {
  let best: { candidate: Candidate; gain: number; value: number } | undefined
  for (const candidate of candidates) {
    const gain = shareOf(candidate.terms, sought, covered)
    if (gain < (first ? Number.MIN_VALUE : GAIN_MIN)) continue
    // Between equals the shorter sentence wins.
    const value = gain + candidate.standing - candidate.terms.size * 0.002
    if (best === undefined || value > best.value) best = { candidate, gain, value }
  }
  return best
}
