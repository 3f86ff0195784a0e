/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// Steps and what decides between them. Outcomes hold steps and steps hold outcomes, so both are read here.
import { defined } from '../defined.ts'
import type { Span } from '../source/source.ts'
import { describe, type EntrySyntax, type ListSyntax, type MapSyntax, type Syntax } from '../source/syntax.ts'
import type { BodyTree, OutcomeTree, Place, RuleTree, StepTree } from '../tree.ts'
import {
  readCondition,
  readCount,
  readDuration,
  readFields,
  readMarked,
  readText,
  readTexts,
  readValue,
  readWord,
  type Fields,
  type ReadContext,
} from './context.ts'
import {
  KINDS,
  LATER_KINDS,
  readCheck,
  readHuman,
  readModel,
  readRetrieve,
  readRetry,
  readSet,
  readTask,
  readTool,
  type Kind,
} from './kinds.ts'
import { readPrompt } from './prompt.ts'
import { readSchema } from './schema.ts'

const STEP_KEYS = [...KINDS, 'prompt', 'cases', 'else', 'when', 'with', 'returns', 'timeout', 'retry', 'gate', 'onError', 'effect', 'about']
const LATER_KEYS = [...LATER_KINDS, 'guard', 'failover', 'cache', 'hedge', 'budget', 'undo', 'onTimeout', 'onLimit', 'timeLimit']
const STEP_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Names that expressions know already, that CEL reserves, or that ids of nodes use. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(
  (
    'input params run it fault steps onError gate next end fail retry do else then when true false null in as break const continue for function if import let loop namespace package ' +
    'return var void while bool bytes double dyn int list map null_type string timestamp type uint duration optional cel has size constructor __proto__ prototype'
  ).split(' '),
)

type Spot = { readonly prefix: string; readonly place: Place; readonly context: ReadContext }

/** The steps of a flow or of a `do`. */
export const readSteps = (node: Syntax, spot: Spot): readonly StepTree[] => {
  if (node.kind !== 'list') {
    spot.context.report.add(node, 'flow.wrong_type', `steps are a list of "- name: …", not ${describe(node)}`)
    return []
  }
  if (node.items.length === 0) spot.context.report.add(node, 'flow.wrong_type', 'there must be at least one step')
  return node.items.map((item) => readStep(item, spot)).filter((step) => step !== undefined)
}

const readStep = (item: Syntax, { prefix, place, context }: Spot): StepTree | undefined => {
  const entry = readOnlyEntry(item, context)
  if (entry === undefined) return undefined
  const name = readStepName(entry, context)
  const id = `${prefix}${entry.key}`
  const { value } = entry
  if (value.kind !== 'scalar' || value.value === null) return readStepBody(value, { id, name, at: entry.keyAt, place, context })
  const prompt = readPrompt(value, id, context)
  return prompt === undefined
    ? undefined
    : { id, name, at: entry.keyAt, place, kind: 'model', models: [context.defaults.model ?? 'default'], prompt }
}

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

const readStepName = ({ key, keyAt }: EntrySyntax, { report }: ReadContext): string => {
  if (!STEP_NAME.test(key) || key.length > 64) {
    report.add(
      keyAt,
      'name.invalid',
      `the step name "${key}" must be a word of letters, digits and _, so that expressions can use it`,
      key.replace(/[^A-Za-z0-9_]/g, '_'),
    )
  } else if (RESERVED_NAMES.has(key)) {
    report.add(keyAt, 'name.reserved', `"${key}" has a meaning of its own in expressions; give the step another name`, `${key}_step`)
  }
  return key
}

type Body = {
  readonly id: string
  readonly name: string | null
  readonly at: Span
  readonly place: Place
  readonly context: ReadContext
  readonly extra?: readonly string[]
}

