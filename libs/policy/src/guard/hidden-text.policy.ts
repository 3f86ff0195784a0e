// Text that a person does not see and a model does: invisible characters, and codes that decode to orders.
import type { Span } from './guard.ts'
import { mayHoldHex, tokensIn } from './survey.policy.ts'

const INVISIBLE =
  /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]{1,4000}|[\u{e0100}-\u{e01ef}]{4,4000}/gu
const ANY_INVISIBLE = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40/
const FLAG = /\u{1f3f4}$/u
const BIDI = /[\u202d\u202e\u2066-\u2068]/

const tagged = (run: string): string =>
  Array.from(run)
    .map((character) => String.fromCodePoint((character.codePointAt(0) ?? 0) & 0x7f))
    .join('')
    .replaceAll(/[^\x20-\x7e]/g, '')

const isTag = (character: string): boolean => {
  const code = character.codePointAt(0) ?? 0
  return code >= 0xe0020 && code <= 0xe007e
}

/** How suspicious a run of invisible characters is; 0 where writing needs it (I3). */
const weightOf = (text: string, run: string, index: number): number => {
  const characters = Array.from(run)
  const tags = characters.filter(isTag)
  if (tags.length > 0) return FLAG.test(text.slice(Math.max(0, index - 2), index)) && tags.length <= 6 ? 0 : 0.85
  if (BIDI.test(run)) return 0.55
  if (characters.filter((character) => (character.codePointAt(0) ?? 0) >= 0xe0100).length >= 4) return 0.85
  return characters.length >= 6 ? 0.6 : 0
}

const findInvisible = (text: string): Span[] => {
  return [...text.matchAll(INVISIBLE)].flatMap(({ 0: run, index }) => {
    const score = weightOf(text, run, index)
    const reason =
      tagged(Array.from(run).filter(isTag).join('')).length > 0 ? 'text in characters that nobody sees' : 'characters that nobody sees'
    return score > 0 ? [{ start: index, end: index + run.length, kind: 'hidden_text', score, reason }] : []
  })
}

/** A word cut by characters without width reads otherwise to a filter than to a model. */
const findCutWords = (text: string, reads: (hidden: string) => boolean): Span[] => {
  const cuts = text.match(/[a-z][\u00ad\u200b-\u200d\u2060\ufeff]{1,5}[a-z]/gi) ?? []
  if (cuts.length < 2 || !reads(text.replaceAll(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, ''))) return []
  const start = text.search(/[\u00ad\u200b-\u200d\u2060\ufeff]/)
  return [
    { start: Math.max(0, start - 1), end: start + 2, kind: 'hidden_text', score: 0.8, reason: 'words cut by characters without width' },
  ]
}

const PERCENT = /(?<![\w%.+-])[\w.+-]{0,24}(?:%[0-9a-f]{2}[\w.+-]{0,24}){3,600}/gi
type Code = { readonly code: string; readonly index: number }

/** Where codes of a pattern stand, where one of these signs is there at all; most texts have none. */
const codesOf = (text: string, pattern: RegExp, signs: readonly string[], may = false): readonly Code[] =>
  may || signs.some((sign) => text.includes(sign)) ? [...text.matchAll(pattern)].map(({ 0: code, index }) => ({ code, index })) : []

const HEX = /(?<![\w])(?:[0-9a-f]{2} ?){16,4000}(?![\w])|(?:\\x[0-9a-f]{2}){8,2000}/gi
const ESCAPES = /(?:\\u[0-9a-f]{4}){8,2000}|(?:&#x?[0-9a-f]{2,5};){8,1000}/gi

const decoders: readonly (readonly [find: (text: string) => readonly Code[], decode: (code: string) => string])[] = [
  [
    (text) => tokensIn(text, 24, 8_000).map(({ token, index }) => ({ code: token, index })),
    (code) =>
      atob(
        code
          .replaceAll('-', '+')
          .replaceAll('_', '/')
          .replace(/=+$/, '')
          .slice(0, code.length - (code.replace(/=+$/, '').length % 4 === 1 ? 1 : 0)),
      ),
  ],
  [
    (text) => codesOf(text, HEX, ['\\x', '\\X'], mayHoldHex(text, 32)),
    (code) => String.fromCharCode(...(code.replaceAll(/\\x| /g, '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))),
  ],
  [(text) => codesOf(text, PERCENT, ['%']), (code) => decodeURIComponent(code.replaceAll('+', ' '))],
  [
    (text) => codesOf(text, ESCAPES, ['\\u', '\\U', '&#']),
    (code) =>
      [...code.matchAll(/\\u([0-9a-f]{4})|&#x([0-9a-f]{2,5});|&#(\d{2,6});/gi)]
        .map(([, unicode, hex, decimal]) =>
          String.fromCodePoint(decimal === undefined ? Number.parseInt(unicode ?? hex ?? '20', 16) : Number(decimal)),
        )
        .join(''),
  ],
]

const decoded = (decode: (code: string) => string, code: string): string => {
  try {
    return decode(code)
  } catch {
    return ''
  }
}

/** Whether bytes read as a sentence: words of letters with spaces between. */
const isSentence = (text: string): boolean => /^[\s\x20-\x7e]+$/.test(text) && (text.match(/[a-z]{2,} /gi) ?? []).length >= 3

const findCodes = (text: string, reads: (hidden: string) => boolean): Span[] =>
  decoders.flatMap(([find, decode]) =>
    find(text).flatMap(({ code, index }) => {
      const plain = decoded(decode, code)
      const span = { start: index, end: index + code.length, kind: 'encoded_text' }
      if (plain !== '' && plain !== code && reads(plain)) return [{ ...span, score: 0.9, reason: 'a code that decodes to an order' }]
      return isSentence(plain) && !code.includes(' ') ? [{ ...span, score: 0.35, reason: 'a code that decodes to sentences' }] : []
    }),
  )

/** Hidden text; `reads` says whether a decoded text is an attempt by itself (I2). */
export const findHidden = (text: string, reads: (hidden: string) => boolean): Span[] => {
  const codes = findCodes(text, reads)
  if (!ANY_INVISIBLE.test(text)) return codes
  const tags = tagged([...(text.match(/[\u{e0020}-\u{e007e}]/gu) ?? [])].join(''))
  const invisible = findInvisible(text).map((span) =>
    tags.length > 0 && reads(tags) ? { ...span, score: 0.95, reason: 'an order in characters that nobody sees' } : span,
  )
  return [...invisible, ...findCutWords(text, reads), ...codes]
}
