// Gates, switches and jumps: every case has an outcome, every outcome leads forward.
import { isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import { didYouMean, type Report } from '../diagnostic.ts'
import { createAnalyser } from '../expression.ts'
import type { AgentTree, ExprTree, FlowTree, OutcomeTree, RuleTree, StepTree } from '../tree.ts'
import { boundSchema, outputSchema } from './output-schema.ts'
import { agentsOf, walkFlow, type View } from './walk.ts'

/** Reports missing elses, unreachable rules, unknown cases and jumps that lead nowhere or backwards. */
export const checkDecisions = (tree: FlowTree, report: Report): void => {
  const names = new Set<string>()
  walkFlow(tree, { step: ({ name }) => (name === null ? undefined : names.add(name)) })
  const analyse = createAnalyser(names)
  walkFlow(tree, {
    step: (step, view) => {
      if (step.gate !== undefined) {
        checkElse(step.gate, { report, at: step, what: 'gate' })
        if (NOTHING_TO_RETRY.has(step.kind)) refuseRetry(step.gate, step.kind, report)
      }
      if (step.kind === 'agent' && step.by !== undefined)
        checkAgents(step.by, { step, values: valuesOf(step.by, { tree, view, analyse }), agents: agentsOf(step, tree), report })
      if (step.kind !== 'switch') return
      if (step.on === undefined) checkElse(step.rules, { report, at: step, what: 'switch' })
      else checkCases(step.rules, { step, on: step.on, values: valuesOf(step.on, { tree, view, analyse }), report })
    },
    outcome: (outcome, targets) => checkJump(outcome, { targets, names, report }),
  })
  for (const outcome of [tree.onError, tree.onLimit])
    if (outcome?.then === 'retry')
      report.add(outcome.at, 'flow.wrong_type', 'the flow itself has nothing to retry; retry belongs in the onError of a step')
  for (const { name, fallback } of Object.values(tree.agents))
    if (fallback?.then === 'retry')
      report.add(fallback.at, 'flow.wrong_type', `the fallback of agent "${name}" comes after its tries; it is an agent, a person or fail`)
}

const NOTHING_TO_RETRY: ReadonlySet<StepTree['kind']> = new Set(['switch', 'set', 'wait', 'event'])

type Agents = {
  readonly step: StepTree
  readonly values: readonly Json[] | undefined
  readonly agents: readonly AgentTree[]
  readonly report: Report
}

/** An agent by what it is for is a switch: each value that can come has one. */
const checkAgents = (by: ExprTree, { step, values, agents, report }: Agents): void => {
  const first = new Map<string, string>()
  for (const agent of agents)
    for (const type of agent.for) {
      const other = first.get(type)
      if (other !== undefined && other !== agent.name)
        report.add(agent.at, 'rule.unreachable', `agent "${other}" is for "${type}" already, so "${agent.name}" is never chosen for it`)
      else first.set(type, agent.name)
    }
  if (values === undefined) {
    const message = `what ${by.cel} can be is not declared, so there may be no agent for it`
    report.add(step.at, 'switch.incomplete', message, 'declare its values: kind: refund | technical')
    return
  }
  const missing = values.filter((value) => typeof value !== 'string' || !first.has(value))
  if (missing.length > 0)
    report.add(
      step.at,
      'switch.incomplete',
      `no agent is for ${words(missing)}${didYouMean(words(missing.slice(0, 1)), first.keys())}`,
      `for: [${words(missing)}]`,
    )
}

const checkElse = (rules: readonly RuleTree[], { report, at, what }: { report: Report; at: StepTree; what: 'gate' | 'switch' }): void => {
  const elseIndex = rules.findIndex((rule) => rule.when === undefined && rule.equals === undefined && rule.outcome.then !== 'retry')
  if (elseIndex === -1) {
    const onlyRetry = rules.some((rule) => rule.when === undefined && rule.outcome.then === 'retry')
    const message = onlyRetry
      ? `the ${what} of "${at.name ?? at.id}" says what happens first, but not when the retries are used up`
      : `the ${what} of "${at.name ?? at.id}" has no else`
    report.add(rules.at(-1)?.at ?? at.at, what === 'gate' ? 'gate.incomplete' : 'switch.incomplete', message, '- { else: fail }')
    return
  }
  for (const rule of rules.slice(elseIndex + 1)) report.add(rule.at, 'rule.unreachable', 'no rule after the else is ever looked at')
}

const refuseRetry = (rules: readonly RuleTree[], kind: string, report: Report): void => {
  for (const { outcome } of rules)
    if (outcome.then === 'retry') report.add(outcome.at, 'flow.wrong_type', `a ${kind} step has nothing to retry`)
}

type Cases = { readonly step: StepTree; readonly on: ExprTree; readonly values: readonly Json[] | undefined; readonly report: Report }

const checkCases = (rules: readonly RuleTree[], { step, on, values, report }: Cases): void => {
  const hasElse = rules.some((rule) => rule.equals === undefined)
  if (values === undefined) {
    if (!hasElse)
      report.add(step.at, 'switch.incomplete', `what ${on.cel} can be is not declared, so this switch needs an else`, 'else: fail')
    return
  }
  for (const rule of rules) {
    if (rule.equals === undefined || values.includes(rule.equals)) continue
    report.add(
      rule.at,
      'rule.unreachable',
      `${on.cel} is never ${JSON.stringify(rule.equals)}; it is one of ${words(values)}${didYouMean(
        rule.label,
        values.map((value) => words([value])),
      )}`,
    )
  }
  const missing = values.filter((value) => !rules.some((rule) => rule.equals === value))
  if (missing.length > 0 && !hasElse) {
    report.add(
      step.at,
      'switch.incomplete',
      `this switch has no case for ${words(missing)}, and no else`,
      `${words(missing.slice(0, 1))}: …, or else: …`,
    )
  }
}

const words = (values: readonly Json[]): string =>
  values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(', ')

type Known = { readonly tree: FlowTree; readonly view: View; readonly analyse: ReturnType<typeof createAnalyser> }

/** The values an expression can have, where it is a path to a field with an enum. */
const valuesOf = ({ cel }: ExprTree, { tree, view, analyse }: Known): readonly Json[] | undefined => {
  const analysis = analyse(cel)
  const path = analysis.ok && analysis.pure ? analysis.paths[0] : undefined
  if (path === undefined) return undefined
  const declared = declaredSchema(path.root, { tree, view })
  const schema = path.keys.reduce<JsonSchema | undefined>(fieldOf, declared)
  if (schema === undefined || typeof schema === 'boolean') return undefined
  if (Array.isArray(schema['enum'])) return schema['enum']
  return schema['type'] === 'boolean' ? [true, false] : undefined
}

const declaredSchema = (root: string, { tree, view }: Pick<Known, 'tree' | 'view'>): JsonSchema | undefined => {
  if (view.bound.has(root)) return boundSchema(view.bound.get(root), tree)
  const step = view.steps.get(root)
  return root === 'input' ? tree.input : step === undefined ? undefined : outputSchema(step, tree)
}

const fieldOf = (schema: JsonSchema | undefined, key: string | number): JsonSchema | undefined => {
  const properties = schema === undefined || typeof schema === 'boolean' ? undefined : schema['properties']
  const field = isJsonObject(properties) && Object.hasOwn(properties, String(key)) ? properties[String(key)] : undefined
  return isJsonObject(field) ? field : undefined
}

type Jumps = { readonly targets: ReadonlyMap<string, StepTree>; readonly names: ReadonlySet<string>; readonly report: Report }

const checkJump = (outcome: OutcomeTree, { targets, names, report }: Jumps): void => {
  if (outcome.then !== 'step' || targets.has(outcome.step)) return
  const known = names.has(outcome.step)
  const message = known
    ? `"${outcome.step}" does not come after this step in the same block; a jump leads forward`
    : `there is no step "${outcome.step}"${didYouMean(outcome.step, [...targets.keys(), 'next', 'end', 'fail'])}`
  report.add(
    outcome.at,
    known ? 'jump.backward' : 'jump.unknown',
    message,
    targets.size > 0 ? `one of: ${['next', 'end', 'fail', ...targets.keys()].join(', ')}` : 'next, end or fail',
  )
}
