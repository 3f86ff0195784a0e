// The work of a step, by its kind. Kinds that hold other steps (switch) are read in step.ts.
import { isJsonObject, type JsonObject } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import type { RetrySpec } from '../plan.ts'
import { describe, literalOf, type Syntax } from '../source/syntax.ts'
import type { BodyTree } from '../tree.ts'
import { readCount, readDuration, readFields, readText, readTexts, readValue, readWord, type Fields, type ReadContext } from './context.ts'
import { readPrompt } from './prompt.ts'

/** Words that say what a step does. */
export const KINDS = ['model', 'tool', 'retrieve', 'check', 'human', 'task', 'switch', 'set'] as const
export const LATER_KINDS = ['agent', 'parallel', 'map', 'vote', 'team', 'flow', 'emit', 'wait', 'loop']
export type Kind = (typeof KINDS)[number]

/** Name of an index, tool, queue, topic or route: path-like, without spaces. */
const NAME = /^[A-Za-z0-9][\w./:@-]{0,199}$/
const DAY_MS = 86_400_000

/** One place in a flow: the id of the node that is being read. */
export type Site = { readonly id: string; readonly context: ReadContext }

const readName = (node: Syntax, what: string, context: ReadContext): string | undefined => {
  const text = readText(node, what, context)
  if (text === undefined || NAME.test(text)) return text
  context.report.add(node, 'name.invalid', `${what} "${text}" may hold letters, digits and . / : @ _ - only`)
  return undefined
}

const readNames = (node: Syntax, what: string, context: ReadContext): readonly string[] =>
  node.kind === 'list'
    ? readTexts(node, what, context).filter((text) => NAME.test(text))
    : [readName(node, what, context)].filter((name) => name !== undefined)

export const readModel = (fields: Fields, { id, context }: Site): BodyTree | undefined => {
  const route = fields.get('model')
  const prompt = fields.get('prompt')
  const models = route === undefined ? [context.defaults.model ?? 'default'] : readNames(route, 'a model or route', context)
  if (prompt === undefined) {
    context.report.add(fields.keyAt('model'), 'flow.missing_key', 'a model step needs a prompt', 'prompt: NAME@1, or the prompt itself')
    return undefined
  }
  const tree = readPrompt(prompt, id, context)
  return tree === undefined || models.length === 0 ? undefined : { kind: 'model', models, prompt: tree }
}

export const readTool = (node: Syntax, { context }: Site): BodyTree | undefined => {
  const tools = readNames(node, 'a tool', context)
  return tools.length === 0 ? undefined : { kind: 'tool', tools }
}

const MAX_PASSAGES = 100
const DEFAULT_PASSAGES = 5

/** `retrieve: INDEX` with `with: { query, top }`, or `retrieve: { index, top }`. */
export const readRetrieve = (node: Syntax, fields: Fields, { context }: Site): BodyTree | undefined => {
  const given = fields.get('with')
  const argument = (name: string): Syntax | undefined =>
    given?.kind === 'map' ? given.entries.find(({ key }) => key === name)?.value : undefined
  const { index, top: topNode = argument('top') } = readIndex(node, context)
  // An expression for the number of passages stays an argument.
  const top =
    topNode === undefined || isMarked(topNode) ? DEFAULT_PASSAGES : readCount(topNode, { what: 'top', min: 1, max: MAX_PASSAGES, context })
  if (argument('query') === undefined) {
    context.report.add(
      given ?? fields.keyAt('retrieve'),
      'flow.missing_key',
      'retrieve needs what to look for',
      'with: { query: =input.text }',
    )
    return undefined
  }
  return index === undefined || top === undefined ? undefined : { kind: 'retrieve', index, top }
}

const readIndex = (node: Syntax, context: ReadContext): { readonly index: string | undefined; readonly top?: Syntax } => {
  if (node.kind !== 'map') return { index: readName(node, 'an index', context) }
  const fields = readFields(node, { what: 'retrieve', known: ['index', 'top'], context })
  if (fields?.has('index') === false) context.report.add(node, 'flow.missing_key', 'retrieve needs the name of an index', 'index: NAME')
  return { index: fields?.read('index', (value) => readName(value, 'an index', context)), ...defined({ top: fields?.get('top') }) }
}

const isMarked = (node: Syntax): boolean => node.kind === 'scalar' && typeof node.value === 'string' && node.value.startsWith('=')

