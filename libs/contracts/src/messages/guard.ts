import { z } from 'zod'
import { JsonValue } from './shared.ts'

/** What is done about a finding, from the strongest on; `pass` where there is nothing to do. */
export const GuardAction = z.enum(['block', 'ask', 'redact', 'flag', 'pass'])
export type GuardAction = z.infer<typeof GuardAction>

/** Where a guard found something and of what kind; never what was read there. */
export const GuardFinding = z.looseObject({
  guard: z.string().max(200),
  kind: z.string().max(200),
  /** UTF-16 code units in the text, as `slice` takes them. */
  start: z.number().int().nonnegative(),
  end: z.number().int().nonnegative(),
  /** How sure, 0 to 1. */
  score: z.number().min(0).max(1),
  reason: z.string().max(1_000),
  action: GuardAction,
  /** Where the text stands in a value that is no text, as a JSON pointer. */
  at: z.string().max(2_000).optional(),
})
export type GuardFinding = z.infer<typeof GuardFinding>

/**
 * The output of a `check.evaluate` that carries `guard`: what all guards of the step say of its input or its output. `block`: the step
 * fails with `guard.blocked`. `redact`: `value` takes the place of the content. `ask`: the service asks a person instead of answering
 * (`step.asks`, use `output`, kind `edit`), so that this action is in no answer. `flag` and `pass`: the content goes on as it is.
 */
export const GuardVerdict = z.looseObject({
  /** False where the content must not go on by itself: `block` or `ask`. */
  ok: z.boolean(),
  action: GuardAction,
  /** 1 is best: 1 minus the worst risk that a guard saw. */
  score: z.number().min(0).max(1),
  /** The content without what any guard redacts; only with the action `redact`. */
  value: JsonValue.optional(),
  findings: z.array(GuardFinding).max(200),
  /** One sentence a guard that found something, the strongest first. */
  reasons: z.array(z.string().max(1_000)).max(50),
  /** Guards that could not run; whether the content went on then is theirs to say. */
  failed: z.array(z.string().max(200)).max(50).optional(),
})
export type GuardVerdict = z.infer<typeof GuardVerdict>
