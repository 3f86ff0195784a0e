// A gate on a confidence decides nothing when nobody gives one.
import { isJsonObject, type JsonSchema } from '@baton/contracts/json'
import type { Report } from '../diagnostic.ts'
import { agentsOf } from '../check/walk.ts'
import { createAnalyser } from '../expression.ts'
import { spanInScalar } from '../source/syntax.ts'
import type { BlockTree, ExprTree, FlowTree, StepTree, ValueTree } from '../tree.ts'
import { everyStep, nameOf } from './blocks.ts'

/** Reports gates on `it.confidence`, and agents that must be sure, where the output is known and has none. */
export const checkConfidence = (tree: FlowTree, report: Report): void => {
  const analyse = createAnalyser([])
  everyStep(tree, (step) => {
    if (step.kind === 'agent') checkMinimum(step, { tree, report })
    const conditions = (step.gate ?? []).flatMap(({ when }) => (when === undefined ? [] : [when]))
    const why = conditions.some(mentions) ? missingIn(step, tree) : undefined
    for (const condition of why === undefined ? [] : conditions) {
      const analysis = mentions(condition) ? analyse(condition.cel) : undefined
      if (analysis?.ok !== true) continue
      const paths = analysis.paths.filter(({ root, keys }) => root === 'it' && keys[0] === 'confidence')
      const [first] = paths
      if (first === undefined || paths.some(({ use }) => use === 'has')) continue
      const at = spanInScalar(condition.at, condition.skip + first.index, 'it')
      report.add(at, 'gate.no_confidence', `${nameOf(step)} never gives a confidence: ${why ?? ''}`, fixOf(step))
    }
  })
}

type AgentStep = StepTree & { readonly kind: 'agent' }

/** An agent that answers only when it is sure enough has to say how sure it is, or is asked by its self-check. */
const checkMinimum = (step: AgentStep, { tree, report }: { tree: FlowTree; report: Report }): void => {
  for (const { name, minConfidence, selfCheck, returns } of agentsOf(step, tree)) {
    const output = step.returns ?? returns
    if (minConfidence === undefined || selfCheck !== undefined || output === undefined || !lacks(output)) continue
    const message = `the agent "${name}" must be sure to ${minConfidence}, and never gives a confidence: its "returns" has no such field`
    report.add(step.at, 'gate.no_confidence', message, 'returns: { …, confidence: 0..1 }, or a selfCheck')
  }
}

const mentions = ({ cel }: ExprTree): boolean => cel.includes('confidence')

const fixOf = ({ kind }: StepTree): string =>
  kind === 'model' || kind === 'agent' || kind === 'human' || kind === 'tool' || kind === 'task'
    ? 'returns: { …, confidence: 0..1 }'
    : 'decide on a field that the output has'

/** Why an output has no confidence; undefined where it has one or may have one. */
const missingIn = (step: StepTree, tree: FlowTree): string | undefined => {
  if (step.returns !== undefined) return lacks(step.returns) ? 'its "returns" has no such field' : undefined
  return KNOWN[step.kind] ?? missingInside(step, tree)
}

/** Kinds whose output is the same whatever the step says. */
const KNOWN: Readonly<Partial<Record<StepTree['kind'], string>>> = {
  model: 'without "returns" its output is text',
  retrieve: 'its output is a list of passages',
  map: 'its output is a list',
  wait: 'its output is null',
  emit: 'its output is null',
}

const missingInside = (step: StepTree, tree: FlowTree): string | undefined => {
  switch (step.kind) {
    case 'set':
      return valueLacks(step.value) ? 'its value has no such field' : undefined
    case 'parallel':
      return step.branches.some(({ name }) => name === 'confidence') ? undefined : 'its output has a field for each branch'
    case 'agent':
      return agentLacks(step, tree) ? 'the "returns" of the agent has no such field' : undefined
    case 'loop':
      return blockLacks(step.body, tree) ? 'its last step gives none' : undefined
    case 'vote':
      return step.voters.every(({ block }) => blockLacks(block, tree)) ? 'no voter gives one' : undefined
    default:
      return undefined
  }
}

const blockLacks = ({ steps }: BlockTree, tree: FlowTree): boolean => {
  const last = steps.at(-1)
  return last !== undefined && last.gate === undefined && missingIn(last, tree) !== undefined
}

const agentLacks = (step: AgentStep, tree: FlowTree): boolean => {
  const agents = agentsOf(step, tree)
  return agents.length > 0 && agents.every(({ returns, selfCheck }) => returns !== undefined && selfCheck === undefined && lacks(returns))
}

const valueLacks = (value: ValueTree): boolean => {
  if ('object' in value) return !value.object.some(([key]) => key === 'confidence')
  return 'lit' in value && !(isJsonObject(value.lit) && Object.hasOwn(value.lit, 'confidence'))
}

const COMPOSED = ['$ref', 'anyOf', 'oneOf', 'allOf', 'patternProperties']

/** Whether values of a schema are known to have no such field; a schema that leaves it open may have it. */
const lacks = (schema: JsonSchema): boolean => {
  if (typeof schema === 'boolean' || COMPOSED.some((key) => Object.hasOwn(schema, key))) return false
  const { properties, additionalProperties, type } = schema
  if (isJsonObject(properties)) {
    const open = additionalProperties !== undefined && additionalProperties !== false
    return !open && !Object.hasOwn(properties, 'confidence')
  }
  return (typeof type === 'string' && type !== 'object') || Array.isArray(schema['enum'])
}
