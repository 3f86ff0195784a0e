// Money for a time: which period it is, how much a replica takes at once, and when it will be gone (B9).

export const BUDGET_PERIODS = ['hour', 'day', 'month'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Days since 1970 of the first of a month; months count on beyond 12. */
const firstOf = (year: number, month: number): number => {
  const [ofYear, ofMonth] = [year + Math.floor((month - 1) / 12), ((month - 1) % 12) + 1]
  const shifted = ofMonth <= 2 ? ofYear - 1 : ofYear
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (ofMonth + (ofMonth > 2 ? -3 : 9)) + 2) / 5)
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** The month that a day is in. No clock and no calendar of the machine is read. */
const monthOf = (day: number): { readonly startMs: number; readonly endMs: number } => {
  const year = 1970 + Math.floor(day / 365.242_5)
  const months = Array.from({ length: 26 }, (_, index) => firstOf(year - 1, index + 1))
  const at = months.findLastIndex((first) => first <= day)
  return { startMs: (months[at] ?? 0) * DAY_MS, endMs: (months[at + 1] ?? 0) * DAY_MS }
}

/** The period that a moment is in, in UTC: its first millisecond and the first of the next. */
export const periodOf = (period: BudgetPeriod, atMs: number): { readonly startMs: number; readonly endMs: number } => {
  if (period === 'month') return monthOf(Math.floor(atMs / DAY_MS))
  const lengthMs = period === 'hour' ? HOUR_MS : DAY_MS
  const startMs = Math.floor(atMs / lengthMs) * lengthMs
  return { startMs, endMs: startMs + lengthMs }
}

/** Reservations that a slice is enough for, and the largest share of the cap that it is. */
const SLICE_CALLS = 8
const SLICE_SHARE = 0.02

/** How much to lease when `amount` is needed and `perSecond` was spent of late: about a second, little of the whole. */
export const sliceOf = (amount: number, cap: number, perSecond: number): number =>
  Math.ceil(Math.max(amount, Math.min(cap * SLICE_SHARE, Math.max(amount * SLICE_CALLS, perSecond))))

/** How a budget stands. */
export type BudgetStanding = 'free' | 'soft' | 'gone'
export const standingOf = (used: number, cap: number, softShare: number): BudgetStanding => {
  if (used >= cap) return 'gone'
  return used >= cap * softShare ? 'soft' : 'free'
}

/** When the money will be gone if it goes on like this; undefined: not in this period. Early in a period nothing is foretold. */
export const goneAtMs = (
  { used, cap, startMs, endMs }: { used: number; cap: number; startMs: number; endMs: number },
  nowMs: number,
): number | undefined => {
  const passedMs = nowMs - startMs
  if (passedMs < (endMs - startMs) / 50 || used <= 0) return undefined
  const atMs = startMs + (cap / used) * passedMs
  return atMs < endMs ? Math.max(nowMs, Math.round(atMs)) : undefined
}
