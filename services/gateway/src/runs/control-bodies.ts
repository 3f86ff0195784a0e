// What may be said about a change of a run.
import { z } from 'zod'

const FIELDS_MAX = 100
const by = z.string().min(1).max(200).optional().meta({ description: 'Who asks for it; kept in the journal' })
const reason = z.string().max(1_000).optional()
const undo = z.boolean().optional().meta({ description: 'Whether effects are taken back before the run ends; default true' })
const from = z.string().min(1).max(200).optional().meta({ description: 'Step to begin from; default the one that failed, else the first' })
const fields = z
  .record(z.string().min(1).max(200), z.unknown())
  .refine((values) => Object.keys(values).length <= FIELDS_MAX, `at most ${FIELDS_MAX} fields`)
  .optional()

/** What each action may say; words that it does not know change nothing. */
export const CancelBody = z.looseObject({ by, reason, undo }).nullish()
export const PauseBody = z.looseObject({ by, reason }).nullish()
export const ResumeBody = z.looseObject({ by }).nullish()
export const RetryBody = z.looseObject({ by, from }).nullish()
/** The body of any action. */
export const ControlBody = z.looseObject({ by, reason, undo, from }).nullish()
export type ControlBody = z.infer<typeof ControlBody>

/** Fields of the input and params of a paused run that take other values. */
export const PatchBody = z
  .looseObject({ by, input: fields, params: fields })
  .refine(({ input, params }) => input !== undefined || params !== undefined, { path: ['input'], message: 'name input, params or both' })
export type PatchBody = z.infer<typeof PatchBody>

/** Something that happened outside. */
export const EventBody = z.looseObject({
  by,
  event: z.string().min(1).max(200).meta({ description: 'Name that a step of kind event waits for' }),
  data: z.unknown().optional().meta({ description: 'Any JSON; default null' }),
  id: z.string().min(1).max(256).optional().meta({ description: 'The same id is the same event; default Idempotency-Key, else a UUID' }),
})
export type EventBody = z.infer<typeof EventBody>