const readStepBody = (node: Syntax, { id, name, at, place, context, extra = [] }: Body): StepTree | undefined => {
  const fields = readFields(node, {
    what: name === null ? 'a step' : `step "${name}"`,
    known: [...STEP_KEYS, ...extra],
    later: LATER_KEYS,
    context,
  })
  if (fields === undefined) return undefined
  const work = readWork(fields, { id, name, context })
  const common = {
    when: fields.read('when', (value) => readCondition(value, 'when', context)),
    with: fields.read('with', (value) => readArguments(value, work?.kind, context)),
    timeoutMs: fields.read('timeout', (value) => readDuration(value, 'timeout', context)),
    timeoutAt: fields.get('timeout'),
    retry: fields.read('retry', (value) => readRetry(value, context)),
    returns: fields.read('returns', (value) => readSchema(value, 'returns', context)),
    gate: fields.read('gate', (value) => readGate(value, id, context)),
    onError: fields.read('onError', (value) => readOutcome(value, { id: `${id}/onError`, place: 'onError', context })),
    effect: fields.read('effect', (value) =>
      readWord(value, { what: 'effect', words: ['read', 'write', 'irreversible'] as const, context }),
    ),
  }
  if (work === undefined) return undefined
  refuseMisplaced(fields, work.kind, context)
  return { id, name, at, place, ...defined(common), ...work }
}

/** Keys that mean nothing on a kind are mistakes, not decoration. */
const MISPLACED: Readonly<Partial<Record<StepTree['kind'], readonly string[]>>> = {
  switch: ['with', 'retry', 'timeout', 'effect', 'prompt'],
  set: ['with', 'retry', 'timeout', 'effect', 'prompt', 'cases', 'else', 'onError'],
  human: ['timeout', 'retry', 'cases', 'else'],
}
const ELSEWHERE = ['cases', 'else']

