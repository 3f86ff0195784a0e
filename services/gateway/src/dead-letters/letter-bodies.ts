// What is asked to be done with dead letters: which, what, how fast.
import { z } from 'zod'
import { SERVICES } from '@baton/contracts'
import { EditBody } from './letter-edit-body.ts'
import { FILTER, filterOf } from './letter-filter.ts'
import { letterId, parseLetterId } from './letter-id.ts'

const NAMED_MAX = 10_000
const LIMIT_MAX = 1_000_000
const RATE_MAX = 10_000
/** Letters sent a second where nobody says. */
const RATE_DEFAULT = 100
const WHERE_CHARS_MAX = 2_000

// Strict: a word that is misspelt would widen the choice.
const CHOICE = {
  ...FILTER,
  ids: z.array(z.string().max(64)).min(1).max(NAMED_MAX).optional().meta({ description: 'These, as listed: tools-17' }),
  offsets: z.array(z.int().nonnegative()).min(1).max(NAMED_MAX).optional().meta({ description: 'These of the service' }),
  where: z
    .string()
    .min(1)
    .max(WHERE_CHARS_MAX)
    .optional()
    .meta({ description: 'Those of which this CEL condition holds, like fault.code == "tool.failed" && tenant == "acme"' }),
  all: z.boolean().optional().meta({ description: 'Every open letter, or every one of the service' }),
  limit: z.int().positive().max(LIMIT_MAX).optional().meta({ description: 'At most so many, the oldest first' }),
  dryRun: z.boolean().optional().meta({ description: 'Only count' }),
  ratePerSecond: z
    .number()
    .min(0.1)
    .max(RATE_MAX)
    .optional()
    .meta({ description: `Letters a second; default ${RATE_DEFAULT}` }),
  by: z.string().min(1).max(200).optional(),
}

type Choice = z.infer<z.ZodObject<typeof CHOICE>>
const isNamed = ({ ids, offsets }: Choice): boolean => ids !== undefined || offsets !== undefined
const isQuery = ({ where, fingerprint, code, tenant, since, all }: Choice): boolean =>
  [where, fingerprint, code, tenant, since].some((word) => word !== undefined) || all === true

const CHOSEN = { path: ['offsets'], message: 'name letters, or those of a query, or say all; not both' }
const isChosen = (body: Choice): boolean => isNamed(body) !== isQuery(body)
const OFFSETS = { path: ['service'], message: 'offsets are those of one service: say which' }
const areOffsetsPlaced = ({ offsets, service }: Choice): boolean => offsets === undefined || service !== undefined

/** Which dead letters to send back, and what to change on the way. Named ones are sent even if they were before; a query finds open ones. */
export const RedriveBody = z
  .strictObject({ ...CHOICE, edit: EditBody.optional(), reason: z.string().max(1_000).optional() })
  .refine(isChosen, CHOSEN)
  .refine(areOffsetsPlaced, OFFSETS)
export type RedriveBody = z.infer<typeof RedriveBody>

/** Which dead letters to put away for good, and why. */
export const DiscardBody = z
  .strictObject({ ...CHOICE, reason: z.string().min(1).max(1_000) })
  .refine(isChosen, CHOSEN)
  .refine(areOffsetsPlaced, OFFSETS)
export type DiscardBody = z.infer<typeof DiscardBody>

/** A job as it is kept: what was asked for, with nothing left open. */
export const LetterJobBody = z.object({
  action: z.enum(['redrive', 'discard']),
  services: z.array(z.enum(SERVICES)),
  named: z.array(z.string()).exactOptional(),
  fingerprint: z.string().exactOptional(),
  code: z.string().exactOptional(),
  tenant: z.string().exactOptional(),
  sinceMs: z.number().exactOptional(),
  where: z.string().exactOptional(),
  limit: z.number(),
  dryRun: z.boolean(),
  ratePerSecond: z.number(),
  reason: z.string().exactOptional(),
  edit: EditBody.exactOptional(),
})
export type LetterJobBody = z.infer<typeof LetterJobBody>

/** Throws `request.malformed` for an id that is none. */
export const letterJobBody = (action: LetterJobBody['action'], body: RedriveBody | DiscardBody, nowMs: number): LetterJobBody => {
  const { service, ids, offsets, where, limit = LIMIT_MAX, dryRun = false, ratePerSecond = RATE_DEFAULT, reason } = body
  const named = [
    ...(ids ?? []).map(parseLetterId),
    ...(service === undefined ? [] : (offsets ?? []).map((offset) => ({ service, offset }))),
  ]
  const asked = {
    action,
    ...filterOf(body, nowMs),
    ...(isNamed(body) ? { named: [...new Set(named.map(letterId))] } : {}),
    where,
    limit,
    dryRun,
    ratePerSecond,
    reason,
    edit: 'edit' in body ? body.edit : undefined,
  }
  return LetterJobBody.parse(Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined)))
}
