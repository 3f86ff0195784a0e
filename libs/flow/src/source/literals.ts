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

/** The share that `80%` is, 0.8; undefined for anything else. */
export const parsePercent = (text: string): number | undefined => {
  const match = /^(-?\d+(?:\.\d{1,6})?)%$/.exec(text.trim())
  // Through the decimal point and not by a division of doubles, so that 7% is 0.07 and not 0.07000000000000001.
  return match === null ? undefined : Number(`${match[1] ?? ''}e-2`)
}

const COUNTS: Readonly<Record<string, number>> = { '': 1, k: 1_000, M: 1_000_000 }

/** The number of `800`, `20k` or `1.5M`; undefined for anything else. */
export const parseCount = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d{1,6})?)(k|M|)$/.exec(text.trim())
  if (match === null) return undefined
  const count = Math.round(Number(match[1]) * (COUNTS[match[2] ?? ''] ?? 0) * 1e6) / 1e6
  return Number.isSafeInteger(count) && count > 0 ? count : undefined
}

const SIZES: Readonly<Record<string, number>> = { B: 1, KB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3 }

/** Bytes of `64KB` or `10MB`, a KB being 1,024 of them; undefined for anything else. */
export const parseSize = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/.exec(text.trim())
  if (match === null) return undefined
  const bytes = Math.round(Number(match[1]) * (SIZES[match[2] ?? ''] ?? 0))
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined
}
