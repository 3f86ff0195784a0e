// The first record of a run (L2): what it pins is all the run will ever know.
import type { FaultData } from '@baton/contracts/fault'
import type { MessageOf } from '@baton/contracts'
import type { Plan } from '@baton/flow/plan'
import type { Program } from '@baton/flow/program'
import type { Decision, Output } from '../decision.ts'
import type { OpenRun } from '../state.ts'
import { FORMAT_VERSION } from '../codec.ts'
import { end } from './ending.ts'
import { openOwnFrame } from './frames.ts'
import { journal, transition, type Ledger, type Turn } from './turn.ts'

type Requested = MessageOf<'run.requested'>

/** A run that has not moved yet. A deadline of the request lowers the working time, never raises it. */
const newRun = (data: Requested, atMs: number, plan: Plan | undefined): OpenRun => {
  const limits = plan?.limits ?? { timeMs: 0, totalMs: 0, steps: 0 }
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
      ...(plan?.resultTopic === undefined ? {} : { resultTopic: plan.resultTopic }),
      requestedAtMs: data.requestedAtMs,
      startedAtMs: atMs,
    },
    limits: { ...limits, timeMs: Math.min(limits.timeMs, data.deadlineMs ?? Infinity) },
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

/** Begins a run: its frame stands before the first step. */
export const begin = (data: Requested, record: { atMs: number; partition: number; outputs: Output[] }, program: Program): Turn => {
  const turn: Turn = { run: newRun(data, record.atMs, program.plan), program, ...record, ended: null }
  started(turn)
  openOwnFrame(turn.run, 'flow', program.plan.entry)
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
  const { requestId, source, flow, version, planHash, priority, labels, requestedAtMs } = turn.run.pinned
  journal(turn, {
    name: 'journal.run.started',
    data: { ...transition(turn), requestId, source, flow, version, planHash, priority, labels, requestedAtMs },
  })
}
