import { defined } from '../defined.ts'
import { paramProblem } from '../params.ts'
import type { ParamSpec } from '../plan.ts'
import { describe, literalOf, type Syntax } from '../source/syntax.ts'
import { parseMoney } from '../source/literals.ts'
import type { FlowTree, LimitsTree } from '../tree.ts'
import { readCount, readDuration, readFields, readText, readValue, readWord, type Fields, type ReadContext } from './context.ts'
import { readSchema } from './schema.ts'
import { readOutcome, readSteps } from './step.ts'

const FLOW_KEYS = ['flow', 'about', 'limits', 'params', 'input', 'steps', 'onError', 'output', 'results', 'labels']
const LATER_KEYS = ['guard', 'budget', 'schedule', 'undo', 'onLimit', 'onTimeout', 'tests']
const IDENTITY = /^([a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9_-]*)(?:@(\d+\.\d+\.\d+(?:-[\w.]+)?))?$/
const LIMITS = { timeMs: 600_000, totalMs: 30 * 86_400_000, steps: 100 }

/** The tree of a whole flow file; undefined where not even its shape can be seen. */
export const readFlow = (node: Syntax, context: ReadContext): FlowTree | undefined => {
  const fields = readFields(node, { what: 'a flow', known: FLOW_KEYS, later: LATER_KEYS, context })
  if (fields === undefined) return undefined
  const stepsNode = fields.get('steps')
  if (stepsNode === undefined) {
    context.report.add(node, 'flow.missing_key', 'a flow needs steps', 'steps:\n  - facts: Extract the facts from {{ input.text }}')
    return undefined
  }
  const { flow, version } = readIdentity(fields, node.source.file, context)
  const resultTopic = readResults(fields.get('results'), context)
  const onError = fields.read('onError', (value) => readOutcome(value, { id: 'onError', place: 'onError', context }))
  const output = fields.read('output', (value) => readValue(value, context))
  return {
    at: node,
    flow,
    version,
    limits: readLimits(fields.get('limits'), context),
    params: readParams(fields.get('params'), context),
    input: fields.read('input', (value) => readSchema(value, 'input', context)) ?? true,
    steps: readSteps(stepsNode, { prefix: '', place: 'steps', context }),
    labels: readLabels(fields.get('labels'), context),
    agents: {},
    buffers: {},
    triggers: [],
    ...defined({ onError, output, resultTopic }),
  }
}

const readIdentity = (fields: Fields, file: string, context: ReadContext): { readonly flow: string; readonly version: string } => {
  const node = fields.get('flow')
  const stem = file.slice(file.lastIndexOf('/') + 1).replace(/\.[a-z]+$/, '')
  const local = { flow: `local/${stem.toLowerCase().replace(/[^a-z0-9_-]/g, '-') || 'flow'}`, version: '0.0.0' }
  if (node === undefined) return local
  const text = readText(node, 'flow', context)
  if (text === undefined) return local
  const match = IDENTITY.exec(text)
  if (match === null)
    context.report.add(
      node,
      'name.invalid',
      `the name of a flow is namespace/name@1.0.0 in small letters, not "${text}"`,
      'support/customer-support@1.0.0',
    )
  return match === null ? local : { flow: match[1] ?? local.flow, version: match[2] ?? local.version }
}

const readLimits = (node: Syntax | undefined, context: ReadContext): LimitsTree => {
  const { defaults } = context
  const base = {
    timeMs: defaults.timeMs ?? LIMITS.timeMs,
    totalMs: defaults.totalMs ?? LIMITS.totalMs,
    steps: defaults.steps ?? LIMITS.steps,
  }
  if (node === undefined) return base
  const fields = readFields(node, { what: 'limits', known: ['time', 'total', 'steps', 'cost'], context })
  if (fields === undefined) return base
  const timeMs = fields.read('time', (value) => readDuration(value, 'limits.time', context)) ?? base.timeMs
  const totalMs = fields.read('total', (value) => readDuration(value, 'limits.total', context)) ?? Math.max(base.totalMs, timeMs)
  if (totalMs < timeMs)
    context.report.add(fields.get('total') ?? node, 'limit.exceeded', 'limits.total is wall clock and must not be shorter than limits.time')
  const steps = fields.read('steps', (value) => readCount(value, { what: 'limits.steps', min: 1, max: 100_000, context })) ?? base.steps
  const costMicroUsd = fields.read('cost', (value) => readMoney(value, context))
  return { timeMs, totalMs, steps, ...defined({ costMicroUsd }) }
}

