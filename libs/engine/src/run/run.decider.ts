// The run as a pure state machine: one record of the log in, one decision out (DESIGN §5).
//   R1. The same history gives the same outputs, ids included: nothing but state, record and plan is looked at.
//   R2. An attempt's answer counts once.
//   R3. The answer of a lost lease or an ended run is recorded, billed, and changes nothing.
//   R4. Every wait has an end: lease, working time, total time.
//   R5. Limits hold before the work is asked for.
//   R6. A run has one result, with one id; a repeat of the request gets the same again.
//   R7. A person's decision counts for the attempt it was asked for, and for no other.
//   R8. Nothing is dropped: a record that belongs to no run is refused with a reason.
//   R10. A state is changed in place: the cost of a record does not grow with the length of the run.
import type { FaultData } from '@baton/contracts/fault'
import type { Message, MessageOf } from '@baton/contracts'
import type { Program } from '@baton/flow/program'
import type { Decide, Decision, EngineInput, LogMessage, Output } from '../decision.ts'
import { ENGINE_VERSION } from '../codec.ts'
import type { EndedRun, OpenRun, RunState } from '../state.ts'
import { advance } from './advance.ts'
import { askPerson, completeAttempt, decideReview, expireReview, failAttempt, findOpen, ignoreAnswer, postpone } from './answers.ts'
import { begin } from './begin.ts'
import { pauseClock, resumeClock } from './clock.policy.ts'
import { cancel, controlled, patch, pause, refuse, resume, retryEnded } from './control.ts'
import { end, endOutput } from './ending.ts'
import { toldPlace } from './frames.ts'
import { endTimes, isOverdue } from './step-time.ts'
import { waitsForOthers, wake, wakeTime } from './timers.ts'
import type { Turn } from './turn.ts'
import { receiveEvent } from './waits.ts'

/** The engine. See `Decide`. */
export const decide: Decide = (state, input, program) => {
  if (state === undefined) return first(input, program)
  if (state.status === 'ended') return afterEnd(state, input, program)
  return during(state, input, program)
}

const first = (input: EngineInput, program: Program): Decision => {
  const { message, atMs, partition } = input
  if (message.name !== 'run.requested') return unowned(message)
  const { engineVersion, runId } = message.data
  if (engineVersion > ENGINE_VERSION) {
    return {
      state: undefined,
      outputs: [],
      refused: { code: 'engine.unsupported', message: `run ${runId} needs engine ${engineVersion}`, detail: { engineVersion } },
    }
  }
  return conclude(begin(message.data, { atMs, partition, outputs: [], rested: false, reports: [] }, program))
}

/** Timers and continuations of a run that is gone are of no use to anyone; everything else is somebody's work (R8). */
export const unowned = ({ name, data }: LogMessage): Decision => {
  if (name === 'timer.matured' || name === 'run.continue') return { state: undefined, outputs: [] }
  return {
    state: undefined,
    outputs: [],
    refused: { code: 'request.not_found', message: `there is no run ${data.runId}`, detail: { message: name } },
  }
}

/** R6, R3. */
const afterEnd = (state: RunState & { status: 'ended' }, { message, atMs }: EngineInput, program: Program): Decision => {
  // The engine made this state and alone changes it (S2).
  const run = state as EndedRun
  const { name } = message
  if (name === 'run.requested') return { state, outputs: [endOutput(run)] }
  if (name === 'run.retry') return { state, outputs: retryEnded(run, message.data, program, atMs) }
  if (name === 'run.pause' || name === 'run.resume' || name === 'run.patch')
    return { state, outputs: [controlled(run, atMs, 'refused', message.data.by, { code: 'run.not_paused', asked: name })] }
  return { state, outputs: isAnswer(message) ? [ignore(run, atMs, message)] : [] }
}

const during = (state: RunState & { status: 'open' }, input: EngineInput, program: Program): Decision => {
  const { message, atMs, partition } = input
  // As above.
  const run = state as OpenRun
  const outputs: Output[] = []
  if (message.name === 'run.requested') return { state, outputs } // The first record of a run wins (L2).
  const rested = run.clock.sinceMs === null
  const turn: Turn = { run, program, atMs: Math.max(run.atMs, atMs), partition, outputs, ended: null, rested, reports: [] }
  const late = endOverdue(turn)
  if (turn.ended !== null) return endedBefore(turn.ended, outputs, afterEnd(turn.ended, input, program))
  if (isAnswer(message) && !isExpected(turn, message)) {
    outputs.push(ignore(run, turn.atMs, message))
    return late ? conclude(turn) : { state, outputs }
  }
  run.atMs = turn.atMs
  resumeClock(run, turn.atMs)
  const refused = apply(turn, message)
  const decision = conclude(turn)
  return refused === undefined ? decision : { ...decision, refused }
}

/** The run had ended when the record came. */
const endedBefore = (state: EndedRun, outputs: readonly Output[], after: Decision): Decision => ({
  ...after,
  state: after.state ?? state,
  outputs: [...outputs, ...after.outputs],
})

