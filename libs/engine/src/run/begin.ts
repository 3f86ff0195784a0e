// The first record of a run (L2): what it pins is all the run will ever know.
import { toFault, type FaultData } from '@baton/contracts/fault'
import type { MessageOf } from '@baton/contracts'
import type { Plan } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import type { Decision, Output } from '../decision.ts'
import type { Frame, OpenRun, Pinned } from '../state.ts'
import { FORMAT_VERSION } from '../codec.ts'
import { addToBuffer } from './buffers.ts'
import { end } from './ending.ts'
import { ROOT } from './frame-keys.ts'
import { openOwnFrame, positionOf } from './frames.ts'
import { journal, transition, type Ledger, type Turn } from './turn.ts'

type Requested = MessageOf<'run.requested'>

/** A run that has not moved yet. A deadline of the request lowers the working time, never raises it. */
const newRun = (data: Requested, atMs: number, plan: Plan | undefined): OpenRun => {
  const limits = limitsOf(data, plan)
  return {
    formatVersion: FORMAT_VERSION,
    engineVersion: data.engineVersion,
    status: 'open',
    runId: data.runId,
    tenant: data.tenant,
    seq: 0,
    atMs,
    lost: [],
    spend: { costMicroUsd: 0, steps: 0 },
    pinned: {
      requestId: data.requestId,
      source: data.source,
      flow: data.flow,
      version: data.version,
      planHash: data.planHash,
      priority: data.priority,
      labels: data.labels,
      params: data.params,
      input: data.input,
      ...(data.inputRef === undefined ? {} : { inputRef: data.inputRef }),
      ...(data.session === undefined ? {} : { session: data.session }),
      ...(data.user === undefined ? {} : { user: data.user.id === undefined ? {} : { id: data.user.id } }),
      ...(data.mode === undefined ? {} : { mode: data.mode }),
      ...(plan?.resultTopic === undefined ? {} : { resultTopic: plan.resultTopic }),
      requestedAtMs: data.requestedAtMs,
      startedAtMs: atMs,
      ...treeOf(data),
    },
    limits,
    clock: { workedMs: 0, sinceMs: atMs },
    frames: {},
    attempts: {},
    ready: [],
    continueSeq: null,
    escalated: false,
    degraded: [],
    failing: null,
    wakeAtMs: null,
  }
}

/** The caps of the plan, lowered by those of whoever asks; a deadline of the request lowers the working time, never raises it. */
const limitsOf = ({ limits = {}, deadlineMs }: Requested, plan: Plan | undefined): OpenRun['limits'] => {
  const { timeMs, totalMs, steps, ...own } = plan?.limits ?? { timeMs: 0, totalMs: 0, steps: 0 }
  return {
    timeMs: Math.min(timeMs, limits.timeMs ?? Infinity, deadlineMs ?? Infinity),
    totalMs: Math.min(totalMs, limits.totalMs ?? Infinity),
    steps: Math.min(steps, limits.steps ?? Infinity),
    ...least('costMicroUsd', own.costMicroUsd, limits.costMicroUsd),
    ...least('tokens', own.tokens, limits.tokens),
    ...least('calls', own.calls, limits.calls),
  }
}

/** The lower of two caps; a cap that neither has is absent. */
const least = (
  cap: 'costMicroUsd' | 'tokens' | 'calls',
  a: number | undefined,
  b: number | undefined,
): { [Cap in typeof cap]?: number } => {
  const value = Math.min(a ?? Infinity, b ?? Infinity)
  return value === Infinity ? {} : { [cap]: value }
}

/** Where the run stands among the runs of its tree. */
const treeOf = ({ parent, rootRunId, effectBase, flows, limits, reuse }: Requested): Partial<Pinned> => ({
  ...(parent === undefined ? {} : { parent }),
  ...(rootRunId === undefined ? {} : { rootRunId }),
  ...(effectBase === undefined ? {} : { effectBase }),
  ...(flows === undefined ? {} : { flows }),
  ...(limits?.depth === undefined ? {} : { depth: limits.depth }),
  ...(reuse === undefined ? {} : { rerunOf: reuse.runId }),
})

/** Takes over the outputs of the steps before the one that a rerun begins with (L8). Throws `flow.invalid` for a step that is not there. */
const takeOver = (turn: Turn, { from, steps }: NonNullable<Requested['reuse']>): void => {
  const frame = turn.run.frames[ROOT]
  if (frame === undefined) return
  const { blocks, nodes } = turn.program.plan
  const at = positionOf(turn, frame, from)
  for (const id of blocks[frame.block]?.slice(0, at) ?? []) {
    const { name = null, writes } = nodes[id] ?? {}
    const known = name === null || !Object.hasOwn(steps, name) ? undefined : steps[name]
    if (name !== null && known !== undefined) takeOutput(turn, frame, { name, writes, known })
  }
  frame.at = at
}

type Known = {
  readonly name: string
  readonly writes: string | undefined
  readonly known: NonNullable<Requested['reuse']>['steps'][string]
}

const takeOutput = (turn: Turn, frame: Frame, { name, writes, known: { output, ref, by } }: Known): void => {
  const entry = { output, by, ...(ref === undefined ? {} : { ref }) }
  frame.steps[name] = entry
  frame.last = entry
  if (writes !== undefined) addToBuffer(turn, writes, entry)
}

/** Begins a run: its frame stands before the first step. */
export const begin = (
  data: Requested,
  record: { atMs: number; partition: number; outputs: Output[]; rested: boolean; reports: Turn['reports'] },
  program: Program,
): Turn => {
  const turn: Turn = { run: newRun(data, record.atMs, program.plan), program, ...record, ended: null }
  started(turn)
  openOwnFrame(turn.run, 'flow', program.plan.entry)
  if (data.reuse !== undefined) {
    try {
      takeOver(turn, data.reuse)
    } catch (error) {
      end(turn, { status: 'failed', fault: toFault(error).data })
    }
  }
  return turn
}

/** The result of a run that cannot begin: its plan is gone, or its first record crashed its owner. It fails, so that it has one result (R6). */
export const refuseRun = (data: Requested, record: { atMs: number }, fault: FaultData): Decision => {
  const outputs: Output[] = []
  const turn: Ledger = { run: newRun(data, record.atMs, undefined), atMs: record.atMs, outputs, ended: null }
  started(turn)
  end(turn, { status: 'failed', fault })
  return { state: turn.ended ?? undefined, outputs }
}

const started = (turn: Ledger): void => {
  const { requestId, source, flow, version, planHash, priority, labels, requestedAtMs, parent, rootRunId, rerunOf } = turn.run.pinned
  journal(turn, {
    name: 'journal.run.started',
    data: {
      ...transition(turn),
      requestId,
      source,
      flow,
      version,
      planHash,
      priority,
      labels,
      requestedAtMs,
      ...(parent === undefined ? {} : { parentRunId: parent.runId }),
      ...(rootRunId === undefined ? {} : { rootRunId }),
      ...(rerunOf === undefined ? {} : { rerunOf }),
    },
  })
}
