// The tree as a plan: node ids, blocks, and what a step gets when it does not say.
import type { JsonObject, JsonSchema } from '@baton/contracts/json'
import { planHash } from './hash.ts'
import type { Outcome, Plan, PlanNode, Rule, ValueExpr } from './plan.ts'
import type { FlowTree, OutcomeTree, Place, PromptTree, RuleTree, SlotTree, StepTree, ValueTree } from './tree.ts'

/** The plan of a tree that the passes found nothing wrong with. */
export const emitPlan = (tree: FlowTree): Plan => {
  const nodes: Record<string, PlanNode> = {}
  const blocks: string[][] = [[]]
  const prompts: Record<string, Plan['prompts'][string]> = {}
  const emit: Emit = { nodes, blocks, prompts }
  blocks[0] = tree.steps.map((step, index) => emitStep(step, { emit, previous: tree.steps[index - 1]?.name ?? null }))
  const onError = tree.onError === undefined ? undefined : emitOutcome(tree.onError, { emit })
  const plan: Omit<Plan, 'hash'> = {
    formatVersion: 1,
    flow: tree.flow,
    version: tree.version,
    limits: tree.limits,
    params: tree.params,
    input: tree.input,
    blocks,
    entry: 0,
    nodes,
    ...(onError === undefined ? {} : { onError }),
    ...(tree.output === undefined ? {} : { output: emitValue(tree.output) }),
    prompts,
    ...(tree.resultTopic === undefined ? {} : { resultTopic: tree.resultTopic }),
    labels: tree.labels,
  }
  return { ...plan, hash: planHash(plan) }
}

type Emit = { readonly nodes: Record<string, PlanNode>; readonly blocks: string[][]; readonly prompts: Record<string, Plan['prompts'][string]> }
/** `returns` is what the step around expects, which the last step of an outcome has to give in its place. */
type Around = { readonly emit: Emit; readonly previous?: string | null; readonly returns?: JsonSchema }

const emitStep = (step: StepTree, { emit, previous = null, returns }: Around): string => {
  const own = step.returns ?? returns
  const gate = step.gate === undefined ? undefined : step.gate.map((rule) => emitRule(rule, { emit, ...(own === undefined ? {} : { returns: own }) }))
  const onError = step.onError === undefined ? undefined : emitOutcome(step.onError, { emit, ...(own === undefined ? {} : { returns: own }) })
  const common = {
    id: step.id,
    name: step.name,
    ...(step.when === undefined ? {} : { when: step.when.cel }),
    with: step.with === undefined ? defaultWith(step, previous) : emitValue(step.with),
    ...(step.timeoutMs === undefined ? {} : { timeoutMs: step.timeoutMs }),
    ...(step.retry === undefined ? {} : { retry: step.retry }),
    ...(own === undefined ? {} : { returns: own }),
    ...(gate === undefined ? {} : { gate }),
    ...(onError === undefined ? {} : { onError }),
    effect: step.effect ?? (step.kind === 'tool' || step.kind === 'task' ? 'write' : 'read'),
  } as const
  emit.nodes[step.id] = { ...common, ...emitBody(step, { emit, ...(own === undefined ? {} : { returns: own }) }) }
  return step.id
}

type Body = PlanNode extends infer Node ? (Node extends PlanNode ? Omit<Node, 'id' | 'name' | 'when' | 'with' | 'timeoutMs' | 'retry' | 'returns' | 'gate' | 'onError' | 'effect'> : never) : never

const emitBody = (step: StepTree, around: Around): Body => {
  switch (step.kind) {
    case 'model':
      return { kind: 'model', models: step.models, prompt: emitPrompt(step.prompt, around.emit) }
    case 'tool':
      return { kind: 'tool', tools: step.tools }
    case 'retrieve':
      return { kind: 'retrieve', index: step.index, top: step.top }
    case 'check':
      return { kind: 'check', checks: step.checks }
    case 'human':
      return { kind: 'human', human: step.human }
    case 'task':
      return { kind: 'task', task: step.task }
    case 'set':
      return { kind: 'set', value: emitValue(step.value) }
    case 'switch':
      return { kind: 'switch', ...(step.on === undefined ? {} : { on: step.on.cel }), rules: step.rules.map((rule) => emitRule(rule, { ...around, ...(step.on === undefined ? {} : { on: step.on.cel }) })) }
  }
}

