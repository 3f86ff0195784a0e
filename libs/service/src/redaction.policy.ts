// What must not be readable in a trace is replaced before it is stored.
//   C1. E-mail addresses, card numbers (Luhn), IBANs (mod 97), phone numbers and secrets become `[email]`, `[card]`, …
//   C2. The shape of the value and every other character stay, so that a trace can still be read.
import type { Json } from '@baton/contracts/json'

const EMAIL = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b/g
const DIGITS = /(?<![\w.])\+?\(?\d(?:[ ().-]{0,2}\d){7,18}(?![\w])/g
const SECRET =
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}|\bAKIA[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-[A-Za-z0-9-]{10,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}|\b[Bb]earer +[\w.~+/=-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g
const SECRET_FIELD =
  /^(?:password|passwd|secret|token|authorization|cookie|api[-_]?key|access[-_]?token|refresh[-_]?token|private[-_]?key|cvv|pin)$/i

const luhn = (digits: string): boolean => {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i])
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

const mod97 = (iban: string): boolean => {
  const compact = iban.replaceAll(' ', '')
  if (compact.length < 15 || compact.length > 34) return false
  let rest = 0
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

const digitsOf = (match: string): string => {
  const digits = match.replace(/\D/g, '')
  if (digits.length >= 13 && luhn(digits)) return '[card]'
  const written = match.startsWith('+') || /[ ().-]/.test(match)
  return written && digits.length >= 8 && digits.length <= 15 && !isDate(match) ? '[phone]' : match
}

/** Dates and times are made of the same characters as phone numbers. */
const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(text) || /^\d{1,2}[.-]\d{1,2}[.-]\d{4}/.test(text)

/** A text with what is private replaced. */
export const redactText = (text: string): string => {
  if (text.length < 6) return text
  return text
    .replace(SECRET, '[secret]')
    .replace(EMAIL, '[email]')
    .replace(IBAN, (match) => (mod97(match) ? '[iban]' : match))
    .replace(DIGITS, digitsOf)
}

/** A value with every text in it redacted, and fields whose name speaks of a secret replaced whole. */
export const redactJson = (value: Json): Json => {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item: Json) => redactJson(item))
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, Json]) => [
      name,
      SECRET_FIELD.test(name) && typeof field === 'string' ? '[secret]' : redactJson(field),
    ]),
  )
}
