// Caps of the run and of steps that have their own, looked at before anything is asked for (R5), and counted when it was.
//   K1. Nothing is asked for once a limit is reached.
//   K4. What is done inside a step counts for the step, however deep.
import type { FaultCode, FaultData } from '@baton/contracts/fault'
import type { Meter } from '@baton/contracts'
import type { LimitsSpec, PlanNode } from '@baton/flow/plan'
import type { OpenRun, Spent } from '../state.ts'
import { timeExceeded } from './clock.policy.ts'
import { placeOf } from './frames.ts'
import { agentOf } from './own-work.ts'
import type { Place, Turn } from './turn.ts'

/** The limit of the run that forbids this step now, if one does. K1. */
export const limitFault = (turn: Turn, node: PlanNode, counted: boolean): FaultData | undefined => {
  const { run, atMs } = turn
  const late = timeExceeded(run, atMs)
  if (late !== undefined) return exceeded(late, `${node.id} was not started`)
  const { spend, limits } = run
  if (counted && spend.steps >= limits.steps)
    return exceeded('limit.steps_exceeded', `${node.id} would be step ${spend.steps + 1} of ${limits.steps}`)
  return spendFault(turn, node)
}

const spendFault = ({ run }: Turn, node: PlanNode): FaultData | undefined => {
  const { limits } = run
  const { costMicroUsd, tokens = 0, calls = 0 } = run.spend
  if (reached(costMicroUsd, limits.costMicroUsd) && mayCost(run, node))
    return exceeded('limit.cost_exceeded', `${costMicroUsd} of ${limits.costMicroUsd} millionths of a dollar are spent`)
  if (node.kind === 'model' && reached(tokens, limits.tokens)) return exceeded('limit.tokens_exceeded', `${tokens} tokens are spent`)
  if (isCall(node) && reached(calls, limits.calls)) return exceeded('limit.calls_exceeded', `${node.id} would be call ${calls + 1}`)
  return undefined
}

const reached = (spent: number, limit: number | undefined): boolean => limit !== undefined && spent >= limit

const exceeded = (code: FaultCode, message: string): FaultData => ({ code, message })

const isCall = ({ kind }: PlanNode): boolean => kind === 'model' || kind === 'tool'

/** Kinds that cost nothing by themselves. */
const FREE: ReadonlySet<string> = new Set([
  'human',
  'switch',
  'set',
  'parallel',
  'map',
  'vote',
  'loop',
  'wait',
  'event',
  'emit',
  'agent',
  'team',
] satisfies readonly PlanNode['kind'][])

/** While the flow's error handler runs, only models are held to the limit of cost: the failure must be reportable. */
const mayCost = ({ failing }: OpenRun, { kind }: PlanNode): boolean => kind === 'model' || (failing === null && !FREE.has(kind))

/** Caps of a step of its own: its budget, and what an agent or a team may spend. */
export const capsOf = (turn: Turn, node: PlanNode): LimitsSpec | undefined => {
  const own = ownCaps(turn, node)
  if (node.budget === undefined || own === undefined) return node.budget ?? own
  return lower(node.budget, own)
}

const ownCaps = ({ program }: Turn, node: PlanNode): LimitsSpec | undefined => {
  if (node.kind === 'team') return node.limits
  if (node.kind !== 'agent') return undefined
  const agent = node.agent === undefined ? undefined : agentOf(program.plan, node.agent).limits
  if (agent === undefined || node.limits === undefined) return agent ?? node.limits
  return lower(agent, node.limits)
}

const CAPS = ['timeMs', 'costMicroUsd', 'tokens', 'calls', 'turns', 'rounds', 'subtasks', 'depth'] as const

const lower = (a: LimitsSpec, b: LimitsSpec): LimitsSpec =>
  Object.fromEntries(
    CAPS.flatMap((cap) => {
      const least = Math.min(a[cap] ?? Infinity, b[cap] ?? Infinity)
      return least === Infinity ? [] : [[cap, least]]
    }),
  )

/** The place around, itself included, whose own caps are used up, the outermost first. K4. */
export const usedUp = (turn: Turn, place: Place): { readonly place: Place; readonly fault: FaultData } | undefined => {
  let found: { readonly place: Place; readonly fault: FaultData } | undefined
  for (let at: Place | undefined = place; at !== undefined; at = around(turn, at)) {
    const { visit } = at.frame
    const caps = visit?.spent === undefined ? undefined : capsOf(turn, at.node)
    if (visit?.spent === undefined || caps === undefined) continue
    const code = over(visit.spent, caps, turn.atMs - (visit.sinceMs ?? turn.atMs))
    if (code !== undefined) found = { place: at, fault: exceeded(code, `${at.node.id} has used up what it may`) }
  }
  return found
}

const around = (turn: Turn, { frame }: Place): Place | undefined => (frame.owner === null ? undefined : placeOf(turn, frame.owner.frame))

const over = (spent: Spent, caps: LimitsSpec, tookMs: number): FaultCode | undefined => {
  if (spent.costMicroUsd >= (caps.costMicroUsd ?? Infinity)) return 'limit.cost_exceeded'
  if (spent.tokens >= (caps.tokens ?? Infinity)) return 'limit.tokens_exceeded'
  if (spent.calls >= (caps.calls ?? Infinity)) return 'limit.calls_exceeded'
  return tookMs >= (caps.timeMs ?? Infinity) ? 'limit.time_exceeded' : undefined
}

/** Begins to count for a step that has caps. */
export const countFrom = (turn: Turn, { frame, node }: Place): void => {
  const { visit } = frame
  if (visit === null || visit.spent !== undefined || capsOf(turn, node) === undefined) return
  visit.spent = { costMicroUsd: 0, tokens: 0, calls: 0 }
  visit.sinceMs ??= turn.atMs
}

/** A model or a tool is asked. */
export const countCall = (turn: Turn, place: Place): void => {
  if (isCall(place.node)) count(turn, place, { costMicroUsd: 0, tokens: 0, calls: 1 })
}

/** An answer says what it took. */
export const countMeter = (turn: Turn, place: Place, meter: Meter | undefined): void => {
  if (meter === undefined) return
  count(turn, place, { costMicroUsd: meter.costMicroUsd, tokens: (meter.inputTokens ?? 0) + (meter.outputTokens ?? 0), calls: 0 })
}

/** Counts for the run, and for every step around that has caps. K4. */
export const count = (turn: Turn, place: Place, spent: Spent): void => {
  const { spend } = turn.run
  spend.costMicroUsd += spent.costMicroUsd
  if (spent.tokens > 0) spend.tokens = (spend.tokens ?? 0) + spent.tokens
  if (spent.calls > 0) spend.calls = (spend.calls ?? 0) + spent.calls
  for (let at: Place | undefined = place; at !== undefined; at = around(turn, at)) {
    const own = at.frame.visit?.spent
    if (own === undefined) continue
    own.costMicroUsd += spent.costMicroUsd
    own.tokens += spent.tokens
    own.calls += spent.calls
  }
}
