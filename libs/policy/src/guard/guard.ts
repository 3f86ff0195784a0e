// What every guard is: a function from a text to spans, each with kind, score and reason, and an action a kind.
//   G1. Offsets are UTF-16 code units, as `slice` takes them, and never in the middle of a surrogate pair.
//   G2. A span, a reason and a verdict hold where and what kind, never what was read there.
//   G3. What was redacted is found by no look again; redacting twice is redacting once.
//   G4. A guard that cannot finish (time, length) throws; what follows is the caller's to say, and closed unless it says otherwise.

/** What follows when a guard finds something, from the strongest on. */
export const GUARD_ACTIONS = ['block', 'ask', 'redact', 'flag'] as const
export type GuardAction = (typeof GUARD_ACTIONS)[number]

/** Where something was found and what kind it is (G1, G2). */
export type Span = {
  readonly start: number
  readonly end: number
  readonly kind: string
  /** How sure, 0 to 1. */
  readonly score: number
  readonly reason: string
}

/** A span with what is to be done about it. */
export type Finding = Span & { readonly guard: string; readonly action: GuardAction }

/** What one look at a text gives: spans that count, and how bad it is altogether. */
export type Inspection = { readonly spans: readonly Span[]; readonly risk: number }

/** Throws when the time is used up (G4). */
export type Deadline = () => void

export type Guard = {
  readonly name: string
  readonly inspect: (text: string, deadline: Deadline) => Inspection
  readonly actionOf: (kind: string) => GuardAction
  readonly placeholderOf: (kind: string) => string
  /** It judges a text as a whole: of a text that is still being written it is asked at the end only. */
  readonly whole?: true
}

/** What guards conclude of a text. `ok` is false where a finding blocks or asks. */
export type GuardVerdict = {
  readonly ok: boolean
  readonly action: GuardAction | 'none'
  /** 1 is best: 1 minus the risk. */
  readonly score: number
  readonly reason: string
  readonly findings: readonly Finding[]
}

/** Settings that every guard has. */
export type GuardSettings = {
  readonly action?: GuardAction | undefined
  /** By kind; wins over `action`. */
  readonly actions?: Readonly<Record<string, GuardAction | undefined>> | undefined
  /** By kind, or `*` for the rest; `[KIND]` where absent. */
  readonly placeholders?: Readonly<Record<string, string | undefined>> | undefined
}

const own = <T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined

/** A guard of its look and its settings. */
export const guardOf = (name: string, settings: GuardSettings, inspect: Guard['inspect']): Guard => ({
  name,
  inspect,
  actionOf: (kind) => own(settings.actions, kind) ?? settings.action ?? 'block',
  placeholderOf: (kind) => own(settings.placeholders, kind) ?? own(settings.placeholders, '*') ?? `[${kind.toUpperCase()}]`,
})
