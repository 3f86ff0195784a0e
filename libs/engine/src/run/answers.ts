// Answers of the services: each attempt counts once (R2); that of a lost lease is recorded and billed, and changes nothing (R3).
import type { FaultData } from '@baton/contracts/fault'
import type { ChildUse, MessageOf, Meter } from '@baton/contracts'
import type { Output } from '../decision.ts'
import type { Asked, Aside, Child, EndedRun, Entry, OpenRun } from '../state.ts'
import { noteTurn } from './agent.ts'
import { openAsk } from './aside.ts'
import { takeAnswer, takeVerdict } from './aside-ends.ts'
import { count, countMeter } from './caps.ts'
import { timeFault } from './clock.policy.ts'
import { isWork } from './work-node.ts'
import { tellsLeftOut } from './entry.ts'
import { failRun, failStep, journalFailed } from './failure.ts'
import { placeOf, toldPlace } from './frames.ts'
import { dispatchBoundMs, LEASES_MAX } from './lease.policy.ts'
import { guarded, settle } from './settle.ts'
import { loseAttempt } from './lost-attempts.ts'
import { isPerson, journal, stepTransition, takeId, type Place, type Turn } from './turn.ts'
import { forgetAttempt, watchAttempt } from './watch.ts'

/** Added to the time a worker asks for: its clock is not the log's. */
const EXTENSION_SLACK_MS = 5_000

/** An attempt of a service or a person, or a run that a step started. */
export type OpenAttempt = { readonly place: Place; readonly asked: Asked | Child }

/** The place that waits for an attempt; undefined when none does. */
export const findOpen = (turn: Turn, attemptId: string): OpenAttempt | undefined => {
  const { attempts } = turn.run
  const key = Object.hasOwn(attempts, attemptId) ? attempts[attemptId] : undefined
  const place = key === undefined ? undefined : placeOf(turn, key)
  const asked = place?.frame.visit?.activity
  if (place === undefined || (asked?.is !== 'asked' && asked?.is !== 'child')) return undefined
  return asked.attemptId === attemptId ? { place, asked } : undefined
}

