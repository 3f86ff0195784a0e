// Which letters: the words that lists, groups and changes of many have in common.
import { z } from 'zod'
import { FAULTS, isFaultCode, SERVICES, type ServiceName } from '@baton/contracts'
import type { DeskLetter } from './letter-desk.ts'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const Code = z.string().refine(isFaultCode, `not a code of ours, like ${Object.keys(FAULTS)[0] ?? ''}`)

/** A time, or how long ago: ISO 8601, milliseconds since 1970, `2h`, `7d`. */
const Since = z.union([z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,6}[smhd]$/), z.coerce.number().int().nonnegative()])

export const FILTER = {
  service: z.enum(SERVICES).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'a fingerprint has 16 hexadecimal digits')
    .optional(),
  code: Code.optional(),
  tenant: z.string().min(1).max(128).optional(),
  since: Since.optional().meta({
    description: 'That came then or later: ISO 8601, milliseconds since 1970, or how long ago, like 2h or 7d',
  }),
}

/** A filter with nothing left open. */
export type LetterFilter = {
  readonly services: readonly ServiceName[]
  readonly fingerprint?: string
  readonly code?: string
  readonly tenant?: string
  readonly sinceMs?: number
}

type Asked = {
  readonly service?: ServiceName | undefined
  readonly fingerprint?: string | undefined
  readonly code?: string | undefined
  readonly tenant?: string | undefined
  readonly since?: string | number | undefined
}

export const filterOf = ({ service, fingerprint, code, tenant, since }: Asked, nowMs: number): LetterFilter => ({
  services: service === undefined ? SERVICES : [service],
  ...(fingerprint === undefined ? {} : { fingerprint }),
  ...(code === undefined ? {} : { code }),
  ...(tenant === undefined ? {} : { tenant }),
  ...(since === undefined ? {} : { sinceMs: timeOf(since, nowMs) }),
})

const timeOf = (since: string | number, nowMs: number): number => {
  if (typeof since === 'number') return since
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(since) ?? []
  return amount === undefined ? Date.parse(since) : nowMs - Number(amount) * (UNIT_MS[unit ?? ''] ?? 0)
}

/** Whether a letter is among those meant, whatever became of it. */
export const isMeant = (letter: DeskLetter, { services, fingerprint, code, tenant, sinceMs = 0 }: LetterFilter): boolean =>
  services.includes(letter.service) &&
  (fingerprint === undefined || letter.fingerprint === fingerprint) &&
  (code === undefined || letter.code === code) &&
  (tenant === undefined || letter.tenant === tenant) &&
  letter.deadAtMs >= sinceMs
