// What the engine cannot run yet, as data: everything resolved, values and expressions as in a plan, blocks by their index.
import type { Json, JsonObject } from '@baton/contracts/json'
import { defined } from './defined.ts'
import { emitValue } from './emit-value.ts'
import type { LaterNode, LimitsSpec, PlanNode, ValueExpr } from './plan.ts'
import type {
  AgentTree,
  BlockTree,
  ContextTree,
  ExprTree,
  FlowTree,
  OutcomeTree,
  PromptTree,
  StepTree,
  TriggerTree,
  ValueTree,
} from './tree.ts'

/** Emits what stands inside, and remembers it beside the step. `output`: the block owes what the step owes. */
export type Nest = {
  readonly block: (label: string, block: BlockTree, owes: 'output' | 'nothing') => number
  readonly outcome: (label: string, outcome: OutcomeTree) => void
  readonly prompt: (prompt: PromptTree) => string
}

/** Kinds of steps that the engine does not know. */
export type LaterStep = Exclude<StepTree, { readonly kind: PlanNode['kind'] }>

// Through JSON's own eyes: optional fields that are absent, readonly lists and unions of objects are all plain data here.
const data = (value: object): JsonObject => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))

/** The work of a step of a newer kind. */
export const describeWork = (step: LaterStep, nest: Nest): JsonObject => {
  switch (step.kind) {
    case 'parallel': {
      // Branches run side by side: their order means nothing, so it is not in the hash.
      const sorted = step.branches.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const branches = sorted.map(({ name, block }) => ({ name, block: nest.block(`branch ${name}`, block, 'nothing') }))
      return { branches, join: data(step.join), onFailure: step.onFailure }
    }
    case 'map': {
      const { as, concurrency, chunk, max, onFailure } = step
      return { over: { cel: step.over.cel }, as, each: nest.block('each', step.each, 'nothing'), concurrency, chunk, max, onFailure }
    }
    case 'vote':
      return describeVote(step, nest)
    case 'loop':
      return { do: nest.block('do', step.body, 'output'), ...defined({ until: condition(step.until), max: step.max }) }
    default:
      return describeSimple(step)
  }
}

type SimpleStep = Exclude<LaterStep, { readonly kind: 'parallel' | 'map' | 'vote' | 'loop' }>

const condition = (expression: ExprTree | undefined): JsonObject | undefined =>
  expression === undefined ? undefined : { cel: expression.cel }
const value = (tree: ValueTree | undefined): ValueExpr | undefined => (tree === undefined ? undefined : emitValue(tree))
const caps = (limits: LimitsSpec | undefined): JsonObject | undefined => (limits === undefined ? undefined : data(limits))

/** The work of a step that holds no others. */
const describeSimple = (step: SimpleStep): JsonObject => {
  switch (step.kind) {
    case 'wait':
      return { forMs: step.forMs }
    case 'event':
      return { event: step.event, ...defined({ match: condition(step.match), key: value(step.key) }) }
    case 'emit':
      return { topic: step.topic, ...defined({ type: step.type, key: value(step.key) }) }
    case 'flow':
      return { flow: step.flow, ...defined({ version: step.version, limits: caps(step.limits) }) }
    case 'agent':
      return defined({ agent: step.agent, for: condition(step.by), limits: caps(step.limits) })
    case 'team': {
      const { planner, workers, synthesis, concurrency, limits } = step
      return { planner, workers, synthesis, concurrency, limits: data(limits) }
    }
  }
}

const describeVote = (step: StepTree & { readonly kind: 'vote' }, nest: Nest): JsonObject => {
  const voters = step.voters.map(({ block, weight }, index) => ({ block: nest.block(`voter[${index}]`, block, 'output'), weight }))
  const judge = step.judge === undefined ? undefined : nest.block('judge', step.judge, 'output')
  if (step.tie !== undefined) nest.outcome('tie', step.tie)
  return { voters, rule: step.rule, early: step.early, ...defined({ on: condition(step.on), judge }) }
}

