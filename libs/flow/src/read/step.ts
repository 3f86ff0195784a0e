/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// Steps and what decides between them. Outcomes hold steps and steps hold outcomes, so both are read here.
import { defined } from '../defined.ts'
import type { Span } from '../source/source.ts'
import { describe, type EntrySyntax, type MapSyntax, type Syntax } from '../source/syntax.ts'
import type { BlockTree, OutcomeTree, Place, StepTree } from '../tree.ts'
import { readCount, readFields, readTexts, readValue, readWord, type Fields, type ReadContext } from './context.ts'
import { readPrompt } from './prompt.ts'
import { checkWord, defaultModels, isWord, type Nested, type Site } from './site.ts'
import { FIELD_KEYS, readStepFields } from './step-fields.ts'
import { readGate } from './switch.ts'
import { KINDS, KIND_KEYS, ownKeys, readWork } from './work.ts'

const STEP_KEYS = [...KINDS, ...KIND_KEYS, ...FIELD_KEYS]

type Spot = { readonly prefix: string; readonly place: Place; readonly context: ReadContext }

/** The steps of a flow or of a `do`. */
export const readSteps = (node: Syntax, spot: Spot): readonly StepTree[] => {
  if (node.kind !== 'list') {
    spot.context.report.add(node, 'flow.wrong_type', `steps are a list of "- name: …", not ${describe(node)}`)
    return []
  }
  if (node.items.length === 0) spot.context.report.add(node, 'flow.wrong_type', 'there must be at least one step')
  // Not read at all: the checks behind would go over each pair of them.
  if (node.items.length > MAX_STEPS) {
    spot.context.report.add(node, 'flow.too_large', `there are ${node.items.length} steps; at most ${MAX_STEPS} are allowed in a flow`)
    return []
  }
  return node.items.map((item) => readStep(item, spot)).filter((step) => step !== undefined)
}

const readStep = (item: Syntax, { prefix, place, context }: Spot): StepTree | undefined => {
  const entry = readOnlyEntry(item, context)
  if (entry === undefined) return undefined
  const name = entry.key
  checkWord(name, { what: 'step', at: entry.keyAt, context })
  const { value } = entry
  const body = { id: `${prefix}${name}`, name, at: entry.keyAt, place, context }
  return value.kind !== 'scalar' || value.value === null ? readStepBody(value, body) : readPromptStep(value, body)
}

/** Most steps in a list; `checkLimits` counts those of the whole flow. */
const MAX_STEPS = 1_000

/** The one `name: body` of a step. */
const readOnlyEntry = (item: Syntax, context: ReadContext): EntrySyntax | undefined => {
  const [entry, second] = item.kind === 'map' ? item.entries : []
  if (entry === undefined) {
    context.report.add(
      item,
      'flow.wrong_type',
      `a step is "- name: …", not ${describe(item)}`,
      '- facts: Extract the facts from {{ input.text }}',
    )
    return undefined
  }
  if (second === undefined) return entry
  const unindented = entry.value.kind === 'scalar' && entry.value.value === null && STEP_KEYS.includes(second.key)
  const fix = unindented ? `indent "${second.key}" and what follows below "${entry.key}:"` : 'begin each step with its own "- "'
  context.report.add(second.keyAt, 'flow.wrong_type', `a step has one name; "${second.key}" stands beside "${entry.key}"`, fix)
  return undefined
}

type Body = {
  readonly id: string
  readonly name: string | null
  readonly at: Span
  readonly place: Place
  readonly context: ReadContext
  readonly extra?: readonly string[]
}

/** A text alone is a prompt for the model that is the default. */
const readPromptStep = (node: Syntax, { id, name, at, place, context }: Body): StepTree | undefined => {
  const prompt = readPrompt(node, id, context)
  return prompt === undefined ? undefined : { id, name, at, place, kind: 'model', models: defaultModels(context), prompt }
}

