// Asking for the work of a step: one command, one attempt, one lease.
//   K1. Nothing is asked for once a limit is reached (R5); caps.ts says which.
//   K2. Every command carries the time until which it is leased and the deadline of the run; both are finite (R4).
//   K3. Attempts and calls are numbered per path and never given twice, however often a step is visited.
import { Fault } from '@baton/contracts/fault'
import { attemptIdOf } from '@baton/contracts/ids'
import type { StepCommand } from '@baton/contracts'
import type { Output } from '../decision.ts'
import type { Asked, OpenRun, Visit } from '../state.ts'
import { asideInput } from './aside.ts'
import { asideFields } from './aside.policy.ts'
import { countCall } from './caps.ts'
import { deadlineOf } from './clock.policy.ts'
import { toldPlace } from './frames.ts'
import { dispatchBoundMs } from './lease.policy.ts'
import { seenBy, type Seen } from './seen.ts'
import { enclosingUntilMs } from './step-time.ts'
import { isPerson, journal, stepTransition, takeId, type Place, type Turn } from './turn.ts'
import { watchAttempt } from './watch.ts'
import { isWork, type WorkNode } from './work-node.ts'

/** Numbers an attempt of the node a frame stands at. K3. */
export const nextAttempt = (
  run: OpenRun,
  { frame, node, path }: Place,
  visit: Visit,
): { readonly attempt: number; readonly attemptId: string } => {
  const [attempts, calls] = frame.used[node.id] ?? frame.usedBefore
  const attempt = attempts + 1
  if (visit.call === 0) visit.call = calls + 1
  frame.used[node.id] = [attempt, Math.max(calls, visit.call)]
  return { attempt, attemptId: attemptIdOf({ runId: run.runId, path, attempt }) }
}

/** Publishes the command of the node a frame stands at. */
export const dispatch = (turn: Turn, place: Place, visit: Visit): void => {
  const { run, atMs } = turn
  const { key } = place
  const { aside } = visit
  const told = toldPlace(place)
  const { node } = told
  if (!isWork(node)) throw new Fault('flow.invalid', `${node.id} is no work of a service`, { node: node.id })
  const seen = aside === undefined ? seenBy(turn, place) : { input: asideInput(turn, place, aside) }
  const { attempt, attemptId } = nextAttempt(run, told, visit)
  const deadlineMs = Math.min(deadlineOf(run, isPerson(node)), enclosingUntilMs(run, place.frame)) // K2
  const leaseUntilMs = Math.min(atMs + dispatchBoundMs(node, visit.override?.models), deadlineMs) // K2
  const asked: Asked = { is: 'asked', attempt, attemptId, dispatchedAtMs: atMs, deadlineMs, leaseUntilMs }
  visit.activity = asked
  run.attempts[attemptId] = key
  watchAttempt(turn, { attemptId, leaseUntilMs, works: !isPerson(node) })
  if (aside === undefined) countCall(turn, place)
  if (isPerson(node)) run.escalated = true
  turn.outputs.push(commandOf(node, takeId(run), command(turn, told, visit, node, { asked, seen })))
  journal(turn, { name: 'journal.step.dispatched', data: { ...stepTransition(turn, told), attempt, attemptId, leaseUntilMs } })
}

const command = (
  turn: Turn,
  { path, frame }: Place,
  visit: Visit,
  node: WorkNode,
  { asked, seen }: { asked: Asked; seen: Seen },
): StepCommand => {
  const { run, partition } = turn
  const { pinned } = run
  return {
    runId: run.runId,
    rootRunId: pinned.rootRunId ?? run.runId,
    tenant: run.tenant,
    flow: pinned.flow,
    version: pinned.version,
    planHash: pinned.planHash,
    engineVersion: run.engineVersion,
    nodeId: node.id,
    path,
    kind: node.kind,
    attempt: asked.attempt,
    attemptId: asked.attemptId,
    leaseUntilMs: asked.leaseUntilMs,
    deadlineMs: asked.deadlineMs,
    reservation: asked.attemptId,
    effectKey: effectKeyOf(run, path, visit.aside === undefined ? visit.call : `${visit.call}/${visit.aside.number}`),
    priority: node.kind === 'human' ? node.human.priority : pinned.priority,
    answerPartition: partition,
    ...seen,
    ...changedBy(visit),
    ...asideFields(visit.aside),
    ...(frame.work?.is === 'turn' ? { turn: frame.work.turn } : {}),
    ...(frame.work?.is === 'call' ? { call: frame.work.call } : {}),
    ...askedFor(run),
  }
}

/** What a gate, or a person, changed about this dispatch. */
const changedBy = ({ override, answered, aside }: Visit): Pick<StepCommand, 'override' | 'answered'> => ({
  ...(answered === undefined || aside?.is === 'person' ? {} : { answered }),
  ...(override === undefined ? {} : { override }),
})

/** For whom the run is, and what it has seen. */
const askedFor = ({ pinned: { session, user, mode }, taint }: OpenRun): Pick<StepCommand, 'session' | 'user' | 'mode' | 'taint'> => ({
  ...(session === undefined ? {} : { session }),
  ...(user === undefined ? {} : { user }),
  ...(mode === undefined ? {} : { mode }),
  ...(taint === undefined ? {} : { taint: [...taint] }),
})

/** Key of the effect ledger (L8): the same over attempts and reruns. */
export const effectKeyOf = ({ runId, pinned }: OpenRun, path: string, call: number | string): string =>
  `${pinned.effectBase ?? runId}/${path}/${call}`

const commandOf = (node: WorkNode, id: string, asked: StepCommand): Output => {
  const { priority } = asked
  switch (node.kind) {
    case 'model':
      return { to: 'command', id, service: 'models', contract: 'model.invoke', priority, command: asked }
    case 'tool':
      return { to: 'command', id, service: 'tools', contract: 'tool.call', priority, command: asked }
    case 'retrieve':
      return { to: 'command', id, service: 'tools', contract: 'retrieval.search', priority, command: asked }
    case 'check':
      return { to: 'command', id, service: 'validation', contract: 'check.evaluate', priority, command: asked }
    case 'human':
      return { to: 'command', id, service: 'hitl', contract: 'review.request', priority, command: asked }
    case 'task':
      return { to: 'task', id, task: node.task, command: asked }
  }
}