/** Records an answer that nobody waits for. Only the first of an attempt that was given up is billed (R2, R3). */
export const ignoreAnswer = (run: OpenRun | EndedRun, atMs: number, attemptId: string, cost: number): Output => {
  const own = attemptId.startsWith(`${run.runId}/`)
  const index = own ? run.lost.indexOf(attemptId.slice(run.runId.length + 1)) : -1
  const costMicroUsd = index < 0 ? 0 : cost
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
export const completeAttempt = (
  turn: Turn,
  open: OpenAttempt,
  { output, outputRef, by, meter, turn: said, child, taint }: MessageOf<'step.completed'>,
): void => {
  markTaint(turn.run, taint)
  const maker = by ?? `${open.place.node.kind}:${makerOf(open.place)}`
  if (said !== undefined) noteTurn(turn, open.place, said)
  const leftOut = tellsLeftOut(turn.run, turn.program.plan) ? meter?.leftOut : undefined
  const entry = {
    output,
    by: maker,
    ...(outputRef === undefined ? {} : { ref: outputRef }),
    ...(leftOut === undefined ? {} : { leftOut: leftOut.map(({ part, tokens, how }) => ({ part, tokens, how })) }),
  }
  giveOutput(turn, open, entry, { ...(meter === undefined ? {} : { meter }), ...(child === undefined ? {} : { child }) })
}

/** Content of strangers came into the run: what it may still do depends on that. */
const markTaint = (run: OpenRun, taint: readonly string[] | undefined): void => {
  for (const source of taint ?? []) {
    run.taint ??= []
    if (!run.taint.includes(source) && run.taint.length < TAINT_MAX) run.taint.push(source)
  }
}
/** Sources a run remembers; that there is one at all is what counts. */
const TAINT_MAX = 20

/** The service cannot go on without a person: the attempt is over, and the person is asked. */
export const askPerson = (turn: Turn, { place, asked }: OpenAttempt, { ask, meter, taint }: MessageOf<'step.asks'>): void => {
  markTaint(turn.run, taint)
  close(turn, { place, asked }, meter === undefined ? {} : { meter })
  const { attemptId } = asked
  journal(turn, {
    name: 'journal.step.waiting',
    data: {
      ...stepTransition(turn, toldPlace(place)),
      attemptId,
      reason: 'asks',
      untilMs: turn.atMs,
      ...(meter === undefined ? {} : { meter }),
    },
  })
  guarded(turn, place.key, () => openAsk(turn, place, ask))
}

const makerOf = ({ node }: Place): string => {
  if (node.kind === 'task') return node.task
  return node.kind === 'retrieve' ? node.index : node.id
}

type Took = { readonly meter?: Meter; readonly child?: ChildUse }

const giveOutput = (turn: Turn, { place, asked }: OpenAttempt, entry: Entry, { meter, child }: Took = {}): void => {
  close(turn, { place, asked }, { ...(meter === undefined ? {} : { meter }), ...(child === undefined ? {} : { child }) })
  const { attempt, attemptId, dispatchedAtMs } = asked
  journal(turn, {
    name: 'journal.step.completed',
    data: {
      ...stepTransition(turn, toldPlace(place)),
      attempt,
      attemptId,
      by: entry.by,
      dispatchedAtMs,
      ...(meter === undefined ? {} : { meter }),
      ...(entry.ref === undefined ? {} : { outputRef: entry.ref }),
    },
  })
  const aside = place.frame.visit?.aside
  guarded(turn, place.key, () => {
    if (aside?.is === 'guard') takeVerdict(turn, place, aside, entry.output)
    else settle(turn, place, entry)
  })
}

/** The attempt is answered: it counts now and never again (R2). */
const close = (turn: Turn, { place, asked: { attemptId } }: OpenAttempt, { meter, child }: Took): void => {
  const { run } = turn
  delete run.attempts[attemptId]
  forgetAttempt(turn, attemptId)
  countMeter(turn, place, meter)
  if (child === undefined) return
  const { costMicroUsd, tokens, calls, steps, workedMs } = child
  count(turn, place, { costMicroUsd, tokens, calls })
  run.spend.steps += steps
  // While nothing else was done the clock of this run rested, and that of the other ran.
  if (turn.rested) run.clock.workedMs += workedMs
}

/** A service has given up on an attempt, a person has said no, or nobody decided in time. */
export const failAttempt = (
  turn: Turn,
  { place, asked }: OpenAttempt,
  fault: FaultData,
  { child, ...more }: { deadLettered?: boolean } & Took = {},
): void => {
  close(turn, { place, asked }, { ...(more.meter === undefined ? {} : { meter: more.meter }), ...(child === undefined ? {} : { child }) })
  const { attempt, attemptId, dispatchedAtMs } = asked
  journalFailed(turn, toldPlace(place), { attempt, attemptId, dispatchedAtMs, fault, ...more })
  // Workers are stopped when the time of the run is over: that is the run's fault, whichever record comes first.
  const limit = timeFault(turn.run, turn.atMs)
  if (limit === undefined) guarded(turn, place.key, () => failStep(turn, place.key, fault))
  else failRun(turn, limit)
}

/** A person has decided. The attempt binds the decision to what the person saw: one attempt has one content (R7). */
export const decideReview = (turn: Turn, open: OpenAttempt, decided: MessageOf<'review.decided'>): void => {
  const { verdict, output, by, reason, unreviewed } = decided
  // Silence is no person: what went on because nobody decided in time must not read as if somebody had.
  const silent = unreviewed === true && turn.run.engineVersion >= 4
  const person = silent ? 'policy:unreviewed' : by.startsWith('human:') ? by : `human:${by}`
  const aside = open.place.frame.visit?.aside
  if (aside?.is === 'person') answerAside(turn, open, aside, { ...decided, by: person })
  else if (verdict === 'reject') {
    failAttempt(turn, open, { code: 'review.rejected', message: reason ?? `${person} rejected it`, detail: { by: person } })
  } else giveOutput(turn, open, { output, by: person })
}

/** What a person said to a service that asked in the middle of its work. */
const answerAside = (
  turn: Turn,
  { place, asked }: OpenAttempt,
  aside: Aside & { is: 'person' },
  decided: MessageOf<'review.decided'>,
): void => {
  close(turn, { place, asked }, {})
  const { attempt, attemptId, dispatchedAtMs } = asked
  journal(turn, {
    name: 'journal.step.completed',
    data: { ...stepTransition(turn, toldPlace(place)), attempt, attemptId, by: decided.by, dispatchedAtMs },
  })
  guarded(turn, place.key, () => takeAnswer(turn, place, aside, decided))
}

/** Nobody decided in time, however often hitl asked; silence is never consent. */
export const expireReview = (turn: Turn, open: OpenAttempt): void =>
  failAttempt(turn, open, { code: 'review.expired', message: 'nobody decided in time' })

type Postponed = { readonly reason: 'retrying' | 'deferred' | 'extended'; readonly untilMs: number; readonly fault?: FaultData }

/** The attempt goes on later: its lease moves, the deadline of the run does not (R4). */
export const postpone = (turn: Turn, { place, asked }: OpenAttempt, { reason, untilMs, fault }: Postponed): void => {
  const told = toldPlace(place)
  if (!isWork(told.node) || asked.is !== 'asked') return
  const moreMs = reason === 'extended' ? EXTENSION_SLACK_MS : dispatchBoundMs(told.node, place.frame.visit?.override?.models)
  asked.leaseUntilMs = Math.min(asked.deadlineMs, Math.max(asked.leaseUntilMs, untilMs + moreMs))
  watchAttempt(turn, { attemptId: asked.attemptId, leaseUntilMs: asked.leaseUntilMs, works: !isPerson(told.node) })
  const data = { ...stepTransition(turn, told), attemptId: asked.attemptId, reason, untilMs }
  journal(turn, { name: 'journal.step.waiting', data: fault === undefined ? data : { ...data, fault } })
}

/** The lease of an attempt ran out: the same work is asked for again, at most LEASES_MAX times. A person is not asked twice. */
export const loseLease = (turn: Turn, open: OpenAttempt): void => {
  const { place, asked } = open
  const { visit } = place.frame
  if (visit === null || asked.is !== 'asked') return
  loseAttempt(turn.run, asked.attemptId)
  forgetAttempt(turn, asked.attemptId)
  if (isPerson(toldPlace(place).node)) {
    expireReview(turn, open)
    return
  }
  visit.leasesLost = (visit.leasesLost ?? 0) + 1
  const fault: FaultData = { code: 'step.lease_lost', message: `no answer by ${asked.leaseUntilMs}`, detail: { attempt: asked.attempt } }
  const { attempt, attemptId, dispatchedAtMs } = asked
  journalFailed(turn, toldPlace(place), { attempt, attemptId, dispatchedAtMs, fault })
  if (visit.leasesLost >= LEASES_MAX) {
    guarded(turn, place.key, () => failStep(turn, place.key, fault))
    return
  }
  visit.activity = { is: 'due', again: true }
  turn.run.ready.push(place.key)
}
