// A request as several questions: a long message asks for more than one thing, and one long query finds what is a little like all of it.
//   Q1. Words are looked for sentence by sentence; meaning in windows of three sentences, every second one: a sentence alone says little.
//   Q2. A request of one sentence is one question, as it was written.
//   Q3. There are limits: `SENTENCES_MAX` sentences and `WINDOWS_MAX` windows, those in front.

/** Characters of a request that are looked at. */
export const QUERY_CHARS_MAX = 12_000
const SENTENCES_MAX = 120
export const WINDOWS_MAX = 60
const WINDOW = 3
const STRIDE = 2
/** Shorter pieces are joined to the one before: "Yes.", "3.", "e.g." */
const SENTENCE_CHARS_MIN = 11

/** The sentences of a request (Q1). */
export const sentencesOf = (request: string): readonly string[] => {
  const sentences: string[] = []
  for (const piece of request.slice(0, QUERY_CHARS_MAX).split(/[\r\n]+|(?<=[.!?])\s+/)) {
    const sentence = piece.trim()
    const last = sentences.length - 1
    if (sentence === '') continue
    if (sentence.length < SENTENCE_CHARS_MIN && last >= 0) sentences[last] = `${sentences[last]} ${sentence}`
    else sentences.push(sentence)
  }
  return sentences.length === 0 ? [request.trim()] : sentences.slice(0, SENTENCES_MAX) // Q2, Q3
}

/** Neighbouring sentences together (Q1). */
export const windowsOf = (sentences: readonly string[]): readonly string[] => {
  if (sentences.length <= WINDOW) return [sentences.join(' ')]
  const last = sentences.length - WINDOW
  const starts = Array.from({ length: Math.ceil((last + 1) / STRIDE) }, (_, at) => at * STRIDE)
  if (starts.at(-1) !== last) starts.push(last)
  return starts.slice(0, WINDOWS_MAX).map((from) => sentences.slice(from, from + WINDOW).join(' '))
}
