// Where the words of a text stand, in one pass over its characters: what regular expressions with classes of Unicode take ten times as long for.
//   V1. The words are those of `[\p{L}\p{N}]+(?:'[\p{L}]+)?|[€$£?]`, or of `\p{L}+`: the same places, whatever the text.

const LETTER = 1
const NUMBER = 2
const SIGN = 4
const SURROGATE = 8
const KNOWN = 128
const APOSTROPHE = 39

const letter = /^\p{L}$/u
const number = /^\p{N}$/u

const classOf = (character: string): number =>
  (letter.test(character) ? LETTER : 0) | (number.test(character) ? NUMBER : 0) | ('€$£?'.includes(character) ? SIGN : 0)

/** What each UTF-16 unit is, filled as units are met: most texts have a hundred different ones. */
const classes = new Uint8Array(65_536)

const learn = (unit: number): number => {
  const kind = (unit >= 0xd800 && unit <= 0xdfff ? SURROGATE : classOf(String.fromCharCode(unit))) | KNOWN
  classes[unit] = kind
  return kind
}

const kindAt = (text: string, at: number): number => {
  const unit = text.charCodeAt(at)
  return classes[unit] || learn(unit)
}

/** The class of the character at a place where a pair of units may begin; a unit alone is no letter. */
const pairAt = (text: string, at: number): number => {
  const point = text.codePointAt(at) ?? 0
  return point > 0xffff ? classOf(String.fromCodePoint(point)) : 0
}

/** Where a run of characters of these classes ends that begins at `at`. */
const runEnd = (text: string, at: number, wanted: number): number => {
  for (let end = at; ; end++) {
    const kind = end < text.length ? kindAt(text, end) : 0
    if ((kind & wanted) !== 0) continue
    if ((kind & SURROGATE) === 0 || (pairAt(text, end) & wanted) === 0) return end
    end++
  }
}

/** Start and end of each word, one after the other (V1). */
export type Places = { readonly at: Int32Array; readonly length: number }

/** Where a word ends that begins here: letters and numbers, and letters behind an apostrophe. */
const wordEnd = (text: string, start: number): number => {
  const end = runEnd(text, start, LETTER | NUMBER)
  if (end === start || text.charCodeAt(end) !== APOSTROPHE) return end
  const rest = runEnd(text, end + 1, LETTER)
  return rest > end + 1 ? rest : end
}

/** Words with what follows an apostrophe, and signs of currency and question (V1). */
export const placesOfWords = (text: string): Places => {
  const at = new Int32Array(2 * text.length)
  let length = 0
  for (let start = 0; start < text.length; start++) {
    const kind = kindAt(text, start)
    if ((kind & (LETTER | NUMBER | SIGN | SURROGATE)) === 0) continue
    const end = (kind & SIGN) === 0 ? wordEnd(text, start) : start + 1
    if (end === start) continue
    at[length] = start
    at[length + 1] = end
    length += 2
    start = end - 1
  }
  return { at, length }
}

/** Words of letters alone (V1). */
export const placesOfLetters = (text: string): Places => {
  const at = new Int32Array(2 * text.length)
  let length = 0
  for (let start = 0; start < text.length; start++) {
    if ((kindAt(text, start) & (LETTER | SURROGATE)) === 0) continue
    const end = runEnd(text, start, LETTER)
    if (end === start) continue
    at[length] = start
    at[length + 1] = end
    length += 2
    start = end - 1
  }
  return { at, length }
}

/** How many letters a text has. */
export const lettersIn = (text: string): number => {
  let letters = 0
  for (let at = 0; at < text.length; at++) {
    const kind = kindAt(text, at)
    if ((kind & LETTER) !== 0) letters++
    else if ((kind & SURROGATE) !== 0 && (pairAt(text, at) & LETTER) !== 0) letters++
  }
  return letters
}