/** The fields of a step that the engine does not know; empty where it has none. */
export const describeFields = (step: StepTree, nest: Nest): JsonObject => {
  if (step.onTimeout !== undefined) nest.outcome('onTimeout', step.onTimeout)
  if (step.onLimit !== undefined) nest.outcome('onLimit', step.onLimit)
  const { cache, context } = step
  return defined({
    guard: step.guard?.map(({ guard, options }) => ({ guard, options })),
    failover: step.failover?.map((block, index) => nest.block(`failover[${index}]`, block, 'output')),
    cache: cache && { ttlMs: cache.ttlMs, scope: cache.scope, ...defined({ key: value(cache.key) }) },
    hedge: step.hedge,
    budget: caps(step.budget),
    undo: step.undo && nest.block('undo', step.undo, 'nothing'),
    context: context && describeContext(context),
    media: step.media?.map(emitValue),
    writes: step.writes,
  })
}

const describeContext = ({ tokens, parts }: ContextTree): JsonObject => ({
  parts: parts.map(({ name, from, priority, cut, ...most }): JsonObject => {
    const source = 'value' in from ? { value: emitValue(from.value) } : from
    return { name, from: source, priority, cut, ...defined({ tokens: most.tokens, turns: most.turns }) }
  }),
  ...defined({ tokens }),
})

/** A word at the top of a flow that the engine does not know. */
export type TopWord = { readonly kind: string; readonly step: JsonObject; readonly outcomes: LaterNode['outcomes'] }
type Outcomes = LaterNode['outcomes'][number][]

/** Those words of a flow, in the order of their names. `nestIn` collects the outcomes that stand in them. */
export const describeTop = (tree: FlowTree, nestIn: (outcomes: Outcomes) => Nest): readonly TopWord[] => {
  const words: TopWord[] = []
  const add = (kind: string, describe: (nest: Nest) => Json): void => {
    const outcomes: Outcomes = []
    const said = describe(nestIn(outcomes))
    words.push({ kind, step: { [kind]: said }, outcomes })
  }
  const { tokens, calls, depth } = tree.limits
  const entries = <T>(map: Readonly<Record<string, T>>): readonly (readonly [string, T])[] =>
    Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
  const { onLimit, history } = tree
  if (Object.keys(tree.agents).length > 0)
    add('agents', (nest) => Object.fromEntries(entries(tree.agents).map(([name, agent]) => [name, describeAgent(agent, nest)])))
  if (Object.keys(tree.buffers).length > 0)
    add('buffers', () =>
      Object.fromEntries(entries(tree.buffers).map(([name, { schema, expiresMs, items }]) => [name, { schema, expiresMs, items }])),
    )
  if (history !== undefined) add('history', () => data(history))
  if (tokens !== undefined || calls !== undefined || depth !== undefined) add('limits', () => defined({ tokens, calls, depth }))
  if (tree.triggers.length > 0) add('triggers', () => tree.triggers.map(describeTrigger))
  if (onLimit !== undefined)
    add('onLimit', (nest) => {
      nest.outcome('onLimit', onLimit)
      return true
    })
  return words
}

const describeAgent = (agent: AgentTree, nest: Nest): JsonObject => {
  if (agent.fallback !== undefined) nest.outcome(`fallback of ${agent.name}`, agent.fallback)
  const { models, tools, handoff, limits, minConfidence, selfCheck, context, returns } = agent
  return {
    models,
    prompt: nest.prompt(agent.prompt),
    tools,
    for: agent.for,
    limits: data(limits),
    handoff,
    ...defined({
      minConfidence,
      selfCheck: selfCheck && nest.prompt(selfCheck),
      context: context && describeContext(context),
      returns,
    }),
  }
}

const describeTrigger = (trigger: TriggerTree): JsonObject => {
  const common = defined({ input: value(trigger.input), when: condition(trigger.when) })
  const { kind } = trigger
  switch (kind) {
    case 'topic':
      return { kind, topic: trigger.topic, ...common, ...defined({ key: condition(trigger.key) }) }
    case 'http':
      return { kind, method: trigger.method, path: trigger.path, ...common }
    case 'schedule':
      return { kind, zone: trigger.zone, ...common, ...defined({ cron: trigger.cron, everyMs: trigger.everyMs }) }
  }
}