const readStepBody = (node: Syntax, { id, name, at, place, context, extra = [] }: Body): StepTree | undefined => {
  const fields = readFields(node, { what: name === null ? 'a step' : `step "${name}"`, known: [...STEP_KEYS, ...extra], context })
  if (fields === undefined) return undefined
  const site: Site = { id, context, nested: nestedIn(context) }
  const work = readWork(fields, { ...site, name })
  const common = {
    ...readStepFields(fields, site),
    with: fields.read('with', (value) => readArguments(value, work?.kind, context)),
    gate: fields.read('gate', (value) => readGate(value, site)),
  }
  if (work === undefined) return undefined
  refuseMisplaced(fields, work.kind, context)
  return { id, name, at, place, ...defined(common), ...work }
}

/** What readers of kinds need to read the steps inside them. */
export const nestedIn = (context: ReadContext): Nested => ({
  outcome: (node, spot) => readOutcome(node, { ...spot, context }),
  block: (node, spot) => readBlock(node, { ...spot, context }),
})

/** A prompt, the body of a step, `{ do: [steps] }`, or a list of steps; the last output is that of the block. */
const readBlock = (node: Syntax, spot: OutcomeSpot): BlockTree | undefined => {
  const { id, place, context } = spot
  const body = { id, name: null, at: node, place, context }
  const steps = (): readonly (StepTree | undefined)[] => {
    if (node.kind === 'list') return readSteps(node, { prefix: `${id}/`, place, context })
    if (node.kind === 'scalar') return [readPromptStep(node, body)]
    return node.entries.every(({ key }) => key === 'do') ? readDo(node, spot) : [readStepBody(node, body)]
  }
  const found = steps().filter((step) => step !== undefined)
  return found.length === 0 ? undefined : { at: node, steps: found }
}

/** Fields that mean nothing on a kind are mistakes, not decoration. */
const MISPLACED: Readonly<Partial<Record<StepTree['kind'], readonly string[]>>> = {
  switch: ['with', 'retry', 'timeout', 'effect', 'hedge', 'media', 'context'],
  set: ['with', 'retry', 'timeout', 'effect', 'onError', 'hedge', 'media', 'context', 'failover'],
  tool: ['hedge', 'media', 'context'],
  retrieve: ['hedge', 'media', 'context'],
  check: ['hedge', 'media', 'context'],
  human: ['timeout', 'retry', 'hedge', 'cache', 'media', 'context'],
  parallel: ['with', 'retry', 'cache', 'media', 'context', 'hedge'],
  map: ['with', 'retry', 'cache', 'media', 'context', 'hedge'],
  loop: ['with', 'retry', 'cache', 'media', 'context', 'hedge'],
  flow: ['retry', 'cache', 'media', 'context', 'hedge'],
  emit: ['retry', 'timeout', 'cache', 'media', 'context', 'hedge'],
  team: ['cache', 'hedge'],
  agent: ['cache'],
  task: ['cache', 'hedge', 'media', 'context'],
  wait: ['with', 'retry', 'timeout', 'effect', 'returns', 'hedge', 'cache', 'media', 'context', 'undo'],
  event: ['with', 'retry', 'hedge', 'cache', 'media', 'context'],
}

const refuseMisplaced = (fields: Fields, kind: StepTree['kind'], { report }: ReadContext): void => {
  const own = ownKeys(kind)
  const foreign = KIND_KEYS.filter((key) => !own.includes(key))
  for (const key of [...(MISPLACED[kind] ?? []), ...foreign]) {
    const what = kind === 'event' ? 'wait' : kind
    if (fields.has(key)) report.add(fields.keyAt(key), 'flow.unknown_key', `"${key}" means nothing on a ${what} step`)
  }
}

