import { defined } from '../defined.ts'
import { paramProblem } from '../params.ts'
import type { ParamSpec } from '../plan.ts'
import { parsePercent } from '../source/literals.ts'
import { describe, literalOf, type Syntax } from '../source/syntax.ts'
import type { FlowTree } from '../tree.ts'
import { readAgentFiles, readAgents } from './agents.ts'
import { readBuffers, readHistory } from './buffers.ts'
import { readDuration, readEntries, readFields, readText, readValue, readWord, type Fields, type ReadContext } from './context.ts'
import { readLimits } from './limits.ts'
import { withShares } from './literals.ts'
import { readDeclaredPrompt } from './prompt.ts'
import { isTypeName, readDeclaredSchema, readSchema } from './schema.ts'
import { readTopic } from './site.ts'
import { nestedIn, readSteps } from './step.ts'
import { readTriggers } from './triggers.ts'

/** Words at the top of a flow. */
const FLOW_KEYS =
  'flow about limits params labels input output steps agents prompts schemas buffers history triggers onError onLimit results'.split(' ')
const IDENTITY = /^([a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9_-]*)(?:@(\d+\.\d+\.\d+(?:-[\w.]+)?))?$/

/** The tree of a whole flow file; undefined where not even its shape can be seen. */
export const readFlow = (node: Syntax, given: ReadContext): FlowTree | undefined => {
  const fields = readFields(node, { what: 'a flow', known: FLOW_KEYS, context: given })
  if (fields === undefined) return undefined
  const stepsNode = fields.get('steps')
  if (stepsNode === undefined) {
    given.report.add(node, 'flow.missing_key', 'a flow needs steps', 'steps:\n  - facts: Extract the facts from {{ input.text }}')
    return undefined
  }
  const context = withDeclared(fields, given)
  const nested = nestedIn(context)
  const outcome = (key: 'onError' | 'onLimit'): FlowTree['onError'] =>
    fields.read(key, (value) => nested.outcome(value, { id: key, place: 'onError' }))
  const common = {
    at: node,
    ...readIdentity(fields, node.source.file, context),
    limits: readLimits(fields.get('limits'), context),
    params: readParams(fields.get('params'), context),
    input: fields.read('input', (value) => readSchema(value, 'input', context)) ?? true,
    steps: readSteps(stepsNode, { prefix: '', place: 'steps', context }),
    labels: readLabels(fields.get('labels'), context),
    buffers: readBuffers(fields.get('buffers'), context),
    triggers: readTriggers(fields.get('triggers'), context),
    ...defined({
      onError: outcome('onError'),
      onLimit: outcome('onLimit'),
      history: fields.read('history', (value) => readHistory(value, context)),
      output: fields.read('output', (value) => readValue(value, context)),
      resultTopic: readResults(fields.get('results'), context),
    }),
  }
  // Last, when every agent of a file that anything names is known.
  const agents = readAgents(fields.get('agents'), context, nested)
  return { ...common, agents: { ...agents, ...readAgentFiles(context, nested) } }
}

/** The context with what the flow declares by name. Each is read once here, so that a mistake shows also where none is used. */
const withDeclared = (fields: Fields, given: ReadContext): ReadContext => {
  const declared = (key: string): ReadonlyMap<string, Syntax> =>
    new Map(readEntries(fields.get(key), key, given).map(({ key: name, value }) => [name, value]))
  const agents = fields.get('agents')
  const context = {
    ...given,
    prompts: declared('prompts'),
    schemas: declared('schemas'),
    agents: new Set(agents?.kind === 'map' ? agents.entries.map(({ key }) => key) : []),
  }
  for (const [name, value] of context.prompts) readDeclaredPrompt(name, value, context)
  for (const [name, value] of context.schemas) readDeclaredSchema(name, value, context)
  for (const key of ['prompts', 'schemas'])
    for (const entry of readEntries(fields.get(key), key, given))
      if (!/^[A-Za-z_][\w-]*$/.test(entry.key) || isTypeName(entry.key))
        given.report.add(
          entry.keyAt,
          'name.invalid',
          `"${entry.key}" cannot be a name in ${key}: a word that is no type, without a version`,
        )
  return context
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
  const spec: ParamSpec = {
    type,
    default: type === 'number' ? withShares(literalOf(defaultNode)) : literalOf(defaultNode),
    ...defined({ min: bound('min'), max: bound('max'), about }),
  }
  const wrong = paramProblem(spec, spec.default)
  if (wrong !== undefined) context.report.add(defaultNode, 'literal.range', `the default of param "${name}" ${wrong}`)
  return spec
}

const readNumber = (node: Syntax, what: string, context: ReadContext): number | undefined => {
  const value = node.kind === 'scalar' ? node.value : undefined
  const number = typeof value === 'string' ? parsePercent(value) : value
  if (typeof number === 'number') return number
  context.report.add(node, 'literal.range', `${what} must be a number, not ${describe(node)}`)
  return undefined
}

const readResults = (node: Syntax | undefined, context: ReadContext): string | undefined => {
  if (node === undefined) return undefined
  const topic = readFields(node, { what: 'results', known: ['topic'], context })?.get('topic')
  return topic === undefined ? undefined : readTopic(topic, 'results.topic', context)
}

const readLabels = (node: Syntax | undefined, context: ReadContext): Readonly<Record<string, string>> => {
  if (node === undefined) return {}
  if (node.kind !== 'map') {
    context.report.add(node, 'flow.wrong_type', `labels must be a map of text, not ${describe(node)}`)
    return {}
  }
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, readText(value, `label "${key}"`, context) ?? '']))
}
