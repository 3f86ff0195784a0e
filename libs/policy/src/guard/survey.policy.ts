// Cheap passes over a text that tell where dear patterns can match at all: most texts have none of what they look for.
//   Y1. They err to one side: where a pattern matches, the survey says that it may. So no finding is lost by it.

const LETTER = 1
/** Digits that stand for letters. */
const SWAPPED = 2
const TOKEN = 4
const HEX_OR_SPACE = 8
const BETWEEN = 16
const EDGE = 32
const CHARACTER = 64
const BEYOND = 128
/** Beyond ASCII: it may be anything but part of a code. */
const OTHER = BETWEEN | EDGE | CHARACTER | BEYOND

const BITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const one = String.fromCharCode(code)
  const bit = (pattern: RegExp, value: number): number => (pattern.test(one) ? value : 0)
  return (
    bit(/[a-z]/i, LETTER) |
    bit(/[013457]/, SWAPPED) |
    bit(/[\w+/-]/, TOKEN) |
    bit(/[0-9a-f ]/i, HEX_OR_SPACE) |
    bit(/[ ._*|-]/, BETWEEN) |
    (bit(/[\s._*|-]/, EDGE) || CHARACTER)
  )
})
const bitsAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at)
  return code < 128 ? (BITS[code] ?? 0) : OTHER
}

/** Where a run of at least `min` characters of a kind begins, from a place on where one may begin; -1: nowhere. Looks at a few of them only. */
const runFrom = (text: string, from: number, kind: number, min: number): number => {
  for (let start = from; start + min <= text.length;) {
    let at = start + min - 1
    while (at >= start && (bitsAt(text, at) & kind) !== 0) at--
    if (at < start) return start
    start = at + 1
  }
  return -1
}

/** The most `=` behind a code. */
const PADDING_MAX = 2

/** Tokens of `[A-Za-z0-9+/_-]{min,max}={0,2}` that stand alone: nothing of a token, and no `=`, before and behind. */
export const tokensIn = (text: string, min: number, max: number): readonly { readonly token: string; readonly index: number }[] => {
  const tokens: { token: string; index: number }[] = []
  for (let index = runFrom(text, 0, TOKEN, min); index >= 0;) {
    let last = index + min
    while (last < text.length && (bitsAt(text, last) & TOKEN) !== 0) last++
    let end = last
    while (text.charAt(end) === '=') end++
    const alone = text.charAt(index - 1) !== '=' && last - index <= max && end - last <= PADDING_MAX
    if (alone && (end === last || end === text.length || (bitsAt(text, end) & TOKEN) === 0))
      tokens.push({ token: text.slice(index, end), index })
    index = runFrom(text, last, TOKEN, min)
  }
  return tokens
}

/** Whether there may be so many hexadecimal digits in pairs. */
export const mayHoldHex = (text: string, digits: number): boolean => runFrom(text, 0, HEX_OR_SPACE, digits) >= 0

/** Letters that look like Latin ones, and what becomes one of them when capitals do not count. */
const isLookalike = (code: number): boolean =>
  code === 0xb5 || code === 0x345 || (code >= 0x370 && code <= 0x4ff) || (code >= 0x1c80 && code <= 0x1fff)

/** Seven singles follow the first of eight, with three signs between two at most. */
const SINGLES = 7
const APART_MAX = 4

export type Disguise = {
  /** Eight or more single characters one after the other, or nearly. */
  readonly spaced: boolean
  /** A digit between letters that may stand for one, or a letter of another alphabet. */
  readonly swapped: boolean
}

/** One character alone ends before this edge. */
const endsSingle = (text: string, at: number): boolean =>
  at >= 2 && (bitsAt(text, at - 1) & CHARACTER) !== 0 && (bitsAt(text, at - 2) & BETWEEN) !== 0

const isSwapped = (text: string, at: number, bits: number): boolean =>
  (bits & SWAPPED) === 0
    ? (bits & BEYOND) !== 0 && isLookalike(text.charCodeAt(at))
    : (bitsAt(text, at - 1) & LETTER) !== 0 && (bitsAt(text, at + 1) & LETTER) !== 0

/** Which disguises of letters a text may have (Y1). */
export const disguiseOf = (text: string): Disguise => {
  let singles = 0
  let lastSingle = -APART_MAX - 1
  let spaced = false
  let swapped = false
  for (let at = 0; at <= text.length; at++) {
    const bits = at === text.length ? EDGE : bitsAt(text, at)
    if ((bits & (EDGE | SWAPPED)) === 0) continue
    swapped ||= isSwapped(text, at, bits)
    if ((bits & EDGE) === 0 || !endsSingle(text, at)) continue
    singles = at - lastSingle <= APART_MAX ? singles + 1 : 1
    lastSingle = at
    spaced ||= singles >= SINGLES
  }
  return { spaced, swapped }
}
