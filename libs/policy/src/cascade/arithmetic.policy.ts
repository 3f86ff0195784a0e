// Sums that are written out in a text (`3 * 4 = 12`), and whether they add up. No units, no variables: what cannot be read is left out.
//   A1. Time is linear in the text: from each `=` at most `SIDE_CHARS_MAX` characters are read on either side.
//   A2. Nothing is executed: the four operations, brackets, per cent and currency signs are all that is understood.

/** A sum as it stands in a text: what it gives, what it is made of, and whether it is right. */
export type Sum = { readonly result: number; readonly operands: readonly number[]; readonly right: boolean }

const SIDE_CHARS_MAX = 120
const SUMS_MAX = 200
const TOKENS_MAX = 40
const TOLERANCE = 0.01
const TOKEN = /(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+|[-+*/()%]/g
const SIDE = /[\d\s.,+\-*/x×÷()%$€£]/

type Token = number | string
const tokensOf = (side: string): readonly Token[] => {
  const plain = side.replaceAll(/[x×]/g, '*').replaceAll('÷', '/').replaceAll(/[$€£]/g, '')
  return (plain.match(TOKEN) ?? []).map((part) => (/\d/.test(part) ? Number(part.replaceAll(',', '')) : part))
}

/** Reads tokens as an expression, by recursive descent; `undefined` where they are none. */
class Reader {
  readonly operands: number[] = []
  #at = 0
  readonly tokens: readonly Token[]

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  read(): number | undefined {
    const value = this.#sum()
    return this.#at === this.tokens.length ? value : undefined
  }

  #sum(): number | undefined {
    let value = this.#product()
    for (let sign = this.tokens[this.#at]; value !== undefined && (sign === '+' || sign === '-'); sign = this.tokens[this.#at]) {
      this.#at += 1
      const next = this.#product()
      if (next === undefined) return undefined
      value = sign === '+' ? value + next : value - next
    }
    return value
  }

  #product(): number | undefined {
    let value = this.#factor()
    for (let sign = this.tokens[this.#at]; value !== undefined && (sign === '*' || sign === '/'); sign = this.tokens[this.#at]) {
      this.#at += 1
      const next = this.#factor()
      if (next === undefined) return undefined
      value = sign === '*' ? value * next : value / next
    }
    return value
  }

  #factor(): number | undefined {
    const token = this.tokens[this.#at++]
    if (token === '-') {
      const inner = this.#factor()
      return inner === undefined ? undefined : -inner
    }
    if (token === '(') {
      const inner = this.#sum()
      return this.tokens[this.#at++] === ')' ? inner : undefined
    }
    if (typeof token !== 'number') return undefined
    this.operands.push(token)
    if (this.tokens[this.#at] !== '%') return token
    this.#at += 1
    return token / 100
  }
}

type Side = { readonly value: number; readonly operands: readonly number[] }
const readSide = (tokens: readonly Token[]): Side | undefined => {
  const reader = new Reader(tokens)
  const value = reader.read()
  return value === undefined || !Number.isFinite(value) ? undefined : { value, operands: reader.operands }
}

/** The longest sum that ends where the tokens end: words before it leave brackets and signs behind. */
const leftSide = (tokens: readonly Token[]): Side | undefined => {
  for (let from = Math.max(0, tokens.length - TOKENS_MAX); from < tokens.length; from++) {
    const side = readSide(tokens.slice(from))
    if (side !== undefined) return side.operands.length > 1 ? side : undefined
  }
  return undefined
}

/** What stands right of the sign: all of it as a sum, and its first number. */
const rightValues = (tokens: readonly Token[]): readonly number[] => {
  const first = tokens.findIndex((token) => typeof token === 'number')
  if (first < 0 || first > 1) return []
  const number = tokens[first]
  const signed = typeof number === 'number' ? (tokens[0] === '-' ? -number : number) : 0
  const percent = tokens[first + 1] === '%' ? [signed / 100] : []
  const whole = readSide(tokens.slice(0, TOKENS_MAX))
  return [signed, ...percent, ...(whole === undefined ? [] : [whole.value])]
}

const isClose = (left: number, right: number): boolean => Math.abs(left - right) <= TOLERANCE * Math.max(1, Math.abs(right))

const before = (text: string, at: number): string => {
  let from = at
  while (from > 0 && at - from < SIDE_CHARS_MAX && text[from - 1] !== '\n' && SIDE.test(text[from - 1] ?? '')) from -= 1
  return text.slice(from, at)
}
const behind = (text: string, at: number): string => {
  let to = at
  while (to < text.length && to - at < SIDE_CHARS_MAX && text[to] !== '\n' && SIDE.test(text[to] ?? '')) to += 1
  return text.slice(at, to).replace(/[.,\s]+$/, '')
}

/** The sums of a text, in order (A1, A2). */
export const sumsIn = (text: string): readonly Sum[] => {
  const sums: Sum[] = []
  for (let at = text.indexOf('='); at >= 0 && sums.length < SUMS_MAX; at = text.indexOf('=', at + 1)) {
    const left = leftSide(tokensOf(before(text, at)))
    const values = left === undefined ? [] : rightValues(tokensOf(behind(text, at + 1)))
    const [result] = values
    if (left !== undefined && result !== undefined)
      sums.push({ result, operands: left.operands, right: values.some((value) => isClose(left.value, value)) })
  }
  return sums
}
