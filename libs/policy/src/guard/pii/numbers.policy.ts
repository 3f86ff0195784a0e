// Cards, bank accounts and telephone numbers: digits in groups, told apart by check digits, ranges and the label before them.
//   P1. A number with a label of something else before it (order, invoice, tracking) is none of these unless it is written as one.
import type { Span } from '../guard.ts'
import { before } from '../spans.policy.ts'
import { luhn, mod97 } from './check-digits.policy.ts'

const LABEL =
  /(?:order|invoice|ticket|tracking|parcel|shipment|ref(?:erence)?|case|customer|serial|sku|isbn|issn|ean|upc|imei|article|item|part|product|model|batch|version|transaction|bestell(?:ung|nummer)|rechnung(?:snummer)?|auftrag(?:snummer)?|sendung(?:snummer)?|kunden(?:nummer)?|pedido|factura|commande|facture|bestelling|id)s?[\s:#.-]{0,3}(?:no|nr|num(?:ber|mer|ero)?|n°|id|code|key)?[\s:#.=-]{0,4}$/
const PHONE_WORD =
  /(?:phone|tel|telefon|teléfono|telefono|telephone|téléphone|mobile|mobil|mobiel|móvil|cell|cellulare|call|ring|dial|fax|whatsapp|sms|handy|rufnummer|anrufen|gsm|telefoonnummer|portable|rufen|appelez|llame|llamar|chiamare|chiamami|reach (?:me|us|him|her) (?:at|on)|text me (?:at|on)|bel(?:len)?)\b[^\d+(]{0,24}$/

const isLabelled = (text: string, at: number): boolean => LABEL.test(before(text, at, 32)) // P1

/** Issuer ranges and lengths; what is in none of them is no card. */
const ISSUERS: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^(?:30[0-5]|3[689])/, [14, 16]],
  [/^35(?:2[89]|[3-8])/, [16, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [13, 15, 16, 18, 19]],
  [/^220[0-4]/, [16]],
]
const CARD = /(?<![\w.+]|\d-)(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5}|\d{13,19})(?!\w|[.,-]\d)/g

const cardOf = (text: string, match: string, index: number, written: boolean): Span | undefined => {
  const digits = match.replaceAll(/\D/g, '')
  const issued = ISSUERS.some(([range, lengths]) => range.test(digits) && lengths.includes(digits.length))
  if (!issued || /^(\d)\1+$/.test(digits) || !luhn(digits)) return undefined
  if (!written && isLabelled(text, index)) return undefined
  const reason = 'a number in the range of a card issuer with a right check digit'
  return { start: index, end: index + match.length, kind: 'card', score: written ? 0.98 : 0.92, reason }
}

/** Payment cards; another number in groups right before one does not hide it. */
export const findCards = (text: string): Span[] => {
  const spans: Span[] = []
  CARD.lastIndex = 0
  for (let found = CARD.exec(text); found !== null; found = CARD.exec(text)) {
    const { 0: match, 1: grouped, 2: amex, index } = found
    const written = grouped !== undefined || amex !== undefined
    const card = cardOf(text, match, index, written)
    if (card !== undefined) spans.push(card)
    else if (written) CARD.lastIndex = index + 4 // the group may be another number: a card may begin behind it
  }
  return spans
}

