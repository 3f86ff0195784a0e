// What can be counted in a question without understanding it: its size, its numbers, its form. Length comes first: it is the best of them.

const NUMBER = /\d[\d,]*(?:\.\d+)?/g
const WORD = /[\p{L}']+/gu
const LIST_LINE = /^[ \t]*(?:[A-Za-z0-9]{1,2}[.)]|[-*•])[ \t]+(.*)$/gm
const NUMBER_WORDS = new Set(
  'one two three four five six seven eight nine ten eleven twelve dozen half twice double triple third thirds quarter quarters times'.split(
    ' ',
  ),
)
const EVERY_WORDS = new Set(['each', 'every', 'per'])
const IF_WORDS = new Set(['if', 'then', 'when', 'suppose', 'given'])
const COMPARE_WORDS = new Set(['more', 'less', 'fewer', 'than', 'most', 'least', 'best'])
const REST_WORDS = new Set(['remaining', 'left', 'rest'])
const NOT_WORDS = new Set(['not', 'no', 'except', 'never', 'none'])

/** Characters that are read; what follows adds nothing to these features. */
export const HAND_CHARS_MAX = 8_000

/** The numbers of a text, in order. */
export const numbersIn = (text: string): readonly number[] => (text.match(NUMBER) ?? []).map((part) => Number(part.replaceAll(',', '')))

type Chars = { digits: number; capitals: number; signs: number; lines: number; questions: number; percents: number; currency: number }
const SPACE = 32

const isDigit = (code: number): boolean => code >= 48 && code <= 57
const isCapital = (code: number): boolean => code >= 65 && code <= 90
const isLetter = (code: number): boolean => isCapital(code) || (code >= 97 && code <= 122) || code > 191
const NAMED: ReadonlyMap<number, keyof Chars> = new Map([
  [10, 'lines'],
  [63, 'questions'],
  [37, 'percents'],
  [36, 'currency'],
  [8_364, 'currency'],
])

const charsOf = (text: string): Chars => {
  const chars: Chars = { digits: 0, capitals: 0, signs: 0, lines: 0, questions: 0, percents: 0, currency: 0 }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) chars.digits += 1
    else if (isLetter(code)) chars.capitals += isCapital(code) ? 1 : 0
    else {
      if (code > SPACE) chars.signs += 1
      const name = NAMED.get(code)
      if (name !== undefined) chars[name] += 1
    }
  }
  return chars
}

const countIn = (words: readonly string[], set: ReadonlySet<string>): number => {
  let count = 0
  for (const word of words) if (set.has(word)) count += 1
  return count
}

const meanLength = (parts: readonly string[]): number =>
  parts.length === 0 ? 0 : parts.reduce((sum, part) => sum + part.length, 0) / parts.length

const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
const { log1p } = Math

/** The features by name. They are standardised before use, so their scale does not matter. */
export const promptHand = (prompt: string): Readonly<Record<string, number>> => {
  const text = prompt.slice(0, HAND_CHARS_MAX)
  const size = Math.max(1, text.length)
  const words = (text.toLowerCase().match(WORD) ?? []) as readonly string[]
  const numbers = numbersIn(text)
  const chars = charsOf(text)
  const list = [...text.matchAll(LIST_LINE)].map(([, body]) => body ?? '')
  return {
    chars: log1p(text.length),
    words: log1p(words.length),
    sentences: log1p(countOf(text, /[.!?](?:\s|$)/g)),
    numbers: log1p(numbers.length),
    distinct_numbers: log1p(new Set(numbers).size),
    number_words: log1p(countIn(words, NUMBER_WORDS)),
    largest_number: log1p(numbers.reduce((most, number) => Math.max(most, number), 0)),
    decimals: log1p(numbers.filter((number) => !Number.isInteger(number)).length),
    digit_share: chars.digits / size,
    sign_share: chars.signs / size,
    capital_share: chars.capitals / size,
    word_length: meanLength(words),
    distinct_words: new Set(words).size / Math.max(1, words.length),
    questions: log1p(chars.questions),
    percents: log1p(chars.percents),
    currency: log1p(chars.currency),
    lines: log1p(chars.lines),
    fractions: log1p(countOf(text, /\d\/\d/g)),
    every_words: log1p(countIn(words, EVERY_WORDS)),
    if_words: log1p(countIn(words, IF_WORDS)),
    compare_words: log1p(countIn(words, COMPARE_WORDS)),
    rest_words: log1p(countIn(words, REST_WORDS)),
    not_words: log1p(countIn(words, NOT_WORDS)),
    gaps: text.includes('__') ? 1 : 0,
    formulas: /[=+^\\<>]/.test(text) ? 1 : 0,
    list_length: log1p(meanLength(list)),
    statements: /\bstatement \d\b/i.test(text) ? 1 : 0,
  }
}
