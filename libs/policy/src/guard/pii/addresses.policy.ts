// Postal addresses, by how they are written: a number and a name with a word for street. Heuristic, hence scores below those with checks.
import type { Span } from '../guard.ts'

const NAME = "[\\p{Lu}][\\p{L}'’.-]{0,24}"
const STREET_EN =
  'Street|St\\.?|Avenue|Ave\\.?|Road|Rd\\.?|Boulevard|Blvd\\.?|Lane|Ln\\.?|Dr\\.|Court|Ct\\.?|Square|Sq\\.?|Terrace|Pl\\.|Crescent|Gardens|Parkway|Pkwy\\.?|Highway|Hwy\\.?|Mews|Hill|(?:Drive|Dr|Place|Pl|Way|Close|Row)(?! \\p{Lu}\\p{Ll}+(?! ?[A-Z,\\d]))'
const UNIT = '(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\\.? ?#?[\\dA-Z-]{1,6})?'
const US_TAIL = `(?:,? ${NAME}(?: ${NAME}){0,2},? [A-Z]{2} \\d{5}(?:-\\d{4})?)?`
const GB_POSTCODE = '[A-Z]{1,2}\\d[A-Z\\d]? \\d[A-Z]{2}'
const GB_TAIL = `(?:,? (?:${NAME}(?: ${NAME}){0,2},? )?${GB_POSTCODE})?`
const EU_TAIL = `(?:,? (?:[A-Z]{1,2}-)?\\d{4,5}(?: [A-Z]{2})? ${NAME}(?: (?:am|an der|a\\.|im) ${NAME})?)?`

/** A street that has no word for street in it. */
const PREPOSITION = '(?:Am|An der|An den|Auf dem|Auf der|Im|In der|In den|Unter den|Zum|Zur|Hinter der|Vor dem)'
const DE_TAIL = `,? (?:D-)?\\d{5} ${NAME}(?: (?:am|an der|a\\.|im) ${NAME})?`

/** The word for street before the number, looked for first: the whole pattern begins at every capital. */
const GERMAN = /(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ufer|damm|ring|straat|laan|plein|gracht|kade|singel|dreef) \d/i

const PATTERNS: readonly (readonly [pattern: RegExp, score: number, indicator?: RegExp])[] = [
  [
    new RegExp(
      `(?<![\\w.])(?:(?:Flat|Apt\\.?|Apartment|Suite|Unit) [\\dA-Z]{1,5},? )?\\d{1,5}[A-Za-z]?,? (?:(?:N|S|E|W|North|South|East|West)\\.? )?(?:(?:${NAME}|\\d{1,3}(?:st|nd|rd|th)) ){1,3}(?:${STREET_EN})(?![\\p{L}])${UNIT}(?:${US_TAIL}${GB_TAIL})`,
      'gu',
    ),
    0.8,
  ],
  [
    new RegExp(
      `(?<![\\p{L}\\d-])(?:[\\p{Lu}][\\p{L}-]{1,30}(?:straße|strasse|str\\.|weg|platz|allee|gasse|ufer|damm|ring|straat|laan|plein|gracht|kade|singel|dreef)|(?:${NAME} ){1,3}(?:Straße|Strasse|Str\\.|Weg|Platz|Allee|Ring|Damm|Ufer)) \\d{1,4} ?[a-z]?(?![\\p{L}\\d])${EU_TAIL}`,
      'gu',
    ),
    0.85,
    GERMAN,
  ],
  [
    new RegExp(
      `(?<![\\p{L}\\d])\\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse|allée|quai|cours) (?:(?:de|du|des|la|le|l['’]|d['’]) ?){0,3}${NAME}(?:[ -](?:de |du |des |la )?${NAME}){0,3}${EU_TAIL}`,
      'gu',
    ),
    0.8,
  ],
  [
    new RegExp(
      `(?<![\\p{L}])(?:Calle|C/|Avenida|Avda\\.?|Plaza|Paseo|Carrera?|Via|Viale|Piazza|Corso|Largo|Rua|Travessa) (?:(?:de|del|della|dei|di|la|las|los|da|do) ){0,2}${NAME}(?: ${NAME}){0,3},? (?:n[.º°]? ?)?\\d{1,4}(?![\\d%])${EU_TAIL}`,
      'gu',
    ),
    0.8,
  ],
  [new RegExp(`(?<![\\p{L}])${PREPOSITION} (?:${NAME} ){1,3}\\d{1,4} ?[a-z]?(?![\\p{L}\\d])${DE_TAIL}`, 'gu'), 0.8, /\d{5} \p{Lu}/u],
  [
    new RegExp(
      `(?<=(?:[Aa]dresse|[Aa]nschrift|[Ww]ohnhaft|[Ww]ohne)[^\\n\\d]{0,16})${PREPOSITION} (?:${NAME} ){1,3}\\d{1,4} ?[a-z]?(?![\\p{L}\\d])`,
      'gu',
    ),
    0.75,
    /adresse|anschrift|wohn/i,
  ],
  [/(?<!\w)(?:P\.? ?O\.? Box|Postfach|Postbus|Apartado(?: de Correos)?) \d{1,7}(?!\w)/gi, 0.8],
  [new RegExp(`(?<![\\w])${GB_POSTCODE}(?![\\w])`, 'g'), 0.65],
]

/** Postal addresses as they are written in English, German, Dutch, French, Spanish and Italian. */
export const findAddresses = (text: string): Span[] =>
  PATTERNS.flatMap(([pattern, score, indicator]) =>
    (indicator?.test(text) === false ? [] : [...text.matchAll(pattern)]).map(({ 0: match, index }) => ({
      start: index,
      end: index + match.length,
      kind: 'address',
      score,
      reason: 'written like a postal address',
    })),
  )
