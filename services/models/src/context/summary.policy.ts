// The sentences of a text that say most, in their order: a summary that invents nothing.
//   S1. Every sentence of it stands in the text as it is.
//   S2. A sentence counts by how much of what the text speaks of is in it (words that come again, weighed against their number), the first
//       and the last ones a little more.
import type { CountTokens } from './tokens.policy.ts'

const STOP: ReadonlySet<string> = new Set(
  'about after again also and any are because been before being both but can could did does for from had has have her here him his how into its just more most not now off only other our out over own said same she should some such than that the their them then there these they this those through too under until very was were what when where which while who why will with would you your'.split(
    ' ',
  ),
)

const wordsOf = (sentence: string): readonly string[] =>
  (sentence.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []).filter((word) => !STOP.has(word))

/** Words are numbers here: they are compared far more often than read. */
type Sentence = { readonly text: string; readonly words: readonly number[]; readonly tokens: number }
type Reading = { readonly texts: Map<string, readonly Sentence[]>; readonly words: Map<string, number> }

const TEXTS_MAX = 5_000
const WORDS_MAX = 200_000
// A conversation grows by a message a turn: those before it were read at the last one.
const readings = new WeakMap<CountTokens, Reading>()

const readingOf = (count: CountTokens): Reading => {
  const known = readings.get(count)
  if (known !== undefined && known.texts.size < TEXTS_MAX && known.words.size < WORDS_MAX) return known
  const fresh: Reading = { texts: new Map(), words: new Map() }
  readings.set(count, fresh)
  return fresh
}

const numberOf = (word: string, { words }: Reading): number => {
  const known = words.get(word)
  if (known !== undefined) return known
  words.set(word, words.size)
  return words.size - 1
}

const sentencesOf = (text: string, reading: Reading, count: CountTokens): readonly Sentence[] => {
  const known = reading.texts.get(text)
  if (known !== undefined) return known
  const sentences = text
    .split(/\n+|(?<=[.!?])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
    .map((sentence) => ({
      text: sentence,
      words: [...new Set(wordsOf(sentence))].map((word) => numberOf(word, reading)),
      tokens: count(sentence),
    }))
  reading.texts.set(text, sentences)
  return sentences
}

/** S2 */
const pointsOf = (sentences: readonly Sentence[], reading: Reading): Float64Array => {
  const times = new Uint32Array(reading.words.size)
  for (const { words } of sentences) for (const word of words) times[word] = (times[word] ?? 0) + 1
  const points = new Float64Array(sentences.length)
  for (const [at, { words }] of sentences.entries()) {
    let said = 0
    for (const word of words) said += Math.log(times[word] ?? 1) + 0.3
    const edge = at === 0 || at >= sentences.length - 2 ? 1.3 : 1
    points[at] = (said / Math.sqrt(words.length + 4)) * edge
  }
  return points
}

/** The best sentences of these texts, at most `tokens` of them with a token between two. */
export const summaryOf = (
  texts: readonly string[],
  tokens: number,
  count: CountTokens,
): { readonly text: string; readonly tokens: number } => {
  const reading = readingOf(count)
  const sentences = texts.flatMap((text) => sentencesOf(text, reading, count))
  const points = pointsOf(sentences, reading)
  const order = Array.from(points, (_, at) => at).toSorted((left, right) => (points[right] ?? 0) - (points[left] ?? 0) || left - right)
  const kept = new Set<number>()
  let used = 0
  for (const at of order) {
    const cost = (sentences[at]?.tokens ?? 0) + 1
    if (used + cost > tokens) continue
    used += cost
    kept.add(at)
  }
  return { text: sentences.flatMap(({ text }, at) => (kept.has(at) ? [text] : [])).join('\n'), tokens: used } // S1
}