/** `check: NAME`, a list of names, or names with their options. */
export const readCheck = (node: Syntax, { context }: Site): BodyTree | undefined => {
  const items = node.kind === 'list' ? node.items : [node]
  const checks = items.flatMap((item) => {
    if (item.kind !== 'map') {
      const check = readName(item, 'a check', context)
      return check === undefined ? [] : [{ check, options: {} }]
    }
    return item.entries.map(({ key, value }) => ({ check: key, options: readOptions(value, context) }))
  })
  if (checks.length === 0) context.report.add(node, 'flow.wrong_type', 'check needs the name of a check')
  return checks.length === 0 ? undefined : { kind: 'check', checks }
}

const readOptions = (node: Syntax, context: ReadContext): JsonObject => {
  const value = literalOf(node)
  if (isJsonObject(value)) return value
  if (value !== null) context.report.add(node, 'flow.wrong_type', `the options of a check must be a map, not ${describe(node)}`)
  return {}
}

const PRIORITIES = ['emergency', 'high', 'normal', 'low'] as const
// Silence is never consent (E5): there is no word for going on.
const ON_TIMEOUT = ['fail', 'escalate'] as const

/** `human: QUEUE`, or queue, priority, sla, title and onTimeout. */
export const readHuman = (node: Syntax, { context }: Site): BodyTree | undefined => {
  if (node.kind !== 'map') {
    const queue = readName(node, 'a queue', context)
    return queue === undefined
      ? undefined
      : { kind: 'human', human: { queue, priority: 'normal', slaMs: DAY_MS, onTimeout: 'fail' }, slaAt: node }
  }
  const fields = readFields(node, { what: 'human', known: ['queue', 'priority', 'sla', 'title', 'onTimeout'], context })
  if (fields === undefined) return undefined
  if (!fields.has('queue')) context.report.add(node, 'flow.missing_key', 'human needs a queue', 'queue: support')
  const queue = fields.read('queue', (value) => readName(value, 'a queue', context))
  const priority = fields.read('priority', (value) => readWord(value, { what: 'priority', words: PRIORITIES, context })) ?? 'normal'
  const slaMs = fields.read('sla', (value) => readDuration(value, 'sla', context)) ?? DAY_MS
  const title = fields.read('title', (value) => readText(value, 'title', context))
  const onTimeout = fields.read('onTimeout', (value) => readWord(value, { what: 'onTimeout', words: ON_TIMEOUT, context })) ?? 'fail'
  if (queue === undefined) return undefined
  return { kind: 'human', human: { queue, priority, slaMs, onTimeout, ...defined({ title }) }, slaAt: fields.get('sla') ?? node }
}

export const readTask = (node: Syntax, { context }: Site): BodyTree | undefined => {
  const task = readText(node, 'a task', context)
  if (task === undefined) return undefined
  if (/^[a-z0-9][a-z0-9._-]{0,99}$/.test(task)) return { kind: 'task', task }
  context.report.add(node, 'name.invalid', `the task "${task}" becomes part of a topic: small letters, digits, "." "_" "-" only`)
  return undefined
}

export const readSet = (node: Syntax, { context }: Site): BodyTree => ({ kind: 'set', value: readValue(node, context) })

const RETRY_DEFAULTS: RetrySpec = { attempts: 3, backoff: 'exponential', delayMs: 500, maxDelayMs: 30_000, jitter: true }

/** `retry: 3`, or attempts, backoff, delay, maxDelay and jitter. */
export const readRetry = (node: Syntax, context: ReadContext): RetrySpec | undefined => {
  if (node.kind === 'scalar') {
    const attempts = readCount(node, { what: 'retry', min: 1, max: 20, context })
    return attempts === undefined ? undefined : { ...RETRY_DEFAULTS, attempts }
  }
  const fields = readFields(node, { what: 'retry', known: ['attempts', 'backoff', 'delay', 'maxDelay', 'jitter'], context })
  if (fields === undefined) return undefined
  const delayMs = fields.read('delay', (value) => readDuration(value, 'delay', context))
  const given = {
    attempts: fields.read('attempts', (value) => readCount(value, { what: 'attempts', min: 1, max: 20, context })),
    backoff: fields.read('backoff', (value) => readWord(value, { what: 'backoff', words: ['fixed', 'exponential'] as const, context })),
    delayMs,
    maxDelayMs: fields.read('maxDelay', (value) => readDuration(value, 'maxDelay', context)),
    jitter: fields.read('jitter', (value) => readYesNo(value, context)),
  }
  const spec = { ...RETRY_DEFAULTS, ...defined(given) }
  return { ...spec, maxDelayMs: Math.max(spec.maxDelayMs, delayMs ?? 0) }
}

const readYesNo = (node: Syntax, context: ReadContext): boolean | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  context.report.add(node, 'flow.wrong_type', `jitter is true or false, not ${describe(node)}`)
  return undefined
}
