// Documents in pieces that are short enough to quote and long enough to mean something.
//   K1. No text is lost and none is repeated: the chunks one after the other are the document, but for white space between them.
//   K2. A chunk ends at a heading, else at a paragraph, else at a sentence, else at a word; at most `charsMax` characters.
//   K3. What only helps to find a chunk is beside its text: the headings above it, and the last sentences before it.

/** Characters of a chunk where nothing else is asked for. */
const CHUNK_CHARS_MAX = 900
/** Characters of the text before a chunk by which it is found as well. */
const OVERLAP_CHARS_MAX = 150

/** A piece of a document, with what it is found by beside its own words. */
export type Chunk = { readonly text: string; readonly heading: string; readonly before: string }

/** Where to cut, best first: headings, paragraphs, lines, ends of sentences, words. */
const CUTS: readonly RegExp[] = [/\n(?=#{1,6} )/g, /\n\s*\n/g, /\n/g, /(?<=[.!?])\s+/g, /\s+/g]

const hardCut = (text: string, charsMax: number): readonly string[] => {
  const pieces: string[] = []
  let from = 0
  while (from < text.length) {
    let to = Math.min(text.length, from + charsMax)
    // A surrogate pair stays together.
    if (to < text.length && /[\uD800-\uDBFF]/.test(text[to - 1] ?? '')) to -= 1
    pieces.push(text.slice(from, Math.max(to, from + 1)))
    from = Math.max(to, from + 1)
  }
  return pieces
}

const cut = (text: string, level: number, charsMax: number): readonly string[] => {
  if (text.length <= charsMax) return [text]
  const at = CUTS[level]
  if (at === undefined) return hardCut(text, charsMax)
  const pieces = text.split(at).flatMap((piece) => cut(piece, level + 1, charsMax))
  const glue = level === 0 ? '\n' : level === 1 ? '\n\n' : level === 2 ? '\n' : ' '
  return joined(pieces, { glue, charsMax })
}

/** Neighbours put together again as long as they fit. */
const joined = (pieces: readonly string[], { glue, charsMax }: { glue: string; charsMax: number }): readonly string[] => {
  const out: string[] = []
  for (const piece of pieces) {
    const last = out.at(-1)
    if (last !== undefined && last.length + glue.length + piece.length <= charsMax) out[out.length - 1] = `${last}${glue}${piece}`
    else out.push(piece)
  }
  return out
}

/** The chunks of a text, in order. A text of nothing but white space has none. */
export const chunksOf = (text: string, charsMax: number = CHUNK_CHARS_MAX): readonly string[] =>
  cut(text.replaceAll('\r\n', '\n').trim(), 0, charsMax)
    .map((chunk) => chunk.trim())
    .filter((chunk) => chunk !== '')

/** The last whole sentences of a text, at most so many characters. */
const endOf = (text: string, charsMax: number): string => {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/)
  let end = ''
  for (const sentence of sentences.toReversed()) {
    if (end.length + sentence.length + 1 > charsMax) break
    end = end === '' ? sentence : `${sentence} ${end}`
  }
  return end.trim()
}

/** The headings in force after a text, given those before it. */
const headingsAfter = (text: string, before: readonly string[]): readonly string[] => {
  let trail = [...before]
  for (const [, marks = '', words = ''] of text.matchAll(/^(#{1,6}) +(.+)$/gm)) {
    trail = [...trail.slice(0, marks.length - 1), words.trim()]
  }
  return trail
}

/** The chunks of a text with what stands above and before each (K3). */
export const passagesOf = (
  text: string,
  charsMax: number = CHUNK_CHARS_MAX,
  overlapChars: number = OVERLAP_CHARS_MAX,
): readonly Chunk[] => {
  let trail: readonly string[] = []
  let before = ''
  return chunksOf(text, charsMax).map((chunk) => {
    const heading = trail.filter((words) => words !== undefined && words !== '').join(' > ')
    const passage = { text: chunk, heading, before }
    trail = headingsAfter(chunk, trail)
    before = endOf(chunk, overlapChars)
    return passage
  })
}
