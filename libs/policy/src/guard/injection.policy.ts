// Attempts to command the model that reads a text. A heuristic: a signal for gates and people, never the only defence.
//   I1. The risk is what several kinds of signs say together (1 minus the product of what each leaves); one kind counts once.
//   I2. What is hidden is read: base64, hex and percent codes, tag characters, letters with something between them.
//   I3. Emoji, flags, and the joiners that Persian, Arabic and Indic scripts need are no hidden text.
import { guardOf, type Deadline, type Guard, type GuardSettings, type Span } from './guard.ts'
import { INJECTION_RULES, SQUEEZED_RULES } from './injection-rules.policy.ts'
import { findHidden } from './hidden-text.policy.ts'
import { searchOf } from './pattern-union.policy.ts'
import { arranged, fold, lower } from './spans.policy.ts'
import { disguiseOf, type Disguise } from './survey.policy.ts'

const IMAGE =
  /!\[[^\]\n]{0,200}\]\(\s{0,3}<?(https?:\/\/[^\s)>]{1,2000})|<img\b[^>]{0,200}?\bsrc\s{0,3}=\s{0,3}["']?(https?:\/\/[^\s"'>]{1,2000})/gi
const CARRIES =
  /[{<[$%](?:[^}>\]]{2,60})[}>\]]|=[{<[][a-z_ ]{2,60}$|(?:data|content|secret|conversation|history|prompt|summary|leak|exfil|msg|q)=(?:[{<[$%]|[\w%+/=-]{40,})/i

const findImages = (text: string): Span[] =>
  [...text.matchAll(IMAGE)].flatMap(({ 0: match, 1: markdown, 2: html, index }) => {
    const url = markdown ?? html ?? ''
    const span = { start: index, end: index + match.length, kind: 'image_exfiltration' }
    if (CARRIES.test(url)) return [{ ...span, score: 0.8, reason: 'an image whose address carries data away' }]
    return /\?[^=]{1,40}=/.test(url) ? [{ ...span, score: 0.3, reason: 'an image with a query in its address' }] : []
  })

const LATIN: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('аaеeоoрpсcуyхxіiѕsјjԁdӏlεeοoαaιiνvρp0o1i3e4a5s7t@a$s').flatMap((letter, at, all) =>
    at % 2 === 0 ? [[letter, all[at + 1] ?? '']] : [],
  ),
)
const SPACED = /(?<![\p{L}\p{N}])[\p{L}\p{N}@$](?:[ ._*|\u00b7-]{1,3}[\p{L}\p{N}@$](?![\p{L}\p{N}])){7,200}/gu
const MIXED = /[\p{L}\p{N}@$][\p{L}\p{N}@$ ]{10,400}/gu
const SUBSTITUTED = /[a-z][\u0370-\u04ff]|[\u0370-\u04ff][a-z]|[a-z][013457][a-z]/i
/** Eight single characters in a row: without them there is nothing spaced, and this is told without knowing of letters. */
const SINGLES = /(?<![^\s._*|-])[^\s._*|-](?:[ ._*|\u00b7-]{1,3}[^\s._*|-](?![^\s._*|-])){7}/

const squeezed = (text: string): string =>
  Array.from(text.toLowerCase())
    .map((character) => LATIN[character] ?? character)
    .join('')
    .replaceAll(/[^a-z]/g, '')

const findSpaced = (text: string, { spaced, swapped }: Disguise): Span[] =>
  [...(spaced && SINGLES.test(text) ? [SPACED] : []), ...(swapped && SUBSTITUTED.test(text) ? [MIXED] : [])].flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap(({ 0: match, index }) => {
      if (pattern === MIXED && !SUBSTITUTED.test(match)) return []
      const bare = squeezed(match)
      if (!SQUEEZED_RULES.some((order) => order.test(bare))) return []
      return [
        {
          start: index,
          end: index + match.length,
          kind: 'obfuscation',
          score: 0.85,
          reason: 'an order with something between or in place of its letters',
        },
      ]
    }),
  )

/** All rules in one pass: most texts match none. */
const searchRules = searchOf(INJECTION_RULES)

/** The rules are in small letters: a pattern that knows no capitals is twice as fast. */
const findRules = (text: string, deadline: Deadline): Span[] => {
  const small = lower(text)
  deadline()
  return searchRules(small, deadline).map(({ of: { kind, weight, reason }, match, index }) => ({
    start: index,
    end: index + match.length,
    kind,
    score: weight,
    reason,
  }))
}

/** All signs in a text, weak ones too. */
const findSigns = (text: string, deadline: Deadline): readonly Span[] => {
  const folded = fold(text)
  const reads = (hidden: string): boolean => riskOf(findRules(hidden, deadline)) >= 0.5
  return [...findRules(folded, deadline), ...findImages(folded), ...findSpaced(folded, disguiseOf(folded)), ...findHidden(text, reads)]
}

const riskOf = (spans: readonly Span[]): number => {
  const byKind = new Map<string, number>()
  for (const { kind, score } of spans) byKind.set(kind, Math.max(byKind.get(kind) ?? 0, score))
  return 1 - [...byKind.values()].reduce((left, score) => left * (1 - score), 1) // I1
}

export type InjectionSettings = GuardSettings & {
  /** A risk above this counts. */
  readonly max?: number | undefined
}

/** The guard `injection`. */
export const injectionGuard = (settings: InjectionSettings = {}): Guard =>
  guardOf('injection', settings, (text, deadline) => {
    const spans = arranged(text, findSigns(text, deadline))
    const risk = riskOf(spans)
    return { spans: risk > (settings.max ?? 0.5) ? spans : [], risk }
  })
