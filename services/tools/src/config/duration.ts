import { z } from 'zod'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A duration as configuration files say it: `500ms`, `5s`, `10m`, `1h`, `7d`; in milliseconds. */
export const Duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'must be a duration like 500ms, 5s or 1h')
  .transform((text) => {
    const unit = text.replace(/^\d+/, '') as keyof typeof UNITS // one of them, by the expression above
    return Number.parseInt(text, 10) * UNITS[unit]
  })
  .refine((ms) => ms > 0, 'must be longer than nothing')