const readMoney = (node: Syntax, context: ReadContext): number | undefined => {
  const value = node.kind === 'scalar' ? node.value : null
  const micro = typeof value === 'string' ? parseMoney(value) : undefined
  if (micro === undefined)
    context.report.add(
      node,
      'literal.money',
      `limits.cost must be an amount like 0.05 USD, not ${describe(node)}`,
      typeof value === 'number' ? `${value} USD` : '0.05 USD',
    )
  return micro
}

const PARAM_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

const readParams = (node: Syntax | undefined, context: ReadContext): Readonly<Record<string, ParamSpec>> => {
  if (node === undefined) return {}
  if (node.kind !== 'map') {
    context.report.add(node, 'flow.wrong_type', `params must be a map, not ${describe(node)}`)
    return {}
  }
  const specs = node.entries.map(({ key, keyAt, value }) => {
    if (!PARAM_NAME.test(key))
      context.report.add(
        keyAt,
        'name.invalid',
        `the param name "${key}" must be a word of letters, digits and _`,
        key.replace(/[^A-Za-z0-9_]/g, '_'),
      )
    return [key, readParam(value, key, context)] as const
  })
  return Object.fromEntries(specs.filter((entry): entry is readonly [string, ParamSpec] => entry[1] !== undefined))
}

const readParam = (node: Syntax, name: string, context: ReadContext): ParamSpec | undefined => {
  const fields = readFields(node, { what: `param "${name}"`, known: ['type', 'default', 'min', 'max', 'about'], context })
  if (fields === undefined) return undefined
  const typeNode = fields.get('type')
  const defaultNode = fields.get('default')
  if (typeNode === undefined || defaultNode === undefined) {
    context.report.add(
      node,
      'flow.missing_key',
      `param "${name}" needs a type and a default`,
      '{ type: number, default: 0.8, min: 0, max: 1 }',
    )
    return undefined
  }
  const type = readWord(typeNode, {
    what: 'the type of a param',
    words: ['number', 'integer', 'string', 'boolean', 'duration'] as const,
    context,
  })
  if (type === undefined) return undefined
  const bound = (key: 'min' | 'max'): number | undefined =>
    fields.read(key, (value) => (type === 'duration' ? readDuration(value, key, context) : readNumber(value, key, context)))
  const about = fields.read('about', (value) => readText(value, 'about', context))
  const spec: ParamSpec = { type, default: literalOf(defaultNode), ...defined({ min: bound('min'), max: bound('max'), about }) }
  const wrong = paramProblem(spec, spec.default)
  if (wrong !== undefined) context.report.add(defaultNode, 'literal.range', `the default of param "${name}" ${wrong}`)
  return spec
}

const readNumber = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  if (node.kind === 'scalar' && typeof node.value === 'number') return node.value
  context.report.add(node, 'literal.range', `${what} must be a number, not ${describe(node)}`)
  return undefined
}

const readResults = (node: Syntax | undefined, context: ReadContext): string | undefined => {
  if (node === undefined) return undefined
  const topic = readFields(node, { what: 'results', known: ['topic'], context })?.get('topic')
  const name = topic === undefined ? undefined : readText(topic, 'results.topic', context)
  if (topic === undefined || name === undefined) return undefined
  if (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,200}$/.test(name)) return name
  context.report.add(topic, 'name.invalid', `"${name}" is not the name of a topic: letters, digits, "." "_" "-"`)
  return undefined
}

const readLabels = (node: Syntax | undefined, context: ReadContext): Readonly<Record<string, string>> => {
  if (node === undefined) return {}
  if (node.kind !== 'map') {
    context.report.add(node, 'flow.wrong_type', `labels must be a map of text, not ${describe(node)}`)
    return {}
  }
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, readText(value, `label "${key}"`, context) ?? '']))
}