const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  `AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18
  GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24
  PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)
const IBAN_START = /(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])/g

/** Where `chars` letters and digits end that start at `start`, one separator between two at most; undefined when they do not. */
const endOf = (text: string, start: number, chars: number): number | undefined => {
  let at = start
  for (let taken = 0; taken < chars; taken++) {
    if (taken > 0 && /[ -]/.test(text.charAt(at))) at++
    if (!/[A-Za-z0-9]/.test(text.charAt(at))) return undefined
    at++
  }
  return /[A-Za-z0-9]/.test(text.charAt(at)) ? undefined : at
}

/** IBANs of every country of the registry, in one piece or in groups. */
export const findIbans = (text: string): Span[] =>
  [...text.matchAll(IBAN_START)].flatMap(({ 0: match, index }) => {
    const length = IBAN_LENGTHS[match.slice(0, 2).toUpperCase()]
    const end = length === undefined ? undefined : endOf(text, index, length)
    if (end === undefined || !mod97(text.slice(index, end).replaceAll(/[ -]/g, '').toUpperCase())) return []
    return [{ start: index, end, kind: 'iban', score: 0.99, reason: 'an IBAN of the right length with right check digits' }]
  })

const COUNTRY_CODE =
  /^(?:1|7|2(?:0|7|1[1-36-8]|[2-6]\d|9[01789])|3(?:[0-469]|5\d|7\d|8[0-35-79])|4(?:[013-9]|2[0134])|5(?:[1-8]|0\d|9\d)|6(?:[0-6]|7[02-9]|8\d|9[0-2])|8(?:[1246]|5[02356]|80|86)|9(?:[0-58]|6[0-8]|7\d|9[2-68]))/
const INTERNATIONAL = /(?:(?<![\w+])\+|(?<![\w+]|\d[ -])(?:\+ |00 ?(?=[1-9])))\(?[1-9]\)?(?:[ ./()-]{0,3}\d){6,14}(?!\w)/g
const NORTH_AMERICAN = /(?<![\w.+]|\d-)(?:1[ .-])?(?:\([2-9]\d{2}\) ?-?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?!\w|[.-]\d)/g
const TRUNK_ZERO = /(?<![\w.+/]|\d[ -])\(?0[1-9]\d{0,4}\)?(?:[ /.-]{1,3}\d{2,8}){1,4}(?!\w|[.-]\d)/g
const AFTER_WORD = /(?<![\w.+-])\(?\d(?:[ ./()-]{0,2}\d){6,13}(?!\w|[.-]\d)/g
const DATE = /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?!\d|[-/.]\d)/

type Form = {
  readonly pattern: RegExp
  readonly score: number
  readonly holds: (digits: string, match: string, context: Context) => boolean
}
type Context = { readonly labelled: boolean; readonly asked: boolean }

const between = (digits: string, min: number, max: number): boolean => digits.length >= min && digits.length <= max

const isInternational = (digits: string, match: string, { labelled, asked }: Context): boolean => {
  const number = match.startsWith('+') ? digits : digits.slice(2)
  if (!COUNTRY_CODE.test(number) || (number.startsWith('1') ? number.length !== 11 : !between(number, 8, 15))) return false
  return match.startsWith('+') || asked || (!labelled && /\d[ ./-]/.test(match))
}

const FORMS: readonly Form[] = [
  { pattern: INTERNATIONAL, score: 0.95, holds: isInternational },
  { pattern: NORTH_AMERICAN, score: 0.85, holds: (_digits, _match, { labelled, asked }) => asked || !labelled },
  {
    pattern: TRUNK_ZERO,
    score: 0.75,
    holds: (digits, match, { labelled, asked }) => between(digits, 9, 12) && !DATE.test(match) && (asked || !labelled),
  },
  { pattern: AFTER_WORD, score: 0.8, holds: (digits, match, { asked }) => asked && between(digits, 7, 13) && !DATE.test(match) },
]

/** Telephone numbers: international, of North America, with a trunk zero, and any after a word that asks for one. */
export const findPhones = (text: string): Span[] =>
  FORMS.flatMap(({ pattern, score, holds }) =>
    [...text.matchAll(pattern)].flatMap(({ 0: match, index }) => {
      const context = { labelled: isLabelled(text, index), asked: PHONE_WORD.test(before(text, index, 48)) }
      if (!holds(match.replaceAll(/\D/g, ''), match, context)) return []
      const reason = context.asked ? 'a number after a word for telephone' : 'a number written as a telephone number'
      return [{ start: index, end: index + match.length, kind: 'phone', score: context.asked ? Math.max(score, 0.9) : score, reason }]
    }),
  )
