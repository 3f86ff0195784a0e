// What the engine cannot run yet, as data: everything resolved, values and expressions as in a plan, blocks by their index.
import type { Json, JsonObject } from '@baton/contracts/json'
import { defined } from './defined.ts'
import { emitValue } from './emit-value.ts'
import type { ContextTree, FlowTree, StepTree, ValueTree } from './tree.ts'
import type { ValueExpr } from './plan.ts'

// Through JSON's own eyes: optional fields that are absent, readonly lists and unions of objects are all plain data here.
const data = (value: object): JsonObject => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))

const value = (tree: ValueTree | undefined): ValueExpr | undefined => (tree === undefined ? undefined : emitValue(tree))

/** The fields of a step that the engine does not know; empty where it has none. */
export const describeFields = ({ guard, cache, hedge, context, media, writes }: StepTree): JsonObject =>
  defined({
    guard: guard?.map(({ guard: name, options }) => ({ guard: name, options })),
    cache: cache && { ttlMs: cache.ttlMs, scope: cache.scope, ...defined({ key: value(cache.key) }) },
    hedge,
    context: context && describeContext(context),
    media: media?.map(emitValue),
    writes,
  })

const describeContext = ({ tokens, parts }: ContextTree): JsonObject => ({
  parts: parts.map(({ name, from, priority, cut, ...most }): JsonObject => {
    const source = 'value' in from ? { value: emitValue(from.value) } : from
    return { name, from: source, priority, cut, ...defined({ tokens: most.tokens, turns: most.turns }) }
  }),
  ...defined({ tokens }),
})

/** Words at the top of a flow that the engine does not know, in the order of their names. */
export const describeTop = ({ agents, buffers, history }: FlowTree): readonly { readonly kind: string; readonly said: Json }[] => {
  const sorted = <T>(map: Readonly<Record<string, T>>): readonly (readonly [string, T])[] =>
    Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
  const contexts = sorted(agents).flatMap(([name, { context }]) =>
    context === undefined ? [] : [[name, describeContext(context)] as const],
  )
  const kept = sorted(buffers).map(([name, { schema, expiresMs, items }]) => [name, { schema, expiresMs, items }] as const)
  return [
    ...(contexts.length === 0 ? [] : [{ kind: 'contexts of agents', said: Object.fromEntries(contexts) }]),
    ...(kept.length === 0 ? [] : [{ kind: 'buffers', said: Object.fromEntries(kept) }]),
    ...(history === undefined ? [] : [{ kind: 'history', said: data(history) }]),
  ]
}
