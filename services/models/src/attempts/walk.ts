// A plan walked: who is asked next, until an answer fits or the plan ends.
//   V1. One deadline and one reservation are around all calls.
//   V2. A candidate that cannot be asked just now is passed over; when nobody can be, the dispatch waits a little, then is put off.
//   V3. An answer that a cascade does not take leads to the next stage, and is paid (T7).
//   V5. Where a cascade ends at a person, an answer that nobody takes is their draft, and with none that holds they are asked without one.
//   V4. Money that is not enough for a candidate may be enough for a cheaper one behind it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, FAULTS, toFault } from '@baton/contracts/fault'
import { type Candidate, firstMove, type Move, nextMove, passMove, shareOfTry, skipMove } from '@baton/policy'
import type { ActivationNeed } from '@baton/policy/activation'
import type { Need } from '@baton/policy/routing'
import type { Model } from '../model.ts'
import type { Output } from '../output/structured-output.ts'
import type { PlanStep } from '../routes/route-plan.ts'
import type { Reservation } from '../budget/budget-book.ts'
import { admit, type Blocked, type Gate, mostOf } from './admission.ts'
import type { Bill } from './bill.ts'
import type { Asked, Dispatch, ForPerson } from './dispatch.ts'
import { askOne } from './one-call.ts'

export type WalkOptions = {
  readonly gate: Gate
  /** Without shadows and hedges. */
  readonly steps: readonly PlanStep[]
  readonly hedge: Model | undefined
  readonly need: Need
  readonly reservation: Reservation
  readonly bill: Bill
  readonly hedgeWanted: boolean
  readonly random: () => number
  /** Monotone milliseconds. */
  readonly clockMs: () => number
  readonly nowMs: () => number
}

const LOCAL_WEIGHT = 0.05
const candidateOf = ({ model: { name, local } }: PlanStep): Candidate => ({ name, reaskable: !local, weight: local ? LOCAL_WEIGHT : 1 })
const feedbackOf = ({ detail, message }: Fault): string => (typeof detail['problem'] === 'string' ? detail['problem'] : message)

/** Nobody can be asked before then. */
export class Blockage extends Error {
  override readonly name = 'Blockage'
  readonly waitMs: number
  readonly why: Blocked['why']
  constructor({ waitMs, why }: Blocked) {
    super(`nothing can serve this for ${waitMs} ms`)
    this.waitMs = waitMs
    this.why = why
  }
}

/** Why the dispatch as a whole was ended from outside. */
const ended = (signal: AbortSignal, model: Model | undefined): Fault => {
  const { reason } = signal as { reason: unknown } // The DOM types it as any.
  return typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError'
    ? new Fault(
        'model.timed_out',
        'The deadline of the step passed before a model answered.',
        model === undefined ? {} : { model: model.name },
      )
    : new Fault('bus.draining', 'The call was given up because this process is ending.')
}

