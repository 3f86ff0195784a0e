/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// The tree as a plan: node ids, blocks, and what a step gets when it does not say.
import type { JsonSchema } from '@baton/contracts/json'
import { defined } from './defined.ts'
import { emitAgent, emitComposed, emitTrigger, isComposed, wordsRead, type Nest, type SimpleStep } from './emit-composed.ts'
import { emitPolicies, emitShared } from './emit-fields.ts'
import { defaultWith, emitValue } from './emit-value.ts'
import { planHash } from './hash.ts'
import { expressionsOf } from './node-expressions.ts'
import { nodePartsOf, type Outcome, type Plan, type PlanNode, type Rule } from './plan.ts'
import type { FlowTree, OutcomeTree, PromptTree, RuleTree, StepTree } from './tree.ts'

/** The plan of a tree that the passes found nothing wrong with. */
export const emitPlan = (tree: FlowTree): Plan => {
  const nodes: Record<string, PlanNode> = {}
  const blocks: string[][] = [[]]
  const prompts: Record<string, Plan['prompts'][string]> = {}
  const emit: Emit = { tree, nodes, blocks, prompts }
  blocks[0] = tree.steps.map((step, index) => emitStep(step, { emit, previous: tree.steps[index - 1]?.name ?? null }))
  const onError = tree.onError === undefined ? undefined : emitOutcome(tree.onError, { emit })
  const onLimit = tree.onLimit === undefined ? undefined : emitOutcome(tree.onLimit, { emit })
  const agents = Object.keys(tree.agents)
    .sort()
    .flatMap((name) => {
      const agent = tree.agents[name]
      return agent === undefined ? [] : [[name, emitAgent(agent, nestIn({ emit, ...defined({ returns: agent.returns }) }))] as const]
    })
  const { timeMs, totalMs, steps, costMicroUsd, tokens, calls, depth } = tree.limits
  const plan: Omit<Plan, 'hash'> = {
    formatVersion: 1,
    flow: tree.flow,
    version: tree.version,
    limits: { timeMs, totalMs, steps, ...defined({ costMicroUsd, tokens, calls, depth }) },
    params: tree.params,
    input: tree.input,
    blocks,
    entry: 0,
    nodes,
    prompts,
    labels: tree.labels,
    ...(agents.length === 0 ? {} : { agents: Object.fromEntries(agents) }),
    ...(tree.triggers.length === 0 ? {} : { triggers: tree.triggers.map(emitTrigger) }),
    ...emitShared(tree),
    ...defined({ onError, onLimit, output: tree.output === undefined ? undefined : emitValue(tree.output), resultTopic: tree.resultTopic }),
  }
  const whole = readsLeftOut(plan) ? { ...plan, leftOut: true as const } : plan
  return { ...whole, hash: planHash(whole) }
}

/** Whether an expression names what contexts left out. */
const readsLeftOut = (plan: Omit<Plan, 'hash'>): boolean => [...expressionsOf(plan)].some((cel) => /\bleftOut\b/.test(cel))

type Emit = {
  readonly tree: FlowTree
  readonly nodes: Record<string, PlanNode>
  readonly blocks: string[][]
  readonly prompts: Record<string, Plan['prompts'][string]>
}
/** `returns` is what the step around expects, which the last step of an outcome has to give in its place. */
type Around = { readonly emit: Emit; readonly previous?: string | null; readonly returns?: JsonSchema }

const emitStep = (step: StepTree, { emit, previous = null, returns }: Around): string => {
  const expected = step.returns ?? returns
  const around = { emit, ...defined({ returns: expected }) }
  const nest = nestIn(around)
  const outcome = (tree: OutcomeTree | undefined): Outcome | undefined => (tree === undefined ? undefined : emitOutcome(tree, around))
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
      onError: outcome(step.onError),
      onTimeout: outcome(step.onTimeout),
      onLimit: outcome(step.onLimit),
      failover: step.failover?.map((block) => nest.block(block, 'output')),
      budget: step.budget,
      undo: step.undo && emitUndo(nest.block(step.undo, 'nothing'), emit),
    }),
    ...emitPolicies(step),
  } as const
  const node: PlanNode = { ...common, ...(isComposed(step) ? emitComposed(step, nest) : emitBody(step, around)) }
  emit.nodes[step.id] = node
  return step.id
}

/** The block that takes an effect back, with the names around it that it reads: what they stand for is kept until then. */
const emitUndo = (block: number, emit: Emit): NonNullable<PlanNode['undo']> => {
  const words = new Set<string>()
  const open = [block]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const id of emit.blocks[at] ?? []) {
      const node = emit.nodes[id]
      if (node === undefined) continue
      wordsRead(node, words)
      open.push(...nodePartsOf(node).map((part) => part.block))
    }
  }
  return { block, sees: [...words].filter((word) => !RESERVED.has(word)).sort() }
}
const RESERVED: ReadonlySet<string> = new Set(['it', 'input', 'params', 'run', 'fault'])

/** Kinds that change something outside unless the step says otherwise. */
const WRITES: ReadonlySet<StepTree['kind']> = new Set(['tool', 'task', 'emit', 'flow', 'agent', 'team'])

const nestIn = (around: Around): Nest => ({
  block: (block, owes) => {
    const { emit, returns } = around
    return emitBlock(block.steps, { emit, ...defined({ returns: owes === 'output' ? returns : undefined }) })
  },
  outcome: (outcome) => emitOutcome(outcome, around),
  prompt: (prompt) => emitPrompt(prompt, around.emit),
})

type Simple = Extract<PlanNode, { kind: 'model' | 'tool' | 'retrieve' | 'check' | 'human' | 'task' | 'switch' | 'set' }>
type Body = Simple extends infer Node ? (Node extends Simple ? Omit<Node, keyof Common> : never) : never
type Common = Pick<
  PlanNode,
  | 'id'
  | 'name'
  | 'when'
  | 'with'
  | 'timeoutMs'
  | 'retry'
  | 'returns'
  | 'gate'
  | 'onError'
  | 'onTimeout'
  | 'onLimit'
  | 'failover'
  | 'budget'
  | 'undo'
  | 'effect'
  | 'guard'
  | 'cache'
  | 'hedge'
  | 'context'
  | 'media'
  | 'writes'
>

const emitBody = (step: SimpleStep, around: Around): Body => {
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
        rules: inOrder(step.rules).map((rule) => emitRule(rule, { ...around, ...defined({ on: step.on?.cel }) })),
      }
  }
}

/** At most one case of a value holds, so their order means nothing and is not in the hash; conditions are asked in turn. */
const inOrder = (rules: readonly RuleTree[]): readonly RuleTree[] => {
  const cases = rules.filter(({ equals }) => equals !== undefined)
  if (new Set(cases.map(({ equals }) => JSON.stringify(equals))).size < cases.length) return rules
  const others = rules.filter(({ equals }) => equals === undefined)
  return [...cases.toSorted((a, b) => (a.label < b.label ? -1 : 1)), ...others]
}

const emitPrompt = ({ name, parts, system, sampling }: PromptTree, { prompts }: Emit): string => {
  prompts[name] = { parts, ...defined({ system, sampling }) }
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