const refuseMisplaced = (fields: Fields, kind: StepTree['kind'], { report }: ReadContext): void => {
  for (const key of MISPLACED[kind] ?? ELSEWHERE) {
    if (fields.has(key)) report.add(fields.keyAt(key), 'flow.unknown_key', `"${key}" means nothing on a ${kind} step`)
  }
  if (kind === 'retrieve' || kind === 'tool' || kind === 'check' || kind === 'task' || kind === 'human') {
    if (fields.has('prompt')) report.add(fields.keyAt('prompt'), 'flow.unknown_key', `"prompt" means nothing on a ${kind} step`)
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

const readWork = (
  fields: Fields,
  { id, name, context }: { id: string; name: string | null; context: ReadContext },
): BodyTree | undefined => {
  const [kind, another] = KINDS.filter((candidate) => fields.has(candidate))
  if (another !== undefined) {
    context.report.add(fields.keyAt(another), 'flow.wrong_type', `a step does one thing; this one has "${kind ?? ''}" and "${another}"`)
    return undefined
  }
  const node = kind === undefined ? undefined : fields.get(kind)
  if (kind !== undefined && node !== undefined) return readKind(kind, node, { fields, id, context })
  if (fields.has('prompt')) return readModel(fields, { id, context })
  const keys = fields.at.entries.map(({ key }) => key)
  if (!keys.some((key) => LATER_KINDS.includes(key))) {
    context.report.add(
      fields.at.entries[0]?.keyAt ?? fields.at,
      'flow.missing_key',
      `${name === null ? 'a step' : `step "${name}"`} does not say what to do`,
      `one of: ${KINDS.join(', ')}, prompt`,
    )
  }
  return undefined
}

const readKind = (
  kind: Kind,
  node: Syntax,
  { fields, id, context }: { fields: Fields; id: string; context: ReadContext },
): BodyTree | undefined => {
  switch (kind) {
    case 'model':
      return readModel(fields, { id, context })
    case 'tool':
      return readTool(node, { id, context })
    case 'retrieve':
      return readRetrieve(node, fields, { id, context })
    case 'check':
      return readCheck(node, { id, context })
    case 'human':
      return readHuman(node, { id, context })
    case 'task':
      return readTask(node, { id, context })
    case 'set':
      return readSet(node, { id, context })
    case 'switch':
      return readSwitch(node, fields, { id, context })
  }
}

/** A switch on a value has cases; a switch on ranges is a list of when and then. */
const readSwitch = (node: Syntax, fields: Fields, { id, context }: { id: string; context: ReadContext }): BodyTree | undefined => {
  if (node.kind === 'list') {
    for (const key of ['cases', 'else']) {
      if (fields.has(key))
        context.report.add(
          fields.keyAt(key),
          'flow.unknown_key',
          `"${key}" belongs to a switch on a value; this one is a list, its last line is { else: … }`,
        )
    }
    return { kind: 'switch', rules: readRules(node, { id: `${id}/when`, place: 'case', context }) }
  }
  const on = readMarked(node, 'switch', context)
  const cases = fields.get('cases')
  if (cases === undefined || cases.kind !== 'map') {
    context.report.add(
      cases ?? fields.keyAt('switch'),
      'flow.missing_key',
      'a switch on a value needs cases',
      'cases: { refund: …, technical: … }',
    )
    return undefined
  }
  const rules = cases.entries.map((entry, index): RuleTree | undefined => {
    const segment = /^[\w.-]+$/.test(entry.key) && !['else', 'gate', 'onError'].includes(entry.key) ? entry.key : `case[${index}]`
    const outcome = readOutcome(entry.value, { id: `${id}/${segment}`, place: 'case', context })
    return outcome === undefined ? undefined : { at: entry.keyAt, equals: entry.keyValue, label: entry.key, outcome }
  })
  const elseNode = fields.get('else')
  const otherwise = elseNode === undefined ? undefined : readOutcome(elseNode, { id: `${id}/else`, place: 'case', context })
  const all = [
    ...rules.filter((rule) => rule !== undefined),
    ...(otherwise === undefined ? [] : [{ at: fields.keyAt('else'), label: 'else', outcome: otherwise }]),
  ]
  return on === undefined ? undefined : { kind: 'switch', on, rules: all }
}

/** A gate is a list of rules, or one { when, then, else }. */
const readGate = (node: Syntax, id: string, context: ReadContext): readonly RuleTree[] | undefined => {
  if (node.kind === 'list') return readRules(node, { id: `${id}/gate`, place: 'gate', context })
  const fields = readFields(node, { what: 'gate', known: ['when', 'then', 'else', 'label'], context })
  if (fields === undefined || node.kind !== 'map') return undefined
  const pick = (keys: readonly string[]): Syntax => ({ ...node, entries: node.entries.filter(({ key }) => keys.includes(key)) })
  const items = [pick(['when', 'then', 'label']), ...(fields.has('else') ? [pick(['else'])] : [])]
  return readRules({ ...node, kind: 'list', items }, { id: `${id}/gate`, place: 'gate', context })
}

type Rules = { readonly id: string; readonly place: Place; readonly context: ReadContext }

const readRules = (node: ListSyntax, rules: Rules): readonly RuleTree[] =>
  node.items.map((item, index) => readRule(item, index, rules)).filter((rule) => rule !== undefined)

const readRule = (item: Syntax, index: number, { id, place, context }: Rules): RuleTree | undefined => {
  const fields = readFields(item, { what: 'a rule', known: ['when', 'then', 'else', 'label'], context })
  if (fields === undefined) return undefined
  const shape = ['when', 'then', 'else'].filter((key) => fields.has(key)).join(' ')
  if (shape !== 'when then' && shape !== 'else') {
    context.report.add(item, 'flow.missing_key', 'a rule is { when: CONDITION, then: OUTCOME }, or { else: OUTCOME } on a line of its own')
    return undefined
  }
  const when = fields.read('when', (value) => readCondition(value, 'when', context))
  const outcome = fields.read(shape === 'else' ? 'else' : 'then', (value) => readOutcome(value, { id: `${id}[${index}]`, place, context }))
  const label = fields.read('label', (value) => readText(value, 'label', context)) ?? when?.cel ?? 'else'
  const complete = shape === 'else' || when !== undefined
  return outcome === undefined || !complete ? undefined : { at: item, label, outcome, ...defined({ when }) }
}

type OutcomeSpot = { readonly id: string; readonly place: Place; readonly context: ReadContext }
const AFTER = ['next', 'end', 'fail'] as const

/** `next`, `end`, `fail`, a step's name, `{ retry: … }`, `{ do: [steps] }`, or the body of a step. */
export const readOutcome = (node: Syntax, spot: OutcomeSpot): OutcomeTree | undefined => {
  if (node.kind === 'map') return readLongOutcome(node, spot)
  const value = node.kind === 'scalar' ? node.value : null
  const word = AFTER.find((candidate) => candidate === value)
  if (word !== undefined) return { at: node, then: word }
  if (typeof value === 'string' && STEP_NAME.test(value)) return { at: node, then: 'step', step: value }
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
  const after = stated ?? (spot.place === 'onError' ? 'fail' : undefined)
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
