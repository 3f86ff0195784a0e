// Spans: put in order, one inside another dropped, replaced in a text.
import type { Span } from './guard.ts'

const LOOKALIKES = /[\u00a0\u2000-\u200a\u202f\u205f\u3000\u2010-\u2015\u2212\uff01-\uff5e\u0660-\u0669\u06f0-\u06f9\u0966-\u096f]/g

const plain = (character: string): string => {
  const code = character.charCodeAt(0)
  if (code >= 0xff01) return String.fromCharCode(code - 0xfee0)
  if ((code >= 0x2010 && code <= 0x2015) || code === 0x2212) return '-'
  if (code >= 0x660 && code <= 0x669) return String(code - 0x660)
  if (code >= 0x6f0 && code <= 0x6f9) return String(code - 0x6f0)
  if (code >= 0x966 && code <= 0x96f) return String(code - 0x966)
  return ' '
}

/** Full-width letters, digits of other scripts, special spaces and dashes as ASCII; every character keeps its place (G1). */
export const fold = (text: string): string => text.replace(LOOKALIKES, plain)

/** Lower case in as many characters: one that becomes two stays as it is, so that places stay (G1). */
export const lower = (text: string): string => {
  const all = text.toLowerCase()
  return all.length === text.length
    ? all
    : Array.from(text)
        .map((one) => (one.toLowerCase().length === one.length ? one.toLowerCase() : one))
        .join('')
}

const isLow = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff
const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
const splits = (text: string, at: number): boolean => isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1))

/** The span, widened where it cuts a surrogate pair (G1). */
const whole = <S extends Span>(text: string, span: S): S => {
  const start = splits(text, span.start) ? span.start - 1 : span.start
  const end = splits(text, span.end) ? span.end + 1 : span.end
  return start === span.start && end === span.end ? span : { ...span, start, end }
}

/** In order of start; a span inside another is dropped, the longer first, then the surer. */
export const arranged = <S extends Span>(text: string, spans: readonly S[]): readonly S[] => {
  const ordered = spans
    .filter(({ start, end }) => end > start)
    .map((span) => whole(text, span))
    .toSorted((left, right) => left.start - right.start || right.end - left.end || right.score - left.score)
  const kept: S[] = []
  let reach = -1
  for (const span of ordered) {
    if (span.end <= reach) continue
    kept.push(span)
    reach = span.end
  }
  return kept
}

/** The text with each span replaced; spans that overlap are replaced together, by what the first is replaced by. */
export const replaced = <S extends Span>(text: string, spans: readonly S[], placeholderOf: (span: S) => string): string => {
  let written = ''
  let at = 0
  for (const span of arranged(text, spans)) {
    if (span.start >= at) written += text.slice(at, span.start) + placeholderOf(span)
    at = Math.max(at, span.end)
  }
  return written + text.slice(at)
}

/** The characters before a position, in lower case: labels stand there. */
export const before = (text: string, at: number, chars: number): string => text.slice(Math.max(0, at - chars), at).toLowerCase()