const readArguments = (
  node: Syntax,
  kind: StepTree['kind'] | undefined,
  context: ReadContext,
): ReturnType<typeof readValue> | undefined => {
  if (node.kind !== 'map') {
    const marked = node.kind === 'scalar' && typeof node.value === 'string' && node.value.startsWith('=')
    if (!marked) {
      context.report.add(node, 'flow.wrong_type', `with must be a map of names to values, not ${describe(node)}`)
      return undefined
    }
  }
  // A literal number of passages is part of the plan, not of the question.
  const plainTop = kind === 'retrieve' && node.kind === 'map'
  const kept = plainTop
    ? {
        ...node,
        entries: node.entries.filter(({ key, value }) => !(key === 'top' && value.kind === 'scalar' && typeof value.value === 'number')),
      }
    : node
  return readValue(kept, context)
}

type OutcomeSpot = { readonly id: string; readonly place: Place; readonly context: ReadContext }
const AFTER = ['next', 'end', 'fail'] as const

/** `next`, `end`, `fail`, a step's name, `{ retry: … }`, `{ do: [steps] }`, or the body of a step. */
const readOutcome = (node: Syntax, spot: OutcomeSpot): OutcomeTree | undefined => {
  if (node.kind === 'map') return readLongOutcome(node, spot)
  const value = node.kind === 'scalar' ? node.value : null
  const word = AFTER.find((candidate) => candidate === value)
  if (word !== undefined) return { at: node, then: word }
  if (typeof value === 'string' && isWord(value)) return { at: node, then: 'step', step: value }
  spot.context.report.add(
    node,
    'flow.wrong_type',
    `an outcome is next, end, fail, the name of a step, { retry: … } or a step, not ${describe(node)}`,
  )
  return undefined
}

const readLongOutcome = (node: MapSyntax, spot: OutcomeSpot): OutcomeTree | undefined => {
  const { context } = spot
  const value = (name: string): Syntax | undefined => node.entries.find(({ key }) => key === name)?.value
  // On a step's body `retry` is the policy of its tries; alone it is the outcome.
  const isRetry = value('retry') !== undefined && node.entries.every(({ key }) => key === 'retry')
  if (isRetry) return readRetryOutcome(node, spot)
  const afterNode = value('then')
  const stated = afterNode === undefined ? undefined : readWord(afterNode, { what: 'then', words: AFTER, context })
  // A failure is not made good by handling it; time, limits and doubts are what their handlers are there for.
  const after = stated ?? (/(^|\/)onError$/.test(spot.id) ? 'fail' : undefined)
  const body = (): StepTree | undefined => readStepBody(node, { ...spot, name: null, at: node, extra: ['then'] })
  const steps = value('do') === undefined ? [body()].filter((step) => step !== undefined) : readDo(node, spot)
  return steps.length === 0 ? undefined : { at: node, then: 'run', steps, ...defined({ after }) }
}

const readDo = (node: Syntax, { id, place, context }: OutcomeSpot): readonly StepTree[] => {
  const fields = readFields(node, { what: 'an outcome with do', known: ['do', 'then'], context })
  const list = fields?.get('do')
  return list === undefined ? [] : readSteps(list, { prefix: `${id}/`, place, context })
}

const readRetryOutcome = (node: Syntax, { id, place, context }: OutcomeSpot): OutcomeTree | undefined => {
  const outer = readFields(node, { what: 'an outcome', known: ['retry'], context })
  const retry = outer?.get('retry')
  if (retry === undefined) return undefined
  if (place === 'case') {
    context.report.add(node, 'flow.wrong_type', 'a switch has nothing to retry; retry belongs in a gate or onError')
    return undefined
  }
  const fields = readFields(retry, { what: 'retry', known: ['model', 'prompt', 'attempts'], context })
  if (fields === undefined) return undefined
  const attempts = fields.read('attempts', (value) => readCount(value, { what: 'attempts', min: 1, max: 20, context })) ?? 1
  const models = fields.read('model', (value) => readTexts(value, 'a model or route', context))
  const prompt = fields.read('prompt', (value) => readPrompt(value, id, context))
  return { at: node, then: 'retry', attempts, ...defined({ models, prompt }) }
}
