// Numbers that states give to people. Those whose check is weak count only with their name before or behind them.
import type { Span } from '../guard.ts'
import { bsn, codiceFiscale, dni, nir, personalausweis, ssn, steuerId } from './check-digits.policy.ts'

type Id = {
  readonly kind: string
  readonly pattern: RegExp
  readonly valid: (bare: string) => boolean
  /** Words around that name it. */
  readonly named: RegExp
  /** How sure without its name; 0: only with it. */
  readonly alone: number | ((match: string) => number)
  readonly reason: string
  /** What every match holds and few texts do: looked for first, where a pattern begins with a letter. */
  readonly holds?: RegExp
}

const AROUND_CHARS = 48
const NINO = /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/

const IDS: readonly Id[] = [
  {
    kind: 'us_ssn',
    pattern: /(?<![\w.]|\d-)(?:\d{3}-\d{2}-\d{4}|\d{3} \d{2} \d{4}|\d{9})(?!\w|[.-]\d)/g,
    valid: ssn,
    named: /\bssn\b|social\s+security|tax(?:payer)? id/i,
    alone: (match) => (match.includes('-') ? 0.75 : 0),
    reason: 'a social security number by its rules',
  },
  {
    kind: 'de_tax_id',
    pattern: /(?<![\w.]|\d-)\d{2}(?: ?\d{3}){3}(?!\w|[.-]\d)/g,
    valid: steuerId,
    named: /steuer|\bidnr|\btin\b|tax/i,
    // One that begins with 0 is given out for trials only.
    alone: (match) => (match.startsWith('0') ? 0 : 0.8),
    reason: 'a German tax id with a right check digit',
  },
  {
    kind: 'de_id_card',
    pattern: /(?<!\w)[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8} ?\d(?=D(?:\b|<)|(?!\w))D?/g,
    valid: (bare) => personalausweis(bare.slice(0, 10)),
    named: /ausweis|identity card|id card|\bpass(?:port|nummer|-nr)?\b|reisepass|\bdokument/i,
    alone: (match) => (match.endsWith('D') ? 0.7 : 0),
    reason: 'number and check digit of a German identity document',
  },
  {
    kind: 'nl_bsn',
    pattern: /(?<![\w.]|\d-)(?:\d{9}|\d{4}[. ]\d{2}[. ]\d{3}|\d{3}[. ]\d{3}[. ]\d{3})(?!\w|[.-]\d)/g,
    valid: bsn,
    named: /\bbsn\b|burgerservice|\bsofi|citizen service/i,
    alone: 0,
    reason: 'a Dutch BSN that passes the eleven test',
  },
  {
    kind: 'es_dni',
    pattern: /(?<![\w-])(?:[XYZ][ -]?\d{7}|\d{8}|\d{2}\.\d{3}\.\d{3})[ -]?[A-HJ-NP-TV-Z](?![\w-])/g,
    valid: dni,
    named: /\bdni\b|\bnie\b|\bnif\b|documento nacional|identidad/i,
    alone: 0.75,
    reason: 'a Spanish DNI or NIE with the right letter',
  },
  {
    kind: 'it_codice_fiscale',
    pattern: /\b[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]\b/gi,
    valid: (bare) => codiceFiscale(bare),
    named: /codice fiscale|\bc\.? ?f\.?\b/i,
    alone: 0.95,
    reason: 'an Italian codice fiscale with the right letter',
  },
  {
    kind: 'uk_nino',
    pattern: /(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/gi,
    valid: (bare) => NINO.test(bare),
    named: /\bnino\b|\bni (?:no|number)|national insurance/i,
    alone: (match) => (match === match.toUpperCase() ? 0.8 : 0),
    reason: 'a UK national insurance number by its rules',
    holds: /\d\d ?\d\d ?\d\d ?[A-D]/i,
  },
  {
    kind: 'fr_nir',
    pattern: /(?<![\w.]|\d-)[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w|[.-]\d)/g,
    valid: nir,
    named: /sécurité sociale|\bnir\b|insee|securite sociale/i,
    alone: 0.85,
    reason: 'a French NIR with a right key',
  },
]

/** The kinds of national ids. */
export const NATIONAL_IDS: readonly string[] = IDS.map(({ kind }) => kind)

const findOne = (text: string, { kind, pattern, valid, named, alone, reason, holds }: Id): Span[] =>
  [...(holds?.test(text) === false ? [] : text.matchAll(pattern))].flatMap(({ 0: match, index }) => {
    if (!valid(match.replaceAll(/[ .-]/g, '').toUpperCase())) return []
    const end = index + match.length
    const around = `${text.slice(Math.max(0, index - AROUND_CHARS), index)} ${text.slice(end, end + AROUND_CHARS)}`
    const score = named.test(around) ? 0.97 : typeof alone === 'number' ? alone : alone(match)
    return score > 0 ? [{ start: index, end, kind, score, reason }] : []
  })

/** National ids of the kinds asked for. */
export const findNationalIds = (text: string, kinds: ReadonlySet<string>): Span[] =>
  IDS.flatMap((id) => (kinds.has(id.kind) ? findOne(text, id) : []))
