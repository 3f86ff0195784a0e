// The work of a step that does one thing: model, tool, retrieve, check, human, task, set.
import { isJsonObject, type JsonObject } from '@baton/contracts/json'
import { defined } from '../defined.ts'
import type { RetrySpec } from '../plan.ts'
import { describe, literalOf, type Syntax } from '../source/syntax.ts'
import type { BodyTree } from '../tree.ts'
import { readCount, readDuration, readFields, readText, readValue, readWord, readYesNo, type Fields, type ReadContext } from './context.ts'
import { withShares } from './literals.ts'
import { readPrompt } from './prompt.ts'
import { defaultModels, readName, readNames, type Site } from './site.ts'

export const readModel = (fields: Fields, { id, context }: Site): BodyTree | undefined => {
  const route = fields.get('model')
  const prompt = fields.get('prompt')
  const models = route === undefined ? defaultModels(context) : readNames(route, 'a model or route', context)
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
  const checks = readChecks(node, 'check', context)
  return checks.length === 0 ? undefined : { kind: 'check', checks: checks.map(({ name, options }) => ({ check: name, options })) }
}

/** Names of checks, each with its options where it has some. */
export const readChecks = (
  node: Syntax,
  what: 'check' | 'guard',
  context: ReadContext,
): readonly { readonly name: string; readonly options: JsonObject }[] => {
  const items = node.kind === 'list' ? node.items : [node]
  const checks = items.flatMap((item) => {
    if (item.kind !== 'map') {
      const name = readName(item, `a ${what}`, context)
      return name === undefined ? [] : [{ name, options: {} }]
    }
    return item.entries.map(({ key, value }) => ({ name: key, options: readOptions(value, context) }))
  })
  if (checks.length === 0) context.report.add(node, 'flow.wrong_type', `${what} needs the name of a ${what}`)
  return checks
}

const readOptions = (node: Syntax, context: ReadContext): JsonObject => {
  const value = withShares(literalOf(node))
  if (isJsonObject(value)) return value
  if (value !== null) context.report.add(node, 'flow.wrong_type', `the options of a check must be a map, not ${describe(node)}`)
  return {}
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
    jitter: fields.read('jitter', (value) => readYesNo(value, 'jitter', context)),
  }
  const spec = { ...RETRY_DEFAULTS, ...defined(given) }
  return { ...spec, maxDelayMs: Math.max(spec.maxDelayMs, delayMs ?? 0) }
}
