// The fields any step may have beside its work.
import { defined } from '../defined.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { BlockTree, StepTree, ValueTree } from '../tree.ts'
import {
  readCondition,
  readCount,
  readDuration,
  readFields,
  readMarked,
  readText,
  readValue,
  readWord,
  type Fields,
  type ReadContext,
} from './context.ts'
import { readContextParts } from './context-parts.ts'
import { readChecks, readRetry } from './kinds.ts'
import { readBudget } from './limits.ts'
import { readSchema } from './schema.ts'
import type { Site } from './site.ts'

/** Words that stand on any step. */
export const FIELD_KEYS =
  'when with returns timeout retry failover gate guard cache hedge budget effect onError onTimeout onLimit undo context media writes about'.split(
    ' ',
  )

type CommonFields = Omit<Pick<StepTree, keyof StepTree>, 'id' | 'name' | 'at' | 'place' | 'kind' | 'with' | 'gate'>

/** All fields but `with` and `gate`, which are read by what the step does and decides. */
export const readStepFields = (fields: Fields, site: Site): CommonFields => {
  const { id, context } = site
  const outcome = (key: 'onError' | 'onTimeout' | 'onLimit'): StepTree['onError'] =>
    fields.read(key, (value) => site.nested.outcome(value, { id: `${id}/${key}`, place: 'onError' }))
  const timeout = fields.get('timeout') ?? awaitedFor(fields)
  return defined({
    when: fields.read('when', (value) => readCondition(value, 'when', context)),
    timeoutMs: timeout === undefined ? undefined : readDuration(timeout, 'timeout', context),
    timeoutAt: timeout,
    retry: fields.read('retry', (value) => readRetry(value, context)),
    returns: fields.read('returns', (value) => readSchema(value, 'returns', context)),
    onError: outcome('onError'),
    effect: fields.read('effect', (value) =>
      readWord(value, { what: 'effect', words: ['read', 'write', 'irreversible'] as const, context }),
    ),
    effectAt: fields.get('effect'),
    onTimeout: outcome('onTimeout'),
    onLimit: outcome('onLimit'),
    ...readPolicies(fields, site),
  })
}

/** The timeout of a wait for an event stands inside it. */
const awaitedFor = (fields: Fields): Syntax | undefined => {
  const wait = fields.get('wait')
  return wait?.kind === 'map' ? wait.entries.find(({ key }) => key === 'timeout')?.value : undefined
}

const readPolicies = (fields: Fields, site: Site): Partial<CommonFields> => {
  const { id, context, nested } = site
  return defined({
    guard: fields.read('guard', (value) => readChecks(value, 'guard', context).map(({ name, options }) => ({ guard: name, options }))),
    failover: fields.read('failover', (value) => readFailover(value, site)),
    cache: fields.read('cache', (value) => readCache(value, context)),
    hedge: fields.read('hedge', (value) => readHedge(value, context)),
    budget: fields.read('budget', (value) => readBudget(value, context)),
    undo: fields.read('undo', (value) => nested.block(value, { id: `${id}/undo`, place: 'undo' })),
    context: fields.read('context', (value) => readContextParts(value, context)),
    media: fields.read('media', (value) => readMedia(value, context)),
    writes: fields.read('writes', (value) => readText(value, 'writes', context)),
    writesAt: fields.get('writes'),
  })
}

/** One body or a list of bodies, tried in their order. */
const readFailover = (node: Syntax, { id, nested }: Site): readonly BlockTree[] =>
  (node.kind === 'list' ? node.items : [node])
    .map((item, index) => nested.block(item, { id: `${id}/failover[${index}]`, place: 'onError' }))
    .filter((block) => block !== undefined)

/** `cache: 10m`, or for, key and scope. */
const readCache = (node: Syntax, context: ReadContext): StepTree['cache'] => {
  const fields = node.kind === 'map' ? readFields(node, { what: 'cache', known: ['for', 'key', 'scope'], context }) : undefined
  if (node.kind === 'map' && fields?.has('for') === false)
    context.report.add(node, 'flow.missing_key', 'a cache needs how long an answer is good for', 'cache: { for: 10m }')
  const ttl = node.kind === 'map' ? fields?.get('for') : node
  const ttlMs = ttl === undefined ? undefined : readDuration(ttl, 'cache', context)
  const key = fields?.read('key', (value) => readValue(value, context))
  const words = ['run', 'session', 'user', 'tenant'] as const
  const scope = fields?.read('scope', (value) => readWord(value, { what: 'scope', words, context })) ?? 'tenant'
  return ttlMs === undefined ? undefined : { ttlMs, scope, ...defined({ key }) }
}

/** `hedge: 500ms`, or after and max: how many more are started while one stalls. */
const readHedge = (node: Syntax, context: ReadContext): StepTree['hedge'] => {
  const fields = node.kind === 'map' ? readFields(node, { what: 'hedge', known: ['after', 'max'], context }) : undefined
  if (node.kind === 'map' && fields?.has('after') === false)
    context.report.add(node, 'flow.missing_key', 'a hedge needs how long to wait', 'hedge: { after: 500ms }')
  const after = node.kind === 'map' ? fields?.get('after') : node
  const afterMs = after === undefined ? undefined : readDuration(after, 'hedge', context)
  const max = fields?.read('max', (value) => readCount(value, { what: 'max', min: 1, max: 5, context })) ?? 1
  return afterMs === undefined ? undefined : { afterMs, max }
}

/** `media: =input.image`, or a list of them. */
const readMedia = (node: Syntax, context: ReadContext): readonly ValueTree[] | undefined => {
  if (node.kind === 'map') {
    context.report.add(node, 'flow.wrong_type', `media is an expression or a list of them, not ${describe(node)}`, 'media: =input.image')
    return undefined
  }
  const found = (node.kind === 'list' ? node.items : [node]).map((item): ValueTree | undefined => {
    const expr = readMarked(item, 'media', context)
    return expr === undefined ? undefined : { at: item, expr }
  })
  return found.filter((value) => value !== undefined)
}
