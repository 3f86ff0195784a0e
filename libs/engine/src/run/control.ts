// What people and programs do to a run from outside: pause, resume, change, cancel, run again. Each is journaled with who did it.
//   Q1. While a run is paused nothing is asked for; what comes back is kept. Runs that its steps started rest with it.
//   Q2. Only a paused run is changed, only an ended one is run again; anything else is refused, and says so in the journal.
import type { FaultCode } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { MessageOf } from '@baton/contracts'
import type { Program } from '@baton/flow/program'
import type { Output, OwnMessage } from '../decision.ts'
import type { EndedRun, Pinned } from '../state.ts'
import { endUndone } from './failure.ts'
import { end } from './ending.ts'
import { forgetRunView } from './scope.ts'
import { journal, takeId, transition, type Turn } from './turn.ts'

type Action = 'paused' | 'resumed' | 'patched' | 'cancelled' | 'retried' | 'refused'

const journalControl = (turn: Turn, action: Action, by: string, detail?: Json): void => {
  const data = { ...transition(turn), action, by }
  journal(turn, { name: 'journal.run.controlled', data: detail === undefined ? data : { ...data, detail } })
}

export const refuse = (turn: Turn, by: string, code: FaultCode, asked: string): void => journalControl(turn, 'refused', by, { code, asked })

/** Q1. */
export const pause = (turn: Turn, { by, reason }: MessageOf<'run.pause'>): void => {
  if (turn.run.paused !== undefined) return
  turn.run.paused = { by, atMs: turn.atMs }
  journalControl(turn, 'paused', by, reason === undefined ? undefined : { reason })
  for (const runId of childRuns(turn)) append(turn, { name: 'run.pause', data: { runId, by, ...(reason === undefined ? {} : { reason }) } })
}

/** Runs that steps of this one have started and that go on: they do what it does. */
const childRuns = ({ run }: Turn): readonly string[] =>
  Object.values(run.frames).flatMap(({ visit }) => (visit?.activity.is === 'child' ? [visit.activity.childRunId] : []))

const append = (turn: Turn, message: OwnMessage): void => {
  turn.outputs.push({ to: 'log', id: takeId(turn.run), message })
}

export const resume = (turn: Turn, { by }: MessageOf<'run.resume'>): void => {
  if (turn.run.paused === undefined) {
    refuse(turn, by, 'run.not_paused', 'resume')
    return
  }
  delete turn.run.paused
  journalControl(turn, 'resumed', by)
  for (const runId of childRuns(turn)) append(turn, { name: 'run.resume', data: { runId, by } })
}

/** Replaces fields of the input and params. Q2. */
export const patch = (turn: Turn, { by, input, params }: MessageOf<'run.patch'>): void => {
  const { run } = turn
  if (run.paused === undefined) {
    refuse(turn, by, 'run.not_paused', 'patch')
    return
  }
  const { pinned } = run
  const before = isJsonObject(pinned.input) ? pinned.input : {}
  run.pinned = {
    ...pinned,
    ...(input === undefined ? {} : { input: { ...before, ...input } }),
    ...(params === undefined ? {} : { params: { ...pinned.params, ...params } }),
  }
  forgetRunView(run)
  journalControl(turn, 'patched', by, { input: Object.keys(input ?? {}), params: Object.keys(params ?? {}) })
}

/** Ends the run, with its effects taken back unless that is not wanted. */
export const cancel = (turn: Turn, { by, reason, undo }: MessageOf<'run.cancel'>): void => {
  const { run } = turn
  const fault = { code: 'run.cancelled' as const, message: reason, detail: { by } }
  if (run.engineVersion > 1) journalControl(turn, 'cancelled', by, { reason })
  if (run.undoing !== undefined) return
  if (undo === false) end(turn, { status: 'cancelled', fault })
  else endUndone(turn, { status: 'cancelled', fault })
}

/** The run again, from a step on, as a run of its own (L8). The state is that of an ended run, and stays as it is. */
export const retryEnded = (
  run: EndedRun,
  { newRunId, requestId, from, requestedAtMs, by }: MessageOf<'run.retry'>,
  program: Program,
  atMs: number,
): readonly Output[] => {
  const { again, runId, tenant, engineVersion } = run
  if (again === undefined) return [controlled(run, atMs, 'refused', by, { code: 'run.not_ended', asked: 'retry' })]
  const { pinned, steps, at } = again
  const block = program.plan.blocks[program.plan.entry] ?? []
  const first = block[Math.min(at, block.length - 1)] ?? ''
  const step = from ?? program.plan.nodes[first]?.name ?? first
  const data: MessageOf<'run.requested'> = {
    ...requestOf(pinned),
    runId: newRunId,
    requestId,
    tenant,
    engineVersion,
    rootRunId: pinned.rootRunId ?? runId,
    effectBase: pinned.effectBase ?? runId,
    reuse: { runId, from: step, steps },
    requestedAtMs,
    repeat: true,
  }
  return [
    controlled(run, atMs, 'retried', by, { runId: newRunId, from: step }),
    { to: 'log', id: takeId(run), message: { name: 'run.requested', data } },
  ]
}

const requestOf = ({ source, flow, version, planHash, params, input, inputRef, priority, labels, session, user, flows, mode }: Pinned) => ({
  source,
  flow,
  version,
  planHash,
  params,
  input,
  priority,
  labels,
  ...(inputRef === undefined ? {} : { inputRef }),
  ...(session === undefined ? {} : { session }),
  ...(user === undefined ? {} : { user }),
  ...(flows === undefined ? {} : { flows }),
  ...(mode === undefined ? {} : { mode }),
})

/** The same for a run that has ended: its number goes on. */
export const controlled = (run: EndedRun, atMs: number, action: Action, by: string, detail: Json): Output => {
  const { runId, tenant, seq } = run
  return {
    to: 'journal',
    id: takeId(run),
    message: { name: 'journal.run.controlled', data: { runId, tenant, seq, atMs, action, by, detail } },
  }
}
