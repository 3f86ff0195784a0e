const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `500ms`, `5s`, `120m`, `2h` or `7d`; undefined for anything else. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  if (match === null) return undefined
  const ms = Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0)
  return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined
}

/** Millionths of a US dollar of `0.05 USD`; undefined for anything else. */
export const parseMoney = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d{1,6})?) USD$/.exec(text.trim())
  if (match === null) return undefined
  const micro = Math.round(Number(match[1]) * 1_000_000)
  return Number.isSafeInteger(micro) ? micro : undefined
}
