// A step that is a flow of its own: a run in the same tree, on the same partition, with limits inside those of its parent (A8).
//   C1. It begins by a record of the log, and ends by another: both are read back like any other (L1).
//   C2. Its plan and params were pinned with the first run of the tree (L2).
//   C3. Its limits are the least of its own, of the step's, and of what its parent has left.
import { Fault } from '@baton/contracts/fault'
import { sha256 } from '@baton/contracts/ids'
import type { MessageOf } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { OpenRun } from '../state.ts'
import { totalDeadlineMs, workedMs } from './clock.policy.ts'
import { effectKeyOf, nextAttempt } from './dispatch.ts'
import { inputOf } from './seen.ts'
import { enclosingUntilMs } from './step-time.ts'
import { journal, stepTransition, takeId, type Place, type Turn } from './turn.ts'

/** Flows inside each other where the flow does not say. */
const DEPTH_MAX = 10

type FlowNode = PlanNode & { readonly kind: 'flow' }

/** Starts the run. Throws `flow.unknown` when it was not pinned and `limit.depth_exceeded` when flows start flows too deep. */
export const beginChild = (turn: Turn, place: Place, node: FlowNode): void => {
  const { run, program, atMs } = turn
  const { frame, path } = place
  const { visit } = frame
  if (visit === null) return
  const { pinned } = run
  const name = node.version === undefined ? node.flow : `${node.flow}@${node.version}`
  const flow = pinned.flows?.[name]
  if (flow === undefined) throw new Fault('flow.unknown', `${name} was not published when this run began`, { flow: name })
  const depth = pinned.depth ?? program.plan.limits.depth ?? DEPTH_MAX
  if (depth <= 0) throw new Fault('limit.depth_exceeded', `${node.id} would start a flow deeper than it may`, { flow: name })
  const input = inputOf(turn, place)
  const { attempt, attemptId } = nextAttempt(run, place, visit)
  const childRunId = `run_${sha256(attemptId).slice(0, 32)}`
  visit.activity = { is: 'child', attempt, attemptId, dispatchedAtMs: atMs, childRunId }
  visit.sinceMs = atMs
  run.attempts[attemptId] = place.key
  const limits = childLimits(turn, place, node, depth)
  const data: MessageOf<'run.requested'> = {
    ...inheritedBy(run, { attemptId, path, effectBase: effectKeyOf(run, path, visit.call) }),
    runId: childRunId,
    flow: flow.flow,
    version: flow.version,
    planHash: flow.planHash,
    params: flow.params,
    input,
    limits,
    requestedAtMs: atMs,
  }
  outputsOf(turn, data)
  journal(turn, {
    name: 'journal.step.opened',
    data: { ...stepTransition(turn, place), detail: { childRunId, flow: flow.flow, version: flow.version } },
  })
}

const outputsOf = ({ run, outputs }: Turn, data: MessageOf<'run.requested'>): void => {
  outputs.push({ to: 'log', id: takeId(run), message: { name: 'run.requested', data } })
}

/** What a run takes over from the one that starts it. */
const inheritedBy = ({ runId, tenant, engineVersion, pinned }: OpenRun, from: { attemptId: string; path: string; effectBase: string }) => ({
  requestId: pinned.requestId,
  tenant,
  source: pinned.source,
  engineVersion,
  priority: pinned.priority,
  labels: pinned.labels,
  ...(pinned.session === undefined ? {} : { session: pinned.session }),
  ...(pinned.user === undefined ? {} : { user: pinned.user }),
  ...(pinned.flows === undefined ? {} : { flows: pinned.flows }),
  ...(pinned.mode === undefined ? {} : { mode: pinned.mode }),
  parent: { runId, attemptId: from.attemptId, path: from.path },
  rootRunId: pinned.rootRunId ?? runId,
  effectBase: from.effectBase,
  repeat: true,
})

/** C3. */
const childLimits = (
  { run, atMs }: Turn,
  place: Place,
  { limits = {} }: FlowNode,
  depth: number,
): NonNullable<MessageOf<'run.requested'>['limits']> => {
  const { spend, limits: mine } = run
  const left: Caps = {
    timeMs: Math.max(1, mine.timeMs - workedMs(run, atMs)),
    totalMs: Math.max(1, Math.min(totalDeadlineMs(run), enclosingUntilMs(run, place.frame)) - atMs),
    steps: Math.max(1, mine.steps - spend.steps),
    ...(mine.costMicroUsd === undefined ? {} : { costMicroUsd: Math.max(0, mine.costMicroUsd - spend.costMicroUsd) }),
    ...(mine.tokens === undefined ? {} : { tokens: Math.max(1, mine.tokens - (spend.tokens ?? 0)) }),
    ...(mine.calls === undefined ? {} : { calls: Math.max(1, mine.calls - (spend.calls ?? 0)) }),
  }
  return { ...lowest(left, { ...limits }), depth: Math.min(depth - 1, limits.depth ?? Infinity) }
}

const CAPS = ['timeMs', 'totalMs', 'steps', 'costMicroUsd', 'tokens', 'calls'] as const
type Caps = { readonly [Cap in (typeof CAPS)[number]]?: number }

/** The least of each cap; a cap that neither has is absent. */
const lowest = (a: Caps, b: Caps): { [Cap in (typeof CAPS)[number]]?: number } => {
  const least: { [Cap in (typeof CAPS)[number]]?: number } = {}
  for (const cap of CAPS) {
    const value = Math.min(a[cap] ?? Infinity, b[cap] ?? Infinity)
    if (value !== Infinity) least[cap] = value
  }
  return least
}
