/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The tree as a plan: node ids, blocks, and what a step gets when it does not say.
import type { JsonObject, JsonSchema } from '@baton/contracts/json'
import { defined } from './defined.ts'
import { describeFields, describeTop, describeWork, type LaterStep, type Nest } from './emit-later.ts'
import { defaultWith, emitValue } from './emit-value.ts'
import { planHash } from './hash.ts'
import { LATER_FIELDS, type LaterNode, type Outcome, type Plan, type PlanNode, type Rule } from './plan.ts'
import type { FlowTree, OutcomeTree, PromptTree, RuleTree, StepTree } from './tree.ts'

/** The plan of a tree that the passes found nothing wrong with. */
export const emitPlan = (tree: FlowTree): Plan => {
  const nodes: Record<string, PlanNode> = {}
  const blocks: string[][] = [[]]
  const prompts: Record<string, Plan['prompts'][string]> = {}
  const later: Record<string, LaterNode> = {}
  const emit: Emit = { tree, nodes, later, blocks, prompts }
  blocks[0] = tree.steps.map((step, index) => emitStep(step, { emit, previous: tree.steps[index - 1]?.name ?? null }))
  const onError = tree.onError === undefined ? undefined : emitOutcome(tree.onError, { emit })
  const { timeMs, totalMs, steps, costMicroUsd } = tree.limits
  for (const node of emitTop(tree, emit)) later[node.id] = node
  const plan: Omit<Plan, 'hash'> = {
    formatVersion: 1,
    flow: tree.flow,
    version: tree.version,
    limits: { timeMs, totalMs, steps, ...defined({ costMicroUsd }) },
    params: tree.params,
    input: tree.input,
    blocks,
    entry: 0,
    nodes,
    prompts,
    labels: tree.labels,
    ...(Object.keys(later).length === 0 ? {} : { later }),
    ...defined({ onError, output: tree.output === undefined ? undefined : emitValue(tree.output), resultTopic: tree.resultTopic }),
  }
  return { ...plan, hash: planHash(plan) }
}

/** What the flow says at its top and the engine does not know. */
const emitTop = (tree: FlowTree, emit: Emit): readonly LaterNode[] =>
  describeTop(tree, (outcomes) => nestIn(emit, { blocks: [], outcomes })).map(({ kind, step, outcomes }) => ({
    id: `$${kind}`,
    name: null,
    kind,
    with: { lit: {} },
    effect: 'read',
    step,
    parts: [],
    outcomes,
  }))

type Emit = {
  readonly tree: FlowTree
  readonly later: Record<string, LaterNode>
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
    with: step.with === undefined ? defaultWith(step, previous, emit.tree) : emitValue(step.with),
    effect: step.effect ?? (WRITES.has(step.kind) ? 'write' : 'read'),
    ...defined({
      when: step.when?.cel,
      timeoutMs: step.timeoutMs,
      retry: step.retry,
      returns: expected,
      gate: step.gate?.map((rule) => emitRule(rule, around)),
      onError: step.onError === undefined ? undefined : emitOutcome(step.onError, around),
    }),
  } as const
  const parts: Parts = { blocks: [], outcomes: [] }
  const nest = nestIn(emit, parts, expected)
  const described = (said: JsonObject, rules?: readonly Rule[]): LaterNode => {
    const inside = { step: { ...said, ...describeFields(step, nest) }, parts: parts.blocks, outcomes: parts.outcomes }
    return { ...common, kind: step.kind, ...inside, ...defined({ rules }) }
  }
  if (isLater(step)) emit.later[step.id] = described(describeWork(step, nest))
  else {
    const work = emitBody(step, around)
    if (!hasNewField(step)) emit.nodes[step.id] = { ...common, ...work }
    else if (work.kind === 'switch') emit.later[step.id] = described(defined({ on: work.on }), work.rules)
    else emit.later[step.id] = described(dataOf(work))
  }
  return step.id
}

type Runnable = Exclude<StepTree, LaterStep>
const LATER_KINDS: ReadonlySet<string> = new Set([
  'parallel',
  'map',
  'vote',
  'loop',
  'wait',
  'event',
  'emit',
  'flow',
  'agent',
  'team',
] satisfies readonly LaterStep['kind'][])
const isLater = (step: StepTree): step is LaterStep => LATER_KINDS.has(step.kind)

const hasNewField = (step: StepTree): boolean => LATER_FIELDS.some((field) => step[field] !== undefined)

const dataOf = (work: Exclude<Body, { readonly kind: 'switch' }>): JsonObject =>
  Object.fromEntries(Object.entries(work).filter(([key]) => key !== 'kind'))

/** Kinds that change something outside unless the step says otherwise. */
const WRITES: ReadonlySet<StepTree['kind']> = new Set(['tool', 'task', 'emit', 'flow', 'agent', 'team'])

/** Blocks and outcomes inside a step, collected while it is described. */
type Parts = { readonly blocks: LaterNode['parts'][number][]; readonly outcomes: LaterNode['outcomes'][number][] }

const nestIn = (emit: Emit, parts: Parts, returns?: JsonSchema): Nest => ({
  block: (label, block, owes) => {
    const index = emitBlock(block.steps, { emit, ...defined({ returns: owes === 'output' ? returns : undefined }) })
    parts.blocks.push({ label, block: index })
    return index
  },
  outcome: (label, outcome) => {
    parts.outcomes.push({ label, outcome: emitOutcome(outcome, { emit, ...defined({ returns }) }) })
  },
  prompt: (prompt) => emitPrompt(prompt, emit),
})

type Body = PlanNode extends infer Node
  ? Node extends PlanNode
    ? Omit<Node, 'id' | 'name' | 'when' | 'with' | 'timeoutMs' | 'retry' | 'returns' | 'gate' | 'onError' | 'effect'>
    : never
  : never

const emitBody = (step: Runnable, around: Around): Body => {
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
      // After the body of an error handler that fails anyway nobody reads its output, so it owes no schema.
      const owes = outcome.after === 'fail' ? undefined : returns
      const block = emitBlock(outcome.steps, { emit, ...defined({ returns: owes }) })
      return { then: 'run', block, ...defined({ after: outcome.after }) }
    }
    default:
      return { then: outcome.then }
  }
}

/** Emits the steps of a block; its last one owes what the block does. */
const emitBlock = (steps: readonly StepTree[], { emit, returns }: Around): number => {
  const block = emit.blocks.push([]) - 1
  emit.blocks[block] = steps.map((step, index) => {
    const owes = index === steps.length - 1 ? returns : undefined
    return emitStep(step, { emit, previous: steps[index - 1]?.name ?? null, ...defined({ returns: owes }) })
  })
  return block
}
