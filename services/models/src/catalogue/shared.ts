import { z } from 'zod'

/** A name of a model, server or route. */
export const Name = z.string().regex(/^[A-Za-z0-9][\w./:@-]{0,199}$/)

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 }

/** `500ms`, `2s`, `1m`, in milliseconds. */
export const Duration = z
  .string()
  .regex(/^\d{1,6}(?:ms|s|m)$/, 'is a time like 500ms, 2s or 1m')
  .transform((text) => {
    const unit = /[a-z]+$/.exec(text)?.[0] ?? 'ms'
    return Number.parseInt(text, 10) * (UNITS[unit] ?? 1)
  })
