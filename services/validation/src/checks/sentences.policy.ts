// A text as sentences, with the places where they stand.

/** UTF-16 code units, as `slice` takes them. */
export type Sentence = { readonly start: number; readonly end: number; readonly text: string }

/** Ends of sentences: a full stop within a number, an abbreviation of one letter or an address ends none. */
const END =
  /(?<=[.!?…])(?<!\b\p{Lu}\.)(?<!\b(?:e\.g|i\.e|etc|no|nr|approx|Mr|Mrs|Dr|St)\.)["'”’)\]]*\s+(?=\S)|\n\s*(?:[-*•]\s+|\d{1,2}[.)]\s+|#{1,6}\s+)?|\n+/gu

/** Sentences and lines, without blanks around them. */
export const sentencesOf = (text: string): readonly Sentence[] => {
  const sentences: Sentence[] = []
  let from = 0
  const add = (to: number): void => {
    const raw = text.slice(from, to)
    const trimmed = raw.trim()
    const start = from + raw.indexOf(trimmed)
    if (trimmed !== '') sentences.push({ start, end: start + trimmed.length, text: trimmed })
  }
  for (const { 0: match, index } of text.matchAll(END)) {
    add(index)
    from = index + match.length
  }
  add(text.length)
  return sentences
}

const NUMBER = /\d+(?:[.,]\d+)*/g
const WORDS: Readonly<Record<string, string>> = {
  one: '1',
  two: '2',
  three: '3',
  four: '4',
  five: '5',
  six: '6',
  seven: '7',
  eight: '8',
  nine: '9',
  ten: '10',
  eleven: '11',
  twelve: '12',
  twenty: '20',
  thirty: '30',
  sixty: '60',
  ninety: '90',
  hundred: '100',
}

/** Numbers of a text as they compare: without thousands' commas and trailing zeros; small ones also from words. */
export const numbersOf = (text: string): ReadonlySet<string> => {
  const digits = (text.match(NUMBER) ?? []).map((number) => {
    const plain = number.replaceAll(/,(?=\d{3}(?!\d))/g, '').replace(',', '.')
    const value = Number(plain)
    return Number.isFinite(value) ? String(value) : plain
  })
  const words = (text.toLowerCase().match(/\b[a-z]+\b/g) ?? []).flatMap((word) => (Object.hasOwn(WORDS, word) ? [WORDS[word] ?? ''] : []))
  return new Set([...digits, ...words])
}

/** Whether a sentence denies something. */
export const denies = (text: string): boolean =>
  /\b(?:no|not|never|none|nobody|nothing|without|cannot|neither|nor)\b|n['’]t\b|\b(?:un|in)(?:able|available|eligible|supported)\b/i.test(
    text,
  )
