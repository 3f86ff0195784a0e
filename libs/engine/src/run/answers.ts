// Answers of the services: each attempt counts once (R2); that of a lost lease is recorded and billed, and changes nothing (R3).
import type { FaultData } from '@baton/contracts/fault'
import type { MessageOf, Meter } from '@baton/contracts'
import type { Output } from '../decision.ts'
import type { Asked, EndedRun, Entry, OpenRun } from '../state.ts'
import { timeFault } from './clock.policy.ts'
import { isWork } from './dispatch.ts'
import { loseAttempt } from './ending.ts'
import { failRun, failStep, journalFailed } from './failure.ts'
import { placeOf } from './frames.ts'
import { dispatchBoundMs, LEASES_MAX } from './lease.policy.ts'
import { guarded, settle } from './settle.ts'
import { isPerson, journal, stepTransition, takeId, type Place, type Turn } from './turn.ts'

/** Added to the time a worker asks for: its clock is not the log's. */
const EXTENSION_SLACK_MS = 5_000

type OpenAttempt = { readonly place: Place; readonly asked: Asked }

/** The place that waits for an attempt; undefined when none does. */
export const findOpen = (turn: Turn, attemptId: string): OpenAttempt | undefined => {
  const { attempts } = turn.run
  const key = Object.hasOwn(attempts, attemptId) ? attempts[attemptId] : undefined
  const place = key === undefined ? undefined : placeOf(turn, key)
  const asked = place?.frame.visit?.activity
  return place === undefined || asked?.is !== 'asked' || asked.attemptId !== attemptId ? undefined : { place, asked }
}

/** Records an answer that nobody waits for. Only the first of an attempt that was given up is billed (R2, R3). */
export const ignoreAnswer = (run: OpenRun | EndedRun, atMs: number, attemptId: string, meter: Meter | undefined): Output => {
  const own = attemptId.startsWith(`${run.runId}/`)
  const index = own ? run.lost.indexOf(attemptId.slice(run.runId.length + 1)) : -1
  const costMicroUsd = index < 0 ? 0 : (meter?.costMicroUsd ?? 0)
  if (index >= 0) run.lost.splice(index, 1)
  run.spend.costMicroUsd += costMicroUsd
  const open = run.status === 'open' && Object.hasOwn(run.attempts, attemptId)
  const reason = index >= 0 ? 'late' : own && !open ? 'duplicate' : 'unknown'
  const { runId, tenant, seq } = run
  return {
    to: 'journal',
    id: takeId(run),
    message: { name: 'journal.answer.ignored', data: { runId, tenant, seq, atMs, attemptId, reason, costMicroUsd } },
  }
}

/** A service has done the work of an attempt. */
export const completeAttempt = (turn: Turn, open: OpenAttempt, { output, outputRef, by, meter }: MessageOf<'step.completed'>): void => {
  const maker = by ?? `${open.place.node.kind}:${makerOf(open.place)}`
  giveOutput(turn, open, { output, by: maker, ...(outputRef === undefined ? {} : { ref: outputRef }) }, meter)
}

const makerOf = ({ node }: Place): string => {
  if (node.kind === 'task') return node.task
  return node.kind === 'retrieve' ? node.index : node.id
}

const giveOutput = (turn: Turn, { place, asked }: OpenAttempt, entry: Entry, meter?: Meter): void => {
  close(turn, asked, meter)
  const { attempt, attemptId, dispatchedAtMs } = asked
  journal(turn, {
    name: 'journal.step.completed',
    data: {
      ...stepTransition(turn, place),
      attempt,
      attemptId,
      by: entry.by,
      dispatchedAtMs,
      ...(meter === undefined ? {} : { meter }),
      ...(entry.ref === undefined ? {} : { outputRef: entry.ref }),
    },
  })
  guarded(turn, place.key, () => settle(turn, place, entry))
}

/** The attempt is answered: it counts now and never again (R2). */
const close = ({ run }: Turn, { attemptId }: Asked, meter: Meter | undefined): void => {
  delete run.attempts[attemptId]
  run.spend.costMicroUsd += meter?.costMicroUsd ?? 0
}

/** A service has given up on an attempt, a person has said no, or nobody decided in time. */
export const failAttempt = (
  turn: Turn,
  { place, asked }: OpenAttempt,
  fault: FaultData,
  more: { deadLettered?: boolean; meter?: Meter } = {},
): void => {
  close(turn, asked, more.meter)
  const { attempt, attemptId, dispatchedAtMs } = asked
  journalFailed(turn, place, { attempt, attemptId, dispatchedAtMs, fault, ...more })
  // Workers are stopped when the time of the run is over: that is the run's fault, whichever record comes first.
  const limit = timeFault(turn.run, turn.atMs)
  if (limit === undefined) guarded(turn, place.key, () => failStep(turn, place.key, fault))
  else failRun(turn, limit)
}

/** A person has decided. The attempt binds the decision to what the person saw: one attempt has one content (R7). */
export const decideReview = (turn: Turn, open: OpenAttempt, { verdict, output, by, reason }: MessageOf<'review.decided'>): void => {
  const person = by.startsWith('human:') ? by : `human:${by}`
  if (verdict === 'reject') {
    failAttempt(turn, open, { code: 'review.rejected', message: reason ?? `${person} rejected it`, detail: { by: person } })
  } else giveOutput(turn, open, { output, by: person })
}

/** Nobody decided in time, however often hitl asked; silence is never consent. */
export const expireReview = (turn: Turn, open: OpenAttempt): void =>
  failAttempt(turn, open, { code: 'review.expired', message: 'nobody decided in time' })

type Postponed = { readonly reason: 'retrying' | 'deferred' | 'extended'; readonly untilMs: number; readonly fault?: FaultData }

/** The attempt goes on later: its lease moves, the deadline of the run does not (R4). */
export const postpone = (turn: Turn, { place, asked }: OpenAttempt, { reason, untilMs, fault }: Postponed): void => {
  if (!isWork(place.node)) return
  const moreMs = reason === 'extended' ? EXTENSION_SLACK_MS : dispatchBoundMs(place.node, place.frame.visit?.override?.models)
  asked.leaseUntilMs = Math.min(asked.deadlineMs, Math.max(asked.leaseUntilMs, untilMs + moreMs))
  const data = { ...stepTransition(turn, place), attemptId: asked.attemptId, reason, untilMs }
  journal(turn, { name: 'journal.step.waiting', data: fault === undefined ? data : { ...data, fault } })
}

/** The lease of an attempt ran out: the same work is asked for again, at most LEASES_MAX times. A person is not asked twice. */
export const loseLease = (turn: Turn, open: OpenAttempt): void => {
  const { place, asked } = open
  const { visit } = place.frame
  if (visit === null) return
  loseAttempt(turn.run, asked.attemptId)
  if (isPerson(place.node)) {
    expireReview(turn, open)
    return
  }
  visit.leasesLost = (visit.leasesLost ?? 0) + 1
  const fault: FaultData = { code: 'step.lease_lost', message: `no answer by ${asked.leaseUntilMs}`, detail: { attempt: asked.attempt } }
  const { attempt, attemptId, dispatchedAtMs } = asked
  journalFailed(turn, place, { attempt, attemptId, dispatchedAtMs, fault })
  if (visit.leasesLost >= LEASES_MAX) {
    guarded(turn, place.key, () => failStep(turn, place.key, fault))
    return
  }
  visit.activity = { is: 'due', again: true }
  turn.run.ready.push(place.key)
}