/** The time of a step is over before anything that came after it counts. */
const endOverdue = (turn: Turn): boolean => {
  const { run, atMs } = turn
  if (run.timed === undefined || !isOverdue(turn)) return false
  run.atMs = atMs
  resumeClock(run, atMs)
  endTimes(turn)
  return true
}

/** Moves what can move, and sets the clocks for the wait that follows. */
const conclude = (turn: Turn): Decision => {
  advance(turn)
  const { run, outputs } = turn
  if (turn.ended !== null) return { state: turn.ended, outputs }
  if (waitsForOthers(turn)) pauseClock(run, turn.atMs)
  run.wakeAtMs = wakeTime(turn)
  return { state: run, outputs }
}

type Answer = Message<'step.completed' | 'step.failed' | 'step.asks' | 'step.expired' | 'review.decided' | 'review.expired'>
const ANSWERS: ReadonlySet<string> = new Set([
  'step.completed',
  'step.failed',
  'step.asks',
  'step.expired',
  'review.decided',
  'review.expired',
])
const isAnswer = (message: LogMessage): message is Answer => ANSWERS.has(message.name)

/** True when the attempt is open, and a person's decision answers a question to a person and nothing else (R7). */
const isExpected = (turn: Turn, { name, data }: Answer): boolean => {
  const open = findOpen(turn, data.attemptId)
  if (open === undefined) return false
  const toPerson = toldPlace(open.place).node.kind === 'human'
  return name === 'step.failed' || name === 'step.expired' || toPerson === (name === 'review.decided' || name === 'review.expired')
}

const ignore = (run: OpenRun | EndedRun, atMs: number, message: Answer): Output =>
  ignoreAnswer(run, Math.max(run.atMs, atMs), message.data.attemptId, costOf(message))

/** What an answer cost, or the run that answers with its end. */
const costOf = ({ name, data }: Answer): number =>
  name === 'step.completed' || name === 'step.failed' || name === 'step.asks'
    ? (data.meter?.costMicroUsd ?? data.child?.costMicroUsd ?? 0)
    : 0

/** Returns a fault when the record itself cannot be taken. */
const apply = (turn: Turn, message: Exclude<LogMessage, { name: 'run.requested' }>): FaultData | undefined => {
  switch (message.name) {
    case 'run.cancel':
      cancel(turn, message.data)
      return undefined
    case 'run.pause':
      pause(turn, message.data)
      return undefined
    case 'run.resume':
      resume(turn, message.data)
      return undefined
    case 'run.patch':
      patch(turn, message.data)
      return undefined
    case 'run.retry':
      refuse(turn, message.data.by, 'run.not_ended', 'retry')
      return undefined
    case 'run.event':
      return receiveEvent(turn, message.data)
    case 'run.quarantine':
      quarantine(turn, message.data)
      return undefined
    case 'run.continue':
      if (turn.run.continueSeq === message.data.seq) turn.run.continueSeq = null
      return undefined
    case 'timer.matured':
      wake(turn)
      return undefined
    default:
      applyToAttempt(turn, message)
      return undefined
  }
}

const quarantine = (turn: Turn, { offset, crashes }: MessageOf<'run.quarantine'>): void =>
  end(turn, {
    status: 'failed',
    fault: { code: 'run.quarantined', message: `the record at ${offset} crashed its owner ${crashes} times`, detail: { offset, crashes } },
  })

type OfAttempt = Extract<LogMessage, { data: { attemptId: string } }>

const applyToAttempt = (turn: Turn, message: OfAttempt): void => {
  const open = findOpen(turn, message.data.attemptId)
  if (open === undefined) return
  switch (message.name) {
    case 'step.completed':
      completeAttempt(turn, open, message.data)
      return
    case 'step.failed': {
      failAttempt(turn, open, faultOf(message.data.fault), toldWith(message.data))
      return
    }
    case 'step.asks':
      askPerson(turn, open, message.data)
      return
    case 'step.expired':
      failAttempt(turn, open, { code: 'step.expired', message: 'the command came after its deadline' })
      return
    case 'review.decided':
      decideReview(turn, open, message.data)
      return
    case 'review.expired':
      expireReview(turn, open)
      return
    case 'step.retrying':
      postpone(turn, open, { reason: 'retrying', untilMs: message.data.untilMs, fault: faultOf(message.data.fault) })
      return
    case 'step.deferred':
      postpone(turn, open, { reason: 'deferred', untilMs: message.data.untilMs })
      return
    case 'step.extended':
      postpone(turn, open, { reason: 'extended', untilMs: message.data.untilMs })
  }
}

const toldWith = ({ deadLettered, meter, child }: MessageOf<'step.failed'>) => ({
  ...(child === undefined ? {} : { child }),
  ...(deadLettered === undefined ? {} : { deadLettered }),
  ...(meter === undefined ? {} : { meter }),
})

/** A fault of a message without what it does not know. */
const faultOf = ({ code, message, detail }: MessageOf<'step.failed'>['fault']): FaultData =>
  detail === undefined ? { code, message } : { code, message, detail }
