// Guards by lists: competitors, topics, links, and patterns of a product's own.
//   W1. Words are plain strings, whole words whatever their case and the white space between; they are never patterns.
//   W2. A pattern of a product runs in RE2, in linear time, and is bounded in length, number and matches.
import { RE2JS } from 're2js'
import { guardOf, type Deadline, type Guard, type GuardSettings, type Span } from './guard.ts'
import { arranged, fold, lower } from './spans.policy.ts'

const isWordPart = (character: string): boolean => /[\p{L}\p{N}_]/u.test(character)
const isSpace = (character: string): boolean => /\s/.test(character)

/** Where the words go on in a text from a position, white space being as long as it likes; undefined where they do not (W1). */
const endOfWords = (text: string, start: number, words: string): number | undefined => {
  let at = start
  for (let wanted = 0; wanted < words.length; wanted++) {
    if (isSpace(words.charAt(wanted))) {
      if (!isSpace(text.charAt(at))) return undefined
      while (isSpace(text.charAt(at))) at++
    } else if (text.charAt(at) === words.charAt(wanted)) at++
    else return undefined
  }
  return at
}

/** Where words stand in a text (W1). */
const findWords = (text: string, phrases: readonly string[], kind: string, reason: string, score = 0.9): Span[] => {
  const within = lower(fold(text))
  return phrases.flatMap((phrase) => {
    const wanted = lower(fold(phrase)).trim().replaceAll(/\s+/g, ' ')
    const head = wanted.split(' ')[0] ?? wanted
    const spans: Span[] = []
    for (let at = head === '' ? -1 : within.indexOf(head); at >= 0; at = within.indexOf(head, at + 1)) {
      const end = endOfWords(within, at, wanted)
      const startsWord = !isWordPart(head.charAt(0)) || !isWordPart(within.charAt(at - 1))
      if (end !== undefined && startsWord && (!isWordPart(wanted.at(-1) ?? '') || !isWordPart(within.charAt(end))))
        spans.push({ start: at, end, kind, score, reason })
    }
    return spans
  })
}

const listed = (text: string, spans: readonly Span[]): { spans: readonly Span[]; risk: number } => {
  const kept = arranged(text, spans)
  return { spans: kept, risk: Math.max(0, ...kept.map(({ score }) => score)) }
}

export type CompetitorSettings = GuardSettings & { readonly names: readonly string[] }

/** The guard `competitors`: names that must not be mentioned. */
export const competitorsGuard = (settings: CompetitorSettings): Guard =>
  guardOf('competitors', settings, (text) => listed(text, findWords(text, settings.names, 'competitor', 'a competitor is mentioned')))

export type TopicSettings = GuardSettings & {
  /** Words by topic; one of them must be there. */
  readonly allow?: Readonly<Record<string, readonly string[]>> | undefined
  /** Words by topic; `min` of them must not be there. */
  readonly deny?: Readonly<Record<string, readonly string[]>> | undefined
  /** Words of a denied topic from which it is the topic. */
  readonly min?: number | undefined
}

/** The guard `topic`. */
export const topicGuard = (settings: TopicSettings): Guard => ({
  ...guardOf('topic', settings, (text, deadline) => {
    const { allow, deny = {}, min = 1 } = settings
    const denied = Object.entries(deny).flatMap(([topic, words]) => {
      deadline()
      const spans = findWords(text, words, `topic_${topic}`, `the text is about ${topic}`)
      return spans.length >= min ? spans : []
    })
    if (denied.length > 0) return listed(text, denied)
    const isAllowed = allow === undefined || Object.values(allow).some((words) => findWords(text, words, 'topic', '').length > 0)
    if (isAllowed) return { spans: [], risk: 0 }
    return {
      spans: [{ start: 0, end: text.length, kind: 'topic_other', score: 0.7, reason: 'the text is about none of the topics allowed' }],
      risk: 0.7,
    }
  }),
  // What a text is not about yet it may still come to.
  ...(settings.allow === undefined ? {} : { whole: true as const }),
})

