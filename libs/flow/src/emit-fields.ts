// Fields of a step beside what it does, and what steps share: everything resolved, values and expressions as in a plan.
import { defined } from './defined.ts'
import { emitValue } from './emit-value.ts'
import type { ContextSpec, Plan, PlanNode } from './plan.ts'
import type { ContextTree, FlowTree, StepTree } from './tree.ts'

type Policies = Pick<PlanNode, 'guard' | 'cache' | 'hedge' | 'context' | 'media' | 'writes'>

/** Guards, cache, hedge, context, media and buffer of a step; empty where it has none. */
export const emitPolicies = ({ guard, cache, hedge, context, media, writes }: StepTree): Policies =>
  defined({
    guard: guard?.map(({ guard: name, options }) => ({ guard: name, options })),
    cache: cache && { ttlMs: cache.ttlMs, scope: cache.scope, ...defined({ key: cache.key && emitValue(cache.key) }) },
    hedge,
    context: context && emitContext(context),
    media: media?.map(emitValue),
    writes,
  })

/** What a model gets to see. */
export const emitContext = ({ tokens, parts }: ContextTree): ContextSpec => ({
  parts: parts.map(({ name, from, priority, cut, ...most }) => ({
    name,
    from: 'value' in from ? { value: emitValue(from.value) } : from,
    priority,
    cut,
    ...defined({ tokens: most.tokens, least: most.least, turns: most.turns }),
  })),
  ...defined({ tokens }),
})

/** What steps share: buffers by name, and the conversation of the session. */
export const emitShared = ({ buffers, history }: FlowTree): Pick<Plan, 'buffers' | 'history'> => {
  const kept = Object.entries(buffers)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { schema, expiresMs, items }]) => [name, { schema, expiresMs, items }] as const)
  return defined({ buffers: kept.length === 0 ? undefined : Object.fromEntries(kept), history })
}
