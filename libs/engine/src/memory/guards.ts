// Guards of a step where nobody but the caller has any: one after the other, what one changed is what the next looks at.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import { looksAt } from '../run/aside.policy.ts'
import type { Done } from './answer.ts'

/** What one guard says: `ok: false` blocks, `value` takes the place of the content; anything else lets it pass. */
export type Look = (guard: string, content: Json) => Promise<Json | undefined>

/** What all guards of a step say to its input or its output. */
export const lookedAt = async ({ input, guard: side }: StepCommand, { guard = [] }: PlanNode, look: Look): Promise<Done> => {
  let value = input
  const reasons: string[] = []
  for (const spec of guard) {
    if (!looksAt([spec], side?.on ?? 'input')) continue
    const said = await look(spec.guard, value)
    const { ok, reason, value: changed } = isJsonObject(said) ? said : { ok: said !== false }
    if (typeof reason === 'string') reasons.push(reason)
    if (ok === false)
      return { output: { action: 'block', reasons: [...reasons, `${spec.guard} does not let it pass`] }, by: `guard:${spec.guard}` }
    value = changed ?? value
  }
  return { output: value === input ? { action: 'pass', reasons } : { action: 'redact', value, reasons }, by: 'guard' }
}
