// Times and amounts as they stand in flows and in their tests.

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time in milliseconds, or as text: `500ms`, `5s`, `120m`, `2h`, `7d`. */
export type Time = number | string

/** Milliseconds of a time; `0` is one too. Undefined for what is none. */
export const millisecondsOf = (time: Time): number | undefined => {
  if (typeof time === 'number') return time >= 0 ? time : undefined
  if (time.trim() === '0') return 0
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(time.trim())
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0)
}

/** A time for people: `1.5h`, `3d`. */
export const inWords = (ms: number): string => {
  const unit = Object.keys(UNITS).findLast((name) => ms >= (UNITS[name] ?? 0)) ?? 'ms'
  return `${Math.round((ms / (UNITS[unit] ?? 1)) * 10) / 10}${unit}`
}

/** Millionths of a US dollar of a number of dollars or `0.05 USD`; undefined for what is none. */
export const microUsdOf = (cost: number | string): number | undefined => {
  const usd = typeof cost === 'number' ? cost : /^(\d+(?:\.\d+)?)( USD)?$/.exec(cost.trim())?.[1]
  return usd === undefined || Number(usd) < 0 ? undefined : Math.round(Number(usd) * 1e6)
}
