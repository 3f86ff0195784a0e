// Control of many runs at once: which, how many, how fast.
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import type { ControlAction } from './control.policy.ts'

const RUNS_MAX = 1_000_000
const RATE_MAX = 1_000
/** Runs changed a second where nobody says. */
const RATE_DEFAULT = 100

const Time = z
  .union([z.iso.datetime({ offset: true }), z.int().nonnegative()])
  .transform((time) => (typeof time === 'number' ? time : Date.parse(time)))
const Label = z.string().regex(/^[^:=]{1,64}[:=].{0,256}$/s, 'a label is written name:value')

// Strict: a word that is misspelt would widen the choice.
const Where = z.strictObject({
  flow: z.string().min(1).max(200).optional(),
  status: z.enum(['open', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled']).optional(),
  label: z.union([Label, z.array(Label).max(10)]).optional(),
  root: z.string().min(1).max(80).optional().meta({ description: 'This run and all that came of it' }),
  startedAfter: Time.optional().meta({ description: 'Requested at this time or later: ISO 8601 or milliseconds since 1970' }),
  startedBefore: Time.optional().meta({ description: 'Requested before this time' }),
})

/** Which runs to change; every word narrows the choice. Without `status`: those that the action can change. */
export const BulkBody = z.looseObject({
  where: Where,
  limitRuns: z.int().positive().max(RUNS_MAX).optional().meta({ description: 'At most so many, the newest first' }),
  dryRun: z.boolean().optional().meta({ description: 'Only count' }),
  ratePerSecond: z
    .number()
    .min(0.1)
    .max(RATE_MAX)
    .optional()
    .meta({ description: `Runs changed a second; default ${RATE_DEFAULT}` }),
  by: z.string().min(1).max(200).optional(),
  reason: z.string().max(1_000).optional(),
  undo: z.boolean().optional(),
  from: z.string().min(1).max(200).optional(),
})
export type BulkBody = z.infer<typeof BulkBody>

/** A job as it is kept: what was asked for, with nothing left open. */
export const JobBody = z.object({
  action: z.enum(['cancel', 'pause', 'resume', 'retry']),
  flow: z.string().exactOptional(),
  status: Where.shape.status.unwrap(),
  labels: z.array(z.string()),
  root: z.string().exactOptional(),
  startedAfterMs: z.number().exactOptional(),
  startedBeforeMs: z.number().exactOptional(),
  limitRuns: z.number(),
  dryRun: z.boolean(),
  ratePerSecond: z.number(),
  reason: z.string().exactOptional(),
  undo: z.boolean().exactOptional(),
  from: z.string().exactOptional(),
})
export type JobBody = z.infer<typeof JobBody>
type Status = JobBody['status']

/** States that an action can change, the usual one first. */
const STATUSES: Readonly<Record<ControlAction, readonly [Status, ...Status[]]>> = {
  cancel: ['open', 'running', 'waiting', 'paused'],
  pause: ['open', 'running', 'waiting'],
  resume: ['paused'],
  retry: ['failed', 'cancelled', 'completed'],
}

/** Throws `request.malformed` for runs that the action cannot change. */
export const jobBodyOf = (action: ControlAction, { where, ...body }: BulkBody): JobBody => {
  const [usual, ...others] = STATUSES[action]
  const status = where.status ?? usual
  if (status !== usual && !others.includes(status))
    throw new Fault('request.malformed', `${action} takes runs that are ${[usual, ...others].join(', ')}, not ${status}`, {
      field: 'where.status',
    })
  const { limitRuns = RUNS_MAX, dryRun = false, ratePerSecond = RATE_DEFAULT, reason, undo, from } = body
  const { flow, root, label = [], startedAfter: startedAfterMs, startedBefore: startedBeforeMs } = where
  const asked = { action, flow, status, root, labels: [label].flat(), startedAfterMs, startedBeforeMs, limitRuns, dryRun, ratePerSecond }
  const said = Object.entries({ ...asked, reason, undo, from }).filter(([, value]) => value !== undefined)
  return JobBody.parse(Object.fromEntries(said))
}
