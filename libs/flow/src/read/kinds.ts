// The work of a step, by its kind. Kinds that hold other steps (switch) are read in step.ts.
import type { JsonObject } from '@baton/contracts/json'
import type { HumanSpec, RetrySpec } from '../plan.ts'
import { isJsonObject } from '@baton/contracts/json'
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
  node.kind === 'list' ? readTexts(node, what, context).filter((text) => NAME.test(text)) : [readName(node, what, context)].filter((name) => name !== undefined)

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
  const long = node.kind === 'map' ? readFields(node, { what: 'retrieve', known: ['index', 'top'], context }) : undefined
  const indexNode = node.kind === 'map' ? long?.get('index') : node
  const index = indexNode === undefined ? undefined : readName(indexNode, 'an index', context)
  if (node.kind === 'map' && indexNode === undefined) context.report.add(node, 'flow.missing_key', 'retrieve needs the name of an index', 'index: NAME')
  const arguments_ = fields.get('with')
  const topInWith = arguments_?.kind === 'map' ? arguments_.entries.find(({ key }) => key === 'top')?.value : undefined
  const topNode = long?.get('top') ?? (topInWith?.kind === 'scalar' && typeof topInWith.value === 'number' ? topInWith : undefined)
  const top = topNode === undefined ? DEFAULT_PASSAGES : readCount(topNode, { what: 'top', min: 1, max: MAX_PASSAGES, context })
  if (arguments_?.kind !== 'map' || !arguments_.entries.some(({ key }) => key === 'query')) {
    context.report.add(arguments_ ?? fields.keyAt('retrieve'), 'flow.missing_key', 'retrieve needs what to look for', 'with: { query: =input.text }')
    return undefined
  }
  return index === undefined || top === undefined ? undefined : { kind: 'retrieve', index, top }
}

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

/** `human: QUEUE`, or queue, priority, sla, title and onTimeout. */
export const readHuman = (node: Syntax, { context }: Site): BodyTree | undefined => {
  if (node.kind !== 'map') {
    const queue = readName(node, 'a queue', context)
    return queue === undefined ? undefined : { kind: 'human', human: { queue, priority: 'normal', slaMs: DAY_MS, onTimeout: 'fail' }, slaAt: node }
  }
  const fields = readFields(node, { what: 'human', known: ['queue', 'priority', 'sla', 'title', 'onTimeout'], context })
  if (fields === undefined) return undefined
  const queueNode = fields.get('queue')
  if (queueNode === undefined) context.report.add(node, 'flow.missing_key', 'human needs a queue', 'queue: support')
  const queue = queueNode === undefined ? undefined : readName(queueNode, 'a queue', context)
  const priorityNode = fields.get('priority')
  const slaNode = fields.get('sla')
  const titleNode = fields.get('title')
  const timeoutNode = fields.get('onTimeout')
  const priority = priorityNode === undefined ? 'normal' : readWord(priorityNode, { what: 'priority', words: ['emergency', 'high', 'normal', 'low'] as const, context })
  const slaMs = slaNode === undefined ? DAY_MS : readDuration(slaNode, 'sla', context)
  const title = titleNode === undefined ? undefined : readText(titleNode, 'title', context)
  // Silence is never consent (E5): there is no word for going on.
  const onTimeout = timeoutNode === undefined ? 'fail' : readWord(timeoutNode, { what: 'onTimeout', words: ['fail', 'escalate'] as const, context })
  if (queue === undefined || priority === undefined || slaMs === undefined || onTimeout === undefined) return undefined
  const human: HumanSpec = { queue, priority, slaMs, onTimeout, ...(title === undefined ? {} : { title }) }
  return { kind: 'human', human, slaAt: slaNode ?? node }
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
  const given = {
    attempts: read(fields.get('attempts'), (value) => readCount(value, { what: 'attempts', min: 1, max: 20, context })),
    backoff: read(fields.get('backoff'), (value) => readWord(value, { what: 'backoff', words: ['fixed', 'exponential'] as const, context })),
    delayMs: read(fields.get('delay'), (value) => readDuration(value, 'delay', context)),
    maxDelayMs: read(fields.get('maxDelay'), (value) => readDuration(value, 'maxDelay', context)),
    jitter: read(fields.get('jitter'), (value) => readSwitch(value, context)),
  }
  return {
    attempts: given.attempts ?? RETRY_DEFAULTS.attempts,
    backoff: given.backoff ?? RETRY_DEFAULTS.backoff,
    delayMs: given.delayMs ?? RETRY_DEFAULTS.delayMs,
    maxDelayMs: Math.max(given.maxDelayMs ?? RETRY_DEFAULTS.maxDelayMs, given.delayMs ?? 0),
    jitter: given.jitter ?? RETRY_DEFAULTS.jitter,
  }
}

const read = <T>(node: Syntax | undefined, reader: (node: Syntax) => T | undefined): T | undefined => (node === undefined ? undefined : reader(node))

const readSwitch = (node: Syntax, context: ReadContext): boolean | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  context.report.add(node, 'flow.wrong_type', `jitter is true or false, not ${describe(node)}`)
  return undefined
}
