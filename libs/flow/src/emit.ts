/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The tree as a plan: node ids, blocks, and what a step gets when it does not say.
import type { JsonObject, JsonSchema } from '@baton/contracts/json'
import { defined } from './defined.ts'
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
    prompts,
    labels: tree.labels,
    ...defined({ onError, output: tree.output === undefined ? undefined : emitValue(tree.output), resultTopic: tree.resultTopic }),
  }
  return { ...plan, hash: planHash(plan) }
}

type Emit = {
  readonly nodes: Record<string, PlanNode>
  readonly blocks: string[][]
  readonly prompts: Record<string, Plan['prompts'][string]>
}
/** `returns` is what the step around expects, which the last step of an outcome has to give in its place. */
type Around = { readonly emit: Emit; readonly previous?: string | null; readonly returns?: JsonSchema }

const emitStep = (step: StepTree, { emit, previous = null, returns }: Around): string => {
  const expected = step.returns ?? returns
  const around = { emit, ...defined({ returns: expected }) }
  const common = {
    id: step.id,
    name: step.name,
    with: step.with === undefined ? defaultWith(step, previous) : emitValue(step.with),
    effect: step.effect ?? (step.kind === 'tool' || step.kind === 'task' ? 'write' : 'read'),
    ...defined({
      when: step.when?.cel,
      timeoutMs: step.timeoutMs,
      retry: step.retry,
      returns: expected,
      gate: step.gate?.map((rule) => emitRule(rule, around)),
      onError: step.onError === undefined ? undefined : emitOutcome(step.onError, around),
    }),
  } as const
  emit.nodes[step.id] = { ...common, ...emitBody(step, around) }
  return step.id
}

type Body = PlanNode extends infer Node
  ? Node extends PlanNode
    ? Omit<Node, 'id' | 'name' | 'when' | 'with' | 'timeoutMs' | 'retry' | 'returns' | 'gate' | 'onError' | 'effect'>
    : never
  : never

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
    default:
      throw new Error(`a ${step.kind} step was read that cannot be emitted`)
    case 'switch':
      return {
        kind: 'switch',
        ...defined({ on: step.on?.cel }),
        rules: step.rules.map((rule) => emitRule(rule, { ...around, ...defined({ on: step.on?.cel }) })),
      }
  }
}

const emitPrompt = ({ name, parts, system }: PromptTree, { prompts }: Emit): string => {
  prompts[name] = { parts, ...defined({ system }) }
  return name
}

const emitRule = (rule: RuleTree, around: Around & { readonly on?: string }): Rule => {
  const when = rule.equals === undefined ? rule.when?.cel : `(${around.on ?? ''}) == ${JSON.stringify(rule.equals)}`
  return { ...defined({ when }), label: rule.label, outcome: emitOutcome(rule.outcome, around) }
}

const emitOutcome = (outcome: OutcomeTree, { emit, returns }: Around): Outcome => {
  switch (outcome.then) {
    case 'step':
      return { then: 'step', step: outcome.step }
    case 'retry': {
      const { attempts, models, prompt } = outcome
      return { then: 'retry', attempts, ...defined({ models, prompt: prompt === undefined ? undefined : emitPrompt(prompt, emit) }) }
    }
    case 'run': {
      const block = emit.blocks.push([]) - 1
      // After the body of an error handler that fails anyway nobody reads its output, so it owes no schema.
      const owes = outcome.after === 'fail' ? undefined : returns
      emit.blocks[block] = outcome.steps.map((step, index) => {
        const last = index === outcome.steps.length - 1
        return emitStep(step, { emit, previous: outcome.steps[index - 1]?.name ?? null, ...defined({ returns: last ? owes : undefined }) })
      })
      return { then: 'run', block, ...defined({ after: outcome.after }) }
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
const SEEN: Readonly<Record<Place, Readonly<Record<string, string>>>> = {
  steps: {},
  case: {},
  gate: { draft: 'it' },
  onError: { fault: 'fault' },
  branch: {},
  each: {},
  loop: {},
  undo: {},
}

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
  const entries = Object.entries(tree).map(
    ([key, below]) => [key, below === null ? cel(prefix + key) : treeValue(below, `${prefix}${key}.`)] as const,
  )
  return entries.length === 0 ? { lit: EMPTY } : { object: Object.fromEntries(entries) }
}
const EMPTY: JsonObject = {}
