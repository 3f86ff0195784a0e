// From the text of a model to a JSON value (D2): strict JSON first, then the malformations that models really produce.
//   R1. Text that is JSON is never touched.
//   R2. Repairs, cheapest first: code fences, prose around, escaped underscores, Python literals and calls, trailing commas, quotes.
//   R3. Arithmetic inside JSON is refused: what the model meant to compute is not ours to guess.
//   R4. A text that ends in the middle is `output.truncated`, unless everything but closing brackets is there.
//   R5. Every other text is `output.malformed`. Both name the reason, never the content.
//   R6. Every text and number of a mended value stands in the answer: what a repair would have to invent is unreadable.
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { readLenient } from './lenient-literal.policy.ts'
import { mendGenerically } from './repair-generic.policy.ts'

/** A value and whether the text had to be mended to get it. */
export type Parsed = { readonly value: Json; readonly repaired: boolean }

const FENCE = /```[\w-]*[ \t]*\r?\n?([\s\S]*?)(?:```|$)/g
const CALL_START = /(?:^|\n|`)[ \t]*(?=[\p{L}_][\p{L}\p{N}_.\\]*\()/u
/** Underscores and brackets as markdown writes them; a backslash before the backslash means the backslash itself. */
const ESCAPED = /(?<!\\)\\([_[\]])/g
const STRINGS = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g
const ARITHMETIC = /[\d)]\s*(?:\*\*|[-+*/%])\s*[\d(]/
const TEXT_CHARS_MAX = 1_000_000

const parse = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json // JSON.parse gives JSON.
  } catch {
    return undefined
  }
}

const isContainer = (value: Json | undefined): value is Json => typeof value === 'object' && value !== null

/** Where the bracket at `from` closes, strings skipped; -1 when it does not. */
const closingOf = (text: string, from: number): number => {
  let depth = 0
  let quote = ''
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? ''
    if (quote !== '') {
      if (char === '\\') at += 1
      else if (char === quote) quote = ''
    } else if (char === '"') quote = char
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') {
      depth -= 1
      if (depth === 0) return at
    }
  }
  return -1
}

/** The first bracketed part of a text with its surroundings cut off; to the end where it does not close. */
const bracketed = (text: string): string | undefined => {
  const from = text.search(/[{[]/)
  if (from < 0) return undefined
  const to = closingOf(text, from)
  return to < 0 ? text.slice(from) : text.slice(from, to + 1)
}

const call = (text: string): string | undefined => {
  const from = CALL_START.exec(text)
  return from === null ? undefined : text.slice(from.index).trimStart()
}

/** Parts of the text that may be the answer, the most likely first (R2). */
const candidatesOf = (text: string): readonly string[] => {
  const fenced = [...text.matchAll(FENCE)].map(([, body]) => (body ?? '').trim()).filter((body) => body !== '')
  const blocks = fenced.length > 0 ? fenced : [text]
  const found = blocks.flatMap((block) => {
    const inside = bracketed(block)
    const called = call(block)
    // A call's own brackets (`f(a=[1])`) are not the answer.
    const calledFirst = called !== undefined && block.indexOf(called) <= block.search(/[{[]|$/)
    return calledFirst ? [called, inside] : [inside, called]
  })
  return found.filter((part) => part !== undefined)
}

const CLOSERS: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' }

/** Adds the brackets that are missing at the end. */
const closed = (text: string): string => {
  const open: string[] = []
  for (const char of text.replaceAll(STRINGS, '')) {
    const closer = CLOSERS[char]
    if (closer !== undefined) open.push(closer)
    else if (char === open.at(-1)) open.pop()
  }
  return text + open.toReversed().join('')
}

type Reading = { readonly value: Json } | { readonly reason: 'arithmetic' | 'cut' | 'unreadable' }

const mend = (part: string): Reading => {
  const plain = part.replaceAll(ESCAPED, '$1')
  const strict = parse(plain)
  if (isContainer(strict)) return { value: strict }
  const lenient = readLenient(plain)
  if (lenient.status === 'read' && isContainer(lenient.value)) return { value: lenient.value }
  if (ARITHMETIC.test(plain.replaceAll(STRINGS, '""'))) return { reason: 'arithmetic' } // R3
  if (lenient.status === 'cut') {
    const whole = lenient.whole ? readLenient(closed(plain)) : lenient
    return whole.status === 'read' && isContainer(whole.value) ? { value: whole.value } : { reason: 'cut' } // R4
  }
  const value = mendGenerically(plain) // R6
  return value === undefined ? { reason: 'unreadable' } : { value }
}

/** Reads the JSON object or list in a model's text. Throws `output.malformed` or `output.truncated`. */
export const parseOutput = (text: string): Parsed => {
  if (text.length > TEXT_CHARS_MAX)
    throw new Fault('output.malformed', 'The answer is longer than the limit.', { chars: text.length, charsMax: TEXT_CHARS_MAX })
  const whole = parse(text.trim())
  if (isContainer(whole)) return { value: whole, repaired: false } // R1
  if (typeof whole === 'string') return { value: parseOutput(whole).value, repaired: true } // JSON written as a text of JSON
  const reasons: string[] = []
  for (const part of candidatesOf(text)) {
    const read = mend(part)
    if ('value' in read) return { value: read.value, repaired: true }
    reasons.push(read.reason)
  }
  if (reasons.includes('arithmetic'))
    throw new Fault('output.malformed', 'The answer has arithmetic where a number should be.', { reason: 'arithmetic' })
  if (reasons[0] === 'cut') throw new Fault('output.truncated', 'The answer ends in the middle.', { reason: 'cut' })
  throw new Fault('output.malformed', 'The answer is not JSON and could not be repaired.', {
    reason: reasons[0] ?? 'no_json',
    chars: text.length,
  }) // R5
}
