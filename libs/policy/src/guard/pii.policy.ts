// Personal data, by detectors with check digits where the number has one.
import { type Deadline, guardOf, type Guard, type GuardSettings, type Span } from './guard.ts'
import { findAddresses } from './pii/addresses.policy.ts'
import { findNationalIds, NATIONAL_IDS } from './pii/national-ids.policy.ts'
import { findEmails, findIps, findMacs } from './pii/network.policy.ts'
import { findCards, findIbans, findPhones } from './pii/numbers.policy.ts'
import { arranged, fold } from './spans.policy.ts'

const DETECTORS: Readonly<Record<string, (text: string) => Span[]>> = {
  email: findEmails,
  iban: findIbans,
  card: findCards,
  phone: findPhones,
  ip: findIps,
  mac: findMacs,
  address: findAddresses,
}

/** Every kind of personal data that is looked for. */
export const PII_KINDS: readonly string[] = [...Object.keys(DETECTORS), ...NATIONAL_IDS]

/** Kinds with check digits. */
const CHECKED = ['iban', 'card']

export type PiiSettings = GuardSettings & {
  readonly kinds?: readonly string[] | undefined
  /** Findings below this score do not count. */
  readonly min?: number | undefined
}

/** The text with the spans struck out: their digits are no part of a telephone number, and every other character keeps its place. */
const struck = (text: string, spans: readonly Span[]): string => {
  let written = ''
  let at = 0
  for (const { start, end } of spans.toSorted((left, right) => left.start - right.start)) {
    if (end <= at) continue
    const from = Math.max(at, start)
    written += text.slice(at, from) + '|'.repeat(end - from)
    at = end
  }
  return written + text.slice(at)
}

/** Personal data in a text. */
const findPii = (text: string, { kinds = PII_KINDS, min = 0.5 }: PiiSettings, deadline: Deadline): readonly Span[] => {
  const folded = fold(text)
  const wanted = new Set(kinds)
  const ids = findNationalIds(folded, new Set(NATIONAL_IDS))
  const checked = CHECKED.flatMap((kind) => (DETECTORS[kind]?.(folded) ?? []).filter(({ score }) => score >= min))
  deadline()
  // Bank numbers and ids hold digits that look like a telephone number; the surer one counts.
  const unsure = struck(folded, [...checked, ...ids.filter(({ score }) => score >= min)])
  const spans = Object.entries(DETECTORS).flatMap(([kind, find]) => {
    deadline()
    if (!wanted.has(kind)) return []
    return kind === 'phone' ? find(unsure) : CHECKED.includes(kind) ? checked.filter((span) => span.kind === kind) : find(folded)
  })
  const all = [...spans, ...ids.filter(({ kind }) => wanted.has(kind))]
  return arranged(
    text,
    all.filter(({ score }) => score >= min),
  )
}

/** The guard `pii`. */
export const piiGuard = (settings: PiiSettings = {}): Guard =>
  guardOf('pii', settings, (text, deadline) => {
    const spans = findPii(text, settings, deadline)
    return { spans, risk: Math.max(0, ...spans.map(({ score }) => score)) }
  })
