// What a person may ask of a review over HTTP, and what it means.
import { z } from 'zod'
import { Fault, Verdict, type Json } from '@baton/contracts'
import type { Person, ReviewCommand } from './review.ts'

/** How long a claim lasts where nothing else is asked for: 15 minutes. */
const CLAIM_LEASE_MS = 900_000
/** How long somebody stands in for somebody else where nothing else is asked for: 8 hours. */
const DELEGATION_MS = 28_800_000
const Name = z.string().min(1).max(200)

export const ActionBody = z
  .object({
    by: Name.optional(),
    leaseMs: z.number().int().min(1_000).max(28_800_000).optional(),
    verdict: Verdict.optional(),
    output: z.custom<Json>((value) => value !== undefined).optional(),
    reason: z.string().max(4_000).optional(),
    because: z.string().max(100).optional(),
    fingerprint: z.string().max(200).optional(),
    epoch: z.number().int().positive().optional(),
    to: Name.nullable().optional(),
    queue: z.string().min(1).max(200).optional(),
    forMs: z.number().int().min(60_000).max(2_592_000_000).optional(),
  })
  .nullish()
export type ActionBody = z.infer<typeof ActionBody>

/** Most reviews that are decided in one request. */
const BULK_MAX = 100
export const BulkBody = z.object({
  by: Name.optional(),
  verdict: z.enum(['approve', 'reject']),
  reason: z.string().max(4_000).optional(),
  because: z.string().max(100).optional(),
  tasks: z
    .array(z.object({ taskId: z.string().max(200), fingerprint: z.string().max(200) }))
    .min(1)
    .max(BULK_MAX),
})
export type BulkBody = z.infer<typeof BulkBody>

/** Commands of people: everything but asking and clocks. */
export type PersonCommand = Exclude<ReviewCommand, { type: 'review.request' | 'review.expire' | 'review.supersede' }>
type Given = { readonly person: Person; readonly atMs: number }

const ACTIONS: Readonly<
  Record<string, (body: NonNullable<ActionBody>, by: Person & { atMs: number; epoch?: number | undefined }) => PersonCommand>
> = {
  claim: ({ leaseMs = CLAIM_LEASE_MS }, by) => ({ ...by, type: 'review.claim', leaseMs }),
  release: (_, by) => ({ ...by, type: 'review.release' }),
  reassign: ({ to, queue }, by) => {
    if (to === undefined && queue === undefined)
      throw new Fault('request.malformed', 'to: a person, null for anybody, or a queue is required', { field: 'to' })
    return { ...by, type: 'review.reassign', to, queue }
  },
  delegate: ({ to, forMs = DELEGATION_MS }, by) => {
    if (to === undefined || to === null) throw new Fault('request.malformed', 'to: a person is required', { field: 'to' })
    return { ...by, type: 'review.delegate', to, untilMs: by.atMs + forMs }
  },
  decide: ({ verdict, output, reason, because, fingerprint }, by) => {
    if (verdict === undefined)
      throw new Fault('request.malformed', `verdict: one of ${Verdict.options.join(', ')} is required`, { field: 'verdict' })
    return { ...by, type: 'review.decide', verdict, output, reason, because, fingerprint }
  },
  undo: (_, by) => ({ ...by, type: 'review.undo' }),
  cancel: (_, by) => ({ ...by, type: 'review.cancel' }),
}

/** The command of `{id}:{action}`. */
export const commandOf = (action: string, body: ActionBody, { person, atMs }: Given): PersonCommand => {
  const made = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
  if (made === undefined)
    throw new Fault('request.not_found', `a review can be ${Object.keys(ACTIONS).join(', ')}: there is no ${action}`, { action })
  return made(body ?? {}, { ...person, atMs, epoch: body?.epoch })
}
