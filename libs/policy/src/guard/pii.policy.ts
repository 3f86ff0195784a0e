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

export type PiiSettings = GuardSettings & {
  readonly kinds?: readonly string[] | undefined
  /** Findings below this score do not count. */
  readonly min?: number | undefined
}

/** Bank numbers and ids hold digits that look like a telephone number; the surer one stays. */
const ARE_CHECKED = new Set(['iban', 'card', ...NATIONAL_IDS])

const withoutEchoes = (spans: readonly Span[]): readonly Span[] => {
  const checked = spans.filter(({ kind }) => ARE_CHECKED.has(kind))
  return spans.filter(({ kind, start, end }) => kind !== 'phone' || !checked.some((other) => start < other.end && other.start < end))
}

/** Personal data in a text. */
const findPii = (text: string, { kinds = PII_KINDS, min = 0.5 }: PiiSettings, deadline: Deadline): readonly Span[] => {
  const folded = fold(text)
  const wanted = new Set(kinds)
  const spans = Object.entries(DETECTORS).flatMap(([kind, find]) => {
    deadline()
    return wanted.has(kind) ? find(folded) : []
  })
  deadline()
  const all = [...spans, ...findNationalIds(folded, wanted)]
  return arranged(
    text,
    withoutEchoes(all).filter(({ score }) => score >= min),
  )
}

/** The guard `pii`. */
export const piiGuard = (settings: PiiSettings = {}): Guard =>
  guardOf('pii', settings, (text, deadline) => {
    const spans = findPii(text, settings, deadline)
    return { spans, risk: Math.max(0, ...spans.map(({ score }) => score)) }
  })