const emitPrompt = ({ name, parts, system }: PromptTree, { prompts }: Emit): string => {
  prompts[name] = { parts, ...(system === undefined ? {} : { system }) }
  return name
}

const emitRule = (rule: RuleTree, around: Around & { readonly on?: string }): Rule => {
  const when = rule.equals === undefined ? rule.when?.cel : `(${around.on ?? ''}) == ${JSON.stringify(rule.equals)}`
  return { ...(when === undefined ? {} : { when }), label: rule.label, outcome: emitOutcome(rule.outcome, around) }
}

const emitOutcome = (outcome: OutcomeTree, { emit, returns }: Around): Outcome => {
  switch (outcome.then) {
    case 'step':
      return { then: 'step', step: outcome.step }
    case 'retry': {
      const { attempts, models, prompt } = outcome
      return { then: 'retry', attempts, ...(models === undefined ? {} : { models }), ...(prompt === undefined ? {} : { prompt: emitPrompt(prompt, emit) }) }
    }
    case 'run': {
      const block = emit.blocks.push([]) - 1
      // After the body of an error handler that fails anyway nobody reads its output, so it owes no schema.
      const owes = outcome.after === 'fail' ? undefined : returns
      emit.blocks[block] = outcome.steps.map((step, index) => {
        const last = index === outcome.steps.length - 1
        return emitStep(step, { emit, previous: outcome.steps[index - 1]?.name ?? null, ...(last && owes !== undefined ? { returns: owes } : {}) })
      })
      return { then: 'run', block, ...(outcome.after === undefined ? {} : { after: outcome.after }) }
    }
    default:
      return { then: outcome.then }
  }
}

const emitValue = (value: ValueTree): ValueExpr => {
  if ('lit' in value) return { lit: value.lit }
  if ('expr' in value) return { cel: value.expr.cel }
  if ('list' in value) return { list: value.list.map(emitValue) }
  return { object: Object.fromEntries(value.object.map(([key, field]) => [key, emitValue(field)])) }
}

const cel = (expression: string): ValueExpr => ({ cel: expression })

/** What a person, check or task sees beside the input, by where it stands. */
const SEEN: Readonly<Record<Place, Readonly<Record<string, string>>>> = { steps: {}, case: {}, gate: { draft: 'it' }, onError: { fault: 'fault' } }

/** The values of a step without `with`: a prompt gets what its slots name, people and checks what they have to judge. */
const defaultWith = (step: StepTree, previous: string | null): ValueExpr => {
  switch (step.kind) {
    case 'model':
      return slotValues(step.prompt.slots)
    case 'human':
    case 'check':
    case 'task': {
      const seen = Object.entries(SEEN[step.place]).map(([key, expression]) => [key, cel(expression)] as const)
      const before = previous === null || step.place === 'gate' ? [] : [[step.kind === 'human' ? 'draft' : 'it', cel(previous)] as const]
      return { object: Object.fromEntries([['input', cel('input')], ...before, ...seen]) }
    }
    case 'tool':
      return step.place === 'onError' ? { object: { fault: cel('fault'), run: cel('run') } } : { lit: {} }
    default:
      return { lit: {} }
  }
}

type Tree = { readonly [key: string]: Tree | null }

/** Slots `input.text` and `facts` become `{ input: { text: =input.text }, facts: =facts }`. */
const slotValues = (slots: readonly SlotTree[]): ValueExpr => {
  let tree: Tree = {}
  for (const { path } of slots) tree = withPath(tree, path)
  return treeValue(tree, '')
}

const withPath = (tree: Tree, [key, ...rest]: readonly string[]): Tree => {
  if (key === undefined) return tree
  const below = tree[key]
  if (below === null || rest.length === 0 || /^\d+$/.test(rest[0] ?? '')) return { ...tree, [key]: null }
  return { ...tree, [key]: withPath(below ?? {}, rest) }
}

const treeValue = (tree: Tree, prefix: string): ValueExpr => {
  const entries = Object.entries(tree).map(([key, below]) => [key, below === null ? cel(prefix + key) : treeValue(below, `${prefix}${key}.`)] as const)
  return entries.length === 0 ? { lit: EMPTY } : { object: Object.fromEntries(entries) }
}
const EMPTY: JsonObject = {}
