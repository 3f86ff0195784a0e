// A reader for what models write instead of JSON: Python literals, single quotes, trailing commas, calls.
//   M1. It reads literals only. An operator between values, a name that is no literal or a positional argument is refused, not guessed.
//   M2. A call `name(key=value)` reads as `{ "name": { "key": value } }`; calls in a row read as a list.
//   M3. A text that ends before its brackets close is told apart (`cut`), and whether the last value was whole.
//   M4. A quote between two letters does not end a string: what closes is followed by a comma, a bracket or nothing.
import type { Json } from '@baton/contracts/json'

export type Lenient =
  | { readonly status: 'read'; readonly value: Json; readonly end: number }
  | { readonly status: 'cut'; readonly whole: boolean }
  | { readonly status: 'refused' }

const DEPTH_MAX = 64
const NUMBER = /[-+]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y
const NAME = /[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*/uy
/** Backticks outside of strings are marks of code, not part of it. */
const SPACE = /(?:[\s`]|#[^\n]*(?=\n))*/y
const LETTER = /\p{L}/u
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\n': '' }
const WORDS: Readonly<Record<string, Json>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  null: null,
  None: null,
  undefined: null,
}

/** Thrown inside the reader only. */
class Halt {
  readonly cut: boolean
  readonly whole: boolean
  constructor(cut: boolean, whole = false) {
    this.cut = cut
    this.whole = whole
  }
}

class Reader {
  at = 0
  readonly #text: string
  #depth = 0
  /** True right after a string, a word or a closing bracket: nothing can be missing from it. */
  #whole = false

  constructor(text: string) {
    this.#text = text
  }

  space(): void {
    this.#match(SPACE)
  }

  atEnd(): boolean {
    this.space()
    return this.at >= this.#text.length
  }

  value(): Json {
    this.space()
    const char = this.#peek()
    if (char === '{') return this.#object()
    if (char === '[') return this.#items(']')
    if (char === '(') return this.#items(')')
    if (char === '"' || char === "'") return this.#string()
    const number = this.#match(NUMBER)
    if (number !== undefined) return this.#number(number)
    return this.#word()
  }

  /** Calls or values in a row, as at the top of an answer. */
  row(): Json {
    const items = [this.value()]
    while (!this.atEnd() && this.#peek() === ',') {
      this.at += 1
      items.push(this.value())
    }
    return items.length === 1 ? (items[0] ?? null) : items
  }

  #peek(): string {
    const char = this.#text[this.at]
    if (char === undefined) throw new Halt(true, this.#whole)
    return char
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const [found] = pattern.exec(this.#text) ?? []
    if (found === undefined) return undefined
    this.at += found.length
    return found
  }

  #number(text: string): number {
    this.#whole = false
    const value = Number(text.replaceAll('_', ''))
    if (!Number.isFinite(value)) throw new Halt(false)
    return value
  }

  #string(): string {
    const fence = this.#peek()
    const triple = this.#text.startsWith(fence.repeat(3), this.at)
    const close = triple ? fence.repeat(3) : fence
    this.at += close.length
    let value = ''
    while (!this.#text.startsWith(close, this.at) || (!triple && this.#isApostrophe())) {
      const char = this.#text[this.at]
      if (char === undefined) throw new Halt(true, false)
      this.at += 1
      value += char === '\\' ? this.#escape() : char
    }
    this.at += close.length
    this.#whole = true
    return value
  }

  /** `Let's`, in single quotes (M4). */
  #isApostrophe(): boolean {
    return this.#text[this.at] === "'" && LETTER.test(this.#text[this.at - 1] ?? '') && LETTER.test(this.#text[this.at + 1] ?? '')
  }

  #escape(): string {
    const char = this.#text[this.at]
    if (char === undefined) throw new Halt(true, false)
    this.at += 1
    if (char !== 'u') return ESCAPES[char] ?? char // `\_` and `\'` are the sign itself.
    const hex = this.#text.slice(this.at, this.at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw new Halt(this.at + 4 > this.#text.length)
    this.at += 4
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1
    if (this.#depth > DEPTH_MAX) throw new Halt(false)
    const value = read()
    this.#depth -= 1
    this.#whole = true
    return value
  }

  /** Reads `one` after `one`, commas between and at most one behind, up to `close`. */
  #list(close: string, one: () => void): void {
    this.at += 1
    this.#whole = false
    for (;;) {
      this.space()
      if (this.#peek() === close) break
      one()
      this.space()
      if (this.#peek() === close) break
      if (this.#peek() !== ',') throw new Halt(false) // M1
      this.at += 1
      this.#whole = false
    }
    this.at += 1
  }

  #items(close: string): Json {
    return this.#nested(() => {
      const items: Json[] = []
      this.#list(close, () => items.push(this.value()))
      return items
    })
  }

  #object(): Json {
    return this.#nested(() => {
      const fields = new Map<string, Json>()
      this.#list('}', () => {
        const key = this.#key()
        this.space()
        this.#whole = false
        if (this.#peek() !== ':') throw new Halt(false)
        this.at += 1
        fields.set(key, this.value())
      })
      return Object.fromEntries(fields)
    })
  }

  #key(): string {
    const char = this.#peek()
    this.#whole = false
    if (char === '"' || char === "'") {
      const key = this.#string()
      this.#whole = false
      return key
    }
    const name = this.#match(NAME) ?? this.#match(NUMBER)
    if (name === undefined) throw new Halt(false)
    return name
  }

  #word(): Json {
    const name = this.#match(NAME)
    if (name === undefined) throw new Halt(false) // M1
    const known = WORDS[name]
    if (known !== undefined) {
      this.#whole = true
      return known
    }
    this.#whole = false
    this.space()
    if (this.#peek() !== '(') throw new Halt(false)
    return this.#nested(() => ({ [name]: this.#arguments() })) // M2
  }

  #arguments(): Json {
    const fields = new Map<string, Json>()
    this.#list(')', () => {
      const key = this.#key()
      this.space()
      this.#whole = false
      if (this.#peek() !== '=') throw new Halt(false) // M1
      this.at += 1
      fields.set(key, this.value())
    })
    return Object.fromEntries(fields)
  }
}

/** Reads one value, or calls in a row, from the start of a text. What follows it is for the caller to judge: `end` says where. */
export const readLenient = (text: string): Lenient => {
  const reader = new Reader(text)
  try {
    const value = reader.row()
    return { status: 'read', value, end: reader.at }
  } catch (halt) {
    if (!(halt instanceof Halt)) throw halt
    return halt.cut ? { status: 'cut', whole: halt.whole } : { status: 'refused' } // M3
  }
}