const givenUp = (faults: readonly Fault[], move: Move & { do: 'stop' }): Fault => {
  const fault = faults[move.failure] ?? new Fault('model.unavailable', 'No model answered.')
  const trail = move.progress.failures.map(({ name, code }) => `${name}: ${code}`).join(', ')
  const { retryAfterMs } = move
  // The problem with an answer was for the model; it may quote what the answer said.
  const { problem: _problem, ...detail } = fault.detail
  return new Fault(
    fault.code,
    fault.message,
    { ...detail, tries: move.progress.tryNumber, trail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    { cause: fault },
  )
}

/** One walk. */
export class Walk<O extends Output> {
  readonly #options: WalkOptions
  readonly #dispatch: Dispatch<O>
  readonly #candidates: readonly Candidate[]
  readonly #faults: Fault[] = []
  readonly #skips: Blocked[] = []
  #move: Move = firstMove()
  #calls = 0
  #escalated = false
  #waitedMs = 0

  constructor(dispatch: Dispatch<O>, options: WalkOptions) {
    this.#dispatch = dispatch
    this.#options = options
    this.#candidates = options.steps.map(candidateOf)
  }

  get tries(): number {
    return this.#move.progress.tryNumber
  }

  /** Failures so far, but those of the model that answered in the end. */
  trail(but?: string): readonly string[] {
    return [...new Set(this.#move.progress.failures.filter(({ name }) => name !== but).map(({ name, code }) => `${name}: ${code}`))]
  }

  /** Walks. Throws a Fault, or a Blockage when nobody could be asked (V2). */
  async run(): Promise<Asked<O>> {
    const { spec, signal } = this.#dispatch
    const { clockMs, steps } = this.#options
    let endsAtMs = clockMs() + spec.timeoutMs
    for (;;) {
      const move = this.#move
      if (move.do === 'stop') throw givenUp(this.#faults, move)
      if (move.waitMs > 0) await this.#rest(move.waitMs)
      if (move.newTry) endsAtMs = clockMs() + spec.timeoutMs
      const step = steps[move.candidate]
      if (step === undefined) throw new Fault('model.none_configured', 'No model to ask.')
      try {
        const asked = await this.#ask(step, move, endsAtMs - clockMs())
        if (asked !== undefined) return asked
      } catch (error) {
        if (error instanceof Blockage) throw error
        if (signal.aborted) throw ended(signal, step.model)
        this.#failed(step, toFault(error))
      }
    }
  }

  /** Undefined: the move after it is set already. */
  async #ask(step: PlanStep, move: Move & { do: 'ask' }, leftMs: number): Promise<Asked<O> | undefined> {
    const { gate, need, reservation, bill, hedge, hedgeWanted, nowMs } = this.#options
    const { signal, read, stream, harmless } = this.#dispatch
    const { model } = step
    const admitted = await admit(gate, { model, need, reservation, boundMicroUsd: bill.usage.costMicroUsd, signal })
    if ('waitMs' in admitted) return this.#skip(admitted)
    const { answer, model: by } = await askOne(
      {
        model,
        second: hedge,
        question: this.#question(move),
        need,
        timeMs: shareOfTry(this.#candidates, move.progress, leftMs),
        admitted,
        hedge: model.local || !harmless ? undefined : { asked: this.#dispatch.hedge, wanted: hedgeWanted },
        reservation,
        bill,
        signal,
        stream,
        nextCall: () => (this.#calls += 1),
        nowMs,
      },
      gate,
    )
    const output = read(answer)
    const accepted = step.accept?.(output) ?? { ok: true, why: '' }
    if (!accepted.ok && this.#next(step)) return undefined // V3
    const failedOver = this.trail(by.name)
    const person = accepted.ok || step.person === undefined ? undefined : this.#toPerson(step.person, accepted.why) // V5
    const more = { ...(this.#escalated ? { escalated: true } : {}), ...(person === undefined ? {} : { person }) }
    return { output, model: by, usage: bill.usage, failedOver, tries: move.progress.tryNumber, ...more }
  }

  /** What is asked now: with what was wrong with the last answer, where it is asked for again. */
  #question({ reask, progress }: Move & { do: 'ask' }): Dispatch['question'] {
    const { feedback: given, occasion, ...rest } = this.#dispatch.question
    const last = this.#faults.at(-1)
    const feedback = reask && last !== undefined ? feedbackOf(last) : given
    return {
      ...rest,
      ...(feedback === undefined ? {} : { feedback }),
      ...(occasion === undefined ? {} : { occasion: { ...occasion, try: progress.tryNumber } }),
    }
  }

  #toPerson(need: ActivationNeed, why: string): ForPerson {
    return { need, route: this.#dispatch.names.join(', '), why: `${why}; nobody stronger is left` }
  }

  /** Who is asked when all of this failed with a fault: only where what models wrote does not hold, or they would not answer (V5). */
  personFor({ code, message }: Fault): ForPerson | undefined {
    const need = this.#options.steps.find(({ person }) => person !== undefined)?.person
    const theirs = FAULTS[code].remedy === 'reask' || code === 'output.truncated' || code === 'model.content_refused'
    return need === undefined || !theirs ? undefined : this.#toPerson(need, message)
  }

  /** Goes on to the next stage. */
  #next({ stage }: PlanStep): boolean {
    const from = this.#options.steps.findIndex((step) => step.stage > stage)
    const move = from < 0 ? undefined : passMove(this.#move.progress, this.#candidates, from)
    if (move === undefined) return false
    this.#escalated = true
    this.#move = move
    return true
  }

  /** Passes over a candidate that cannot be asked now (V2). */
  async #skip(blocked: Blocked): Promise<undefined> {
    const { spec } = this.#dispatch
    this.#skips.push(blocked)
    const next = skipMove(this.#move.progress, this.#candidates)
    if (next !== undefined) {
      this.#move = next
      return undefined
    }
    const soonest = this.#skips.reduce((best, skip) => (skip.waitMs < best.waitMs ? skip : best))
    this.#skips.length = 0
    // Real failures of this try come first: they are told, and may be tried again.
    if (this.#move.progress.failures.length > this.#move.progress.failuresBefore) {
      this.#faults.push(new Fault('model.unavailable', 'Nothing can serve this just now.', { retryAfterMs: soonest.waitMs }))
      this.#advance(new Fault('model.unavailable', 'Nothing can serve this just now.', { retryAfterMs: soonest.waitMs }))
      return undefined
    }
    if (this.#waitedMs + soonest.waitMs > spec.waitMaxMs) throw new Blockage(soonest)
    this.#waitedMs += soonest.waitMs
    await this.#rest(soonest.waitMs)
    const { progress } = this.#move
    const first = this.#candidates.findIndex(({ name }) => !progress.out.includes(name))
    this.#move = {
      do: 'ask',
      candidate: first,
      waitMs: 0,
      newTry: true,
      reask: false,
      progress: { ...progress, at: first, reasked: false },
    }
    return undefined
  }

  #failed({ model }: PlanStep, fault: Fault): void {
    const { gate, steps, need } = this.#options
    if (fault.code === 'budget.exceeded') {
      const most = mostOf(model, need)
      const at = this.#move.progress.at
      const cheaper = steps.findIndex((step, index) => index > at && mostOf(step.model, need) < most)
      const move = cheaper < 0 ? undefined : passMove(this.#move.progress, this.#candidates, cheaper)
      if (move === undefined) throw fault
      this.#move = move // V4
      return
    }
    this.#faults.push(fault)
    const before = this.#move.progress.at
    this.#advance(fault)
    if (this.#move.do === 'ask' && this.#move.progress.at !== before)
      gate.metrics.count('baton_model_failovers_total', { model: model.name, code: fault.code })
  }

  #advance({ code, detail: { retryAfterMs } }: Fault): void {
    const { random } = this.#options
    this.#move = nextMove(
      this.#move.progress,
      { code, ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}) },
      { spec: this.#dispatch.spec, candidates: this.#candidates, random: random() },
    )
  }

  async #rest(waitMs: number): Promise<void> {
    const { signal } = this.#dispatch
    await sleep(waitMs, undefined, { signal }).catch(() => {
      throw ended(signal, undefined)
    })
  }
}

/** Codes that pass by themselves: the provider's to mend. */
export const isPassing = ({ code }: Fault): boolean => FAULTS[code].blame === 'provider' && code !== 'model.refused'