const LINK = /(?:\b[a-z][a-z0-9+.-]{1,15}:\/\/|\b(?:javascript|data|vbscript):|(?<![\w@.])www\.)[^\s<>"'`)\]}]{1,2000}/gi

/** What every link has: few texts have it, and none is read further without. */
const ANY_LINK = /:\/\/|(?:javascript|data|vbscript):|www\./i

export type LinkSettings = GuardSettings & {
  /** Domains with their subdomains; absent: every one. */
  readonly allow?: readonly string[] | undefined
  readonly deny?: readonly string[] | undefined
  readonly schemes?: readonly string[] | undefined
}

const hostOf = (link: string): { scheme: string; host: string; hasUser: boolean } => {
  const [, scheme = 'http', rest = link] = /^([a-z][a-z0-9+.-]*):(?:\/\/)?(.*)$/is.exec(link) ?? []
  const authority = /^[^/?#\\]*/.exec(rest)?.[0] ?? ''
  const host = authority
    .slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .replace(/\.$/, '')
    .toLowerCase()
  return { scheme: scheme.toLowerCase(), host, hasUser: authority.includes('@') }
}

const under = (host: string, domains: readonly string[]): boolean =>
  domains.some((domain) => host === domain.toLowerCase() || host.endsWith(`.${domain.toLowerCase()}`))

const linkProblem = (link: string, { allow, deny = [], schemes = ['http', 'https'] }: LinkSettings): string | undefined => {
  const { scheme, host, hasUser } = hostOf(link)
  if (!schemes.includes(scheme)) return 'a link of a scheme that is not allowed'
  if (under(host, deny)) return 'a link to a domain that is denied'
  if (allow !== undefined && !under(host, allow)) return 'a link to a domain that is not allowed'
  if (hasUser) return 'a link whose address begins with the name of a user, to look like another'
  if (allow === undefined && /(?:^|\.)xn--|[^\x20-\x7e]/.test(host)) return 'a link to a domain in letters that may look like others'
  return undefined
}

/** The guard `links`. */
export const linksGuard = (settings: LinkSettings): Guard =>
  guardOf('links', settings, (text) =>
    listed(
      text,
      [...(ANY_LINK.test(text) ? text.matchAll(LINK) : [])].flatMap(({ 0: match, index }) => {
        const link = match.replace(/[.,;:!?*_]+$/, '')
        const reason = linkProblem(link, settings)
        return reason === undefined ? [] : [{ start: index, end: index + link.length, kind: 'link', score: 0.9, reason }]
      }),
    ),
  )

/** Limits of the patterns of a product (W2). */
export const PATTERN_LIMITS = { patternChars: 1_000, patterns: 50, matches: 1_000 } as const

export type PatternSettings = GuardSettings & {
  /** RE2 patterns by the kind that they find. */
  readonly patterns: Readonly<Record<string, string>>
}

const findPattern = (text: string, kind: string, pattern: RE2JS, deadline: Deadline): Span[] => {
  const spans: Span[] = []
  const matcher = pattern.matcher(text)
  while (spans.length < PATTERN_LIMITS.matches && matcher.find()) {
    if (spans.length % 32 === 0) deadline()
    spans.push({ start: matcher.start(), end: matcher.end(), kind, score: 1, reason: `the pattern ${kind} matches` })
  }
  return spans
}

/** The guard `patterns` (W2). Throws for what is not a pattern of RE2. */
export const patternsGuard = (settings: PatternSettings): Guard => {
  const compiled = Object.entries(settings.patterns).map(([kind, pattern]) => [kind, RE2JS.compile(pattern)] as const)
  return guardOf('patterns', settings, (text, deadline) =>
    listed(
      text,
      compiled.flatMap(([kind, pattern]) => {
        deadline()
        return findPattern(text, kind, pattern, deadline)
      }),
    ),
  )
}
