// Dispatches of questions to models: chosen, admitted, asked, paid, told (B4–B9).
//   D1. A command that comes again while it is being done joins what is done already: it reserves and pays nothing of its own.
//   D2. What nothing can serve just now and has cost nothing is put off, not failed: the breaker says until when, drawn apart.
//   D3. A shadow is asked beside, paid and told, and never answers.
import { Fault, toFault } from '@baton/contracts/fault'
import { Pace } from '@baton/policy'
import type { LiveFacts } from '@baton/policy/routing'
import { UNSEEN } from '@baton/policy/routing'
import type { Telemetry } from '@baton/telemetry'
import type { BudgetBook, Reservation } from '../budget/budget-book.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { claimsOf, type LimitsFile, type Subject } from '../limits/limits-config.ts'
import type { Limiter, Ticket } from '../limits/limiter.ts'
import { calibratedOutput, type Output } from '../output/structured-output.ts'
import { planRequestOf } from '../routes/plan-request.ts'
import type { PlanRequest, PlanStep, RoutePlan } from '../routes/route-plan.ts'
import { admit } from './admission.ts'
import { Bill } from './bill.ts'
import type { Conditions } from './conditions.ts'
import type { Asked, Dispatch, GivenUp } from './dispatch.ts'
import { askOne } from './one-call.ts'
import type { TellRouted } from './routed.ts'
import { Blockage, isPassing, Walk } from './walk.ts'

export type Attempts = {
  readonly ask: <O extends Output>(dispatch: Dispatch<O>) => Promise<Asked<O> | GivenUp>
  readonly live: () => Partial<Pick<LiveFacts, 'conditionOf' | 'frugal'>>
}
export type AttemptsOptions = {
  readonly catalogue: Pick<Catalogue, 'plan'>
  readonly conditions: Conditions
  readonly limiter: Limiter
  readonly budgets: BudgetBook
  readonly limits: LimitsFile
  readonly routed: TellRouted
  readonly telemetry: Pick<Telemetry, 'logger' | 'metrics'>
  /** A call is made (cooldowns.ts). */
  readonly called: () => void
  readonly random: () => number
  readonly clockMs: () => number
  readonly nowMs: () => number
}

const DEFER_MIN_MS = 250
/** Paces of routes that are remembered. */
const PACES_MAX = 2_000

const subjectOf = ({ tenant, flow, user }: Dispatch['command']): Subject => ({
  tenant,
  flow,
  ...(user?.id === undefined ? {} : { user: user.id }),
})

type Ready = { readonly plan: RoutePlan; readonly request: PlanRequest; readonly reservation: Reservation; readonly bill: Bill }

class Attempting implements Attempts {
  readonly #options: AttemptsOptions
  readonly #running = new Map<string, Promise<Asked | GivenUp>>()
  readonly #paces = new Map<string, Pace>()

  constructor(options: AttemptsOptions) {
    this.#options = options
  }

  ask<O extends Output>(dispatch: Dispatch<O>): Promise<Asked<O> | GivenUp> {
    const { attemptId } = dispatch.command
    const running = this.#running.get(attemptId)
    // The same attempt reads its answers the same way.
    if (running !== undefined) return running as Promise<Asked<O> | GivenUp> // D1
    const asked = this.#ask(dispatch).finally(() => this.#running.delete(attemptId))
    this.#running.set(attemptId, asked)
    return asked
  }

  live(): ReturnType<Attempts['live']> {
    const { conditions, nowMs } = this.#options
    return { conditionOf: (name) => conditions.ofName(name, nowMs()) ?? UNSEEN }
  }

  async #ask<O extends Output>(dispatch: Dispatch<O>): Promise<Asked<O> | GivenUp> {
    const { budgets, called } = this.#options
    called()
    const subject = subjectOf(dispatch.command)
    const bill = new Bill()
    const reservation = budgets.reserve({ id: dispatch.command.attemptId, subject })
    let ticket: Ticket | undefined
    try {
      const request = planRequestOf(dispatch.names, dispatch.question, dispatch)
      ticket = await this.#own(subject, request)
      const plan = this.#plan(dispatch, request, subject)
      return await this.#walk(dispatch, { plan, request, reservation, bill })
    } catch (error) {
      return this.#given(error, dispatch, { bill, tries: 1, failedOver: [] })
    } finally {
      ticket?.done((bill.usage.inputTokens ?? 0) + (bill.usage.outputTokens ?? 0))
      reservation.settle(bill.usage.costMicroUsd)
    }
  }

  /** Limits of whoever asks, once a dispatch. Throws a Blockage. */
  async #own(subject: Subject, { need }: PlanRequest): Promise<Ticket | undefined> {
    const { limits, limiter, telemetry } = this.#options
    if (limits.limits.length === 0) return undefined
    const taken = await limiter.acquire(claimsOf(limits, subject), need.inputTokens + (need.outputTokens ?? need.inputTokens))
    if (!('waitMs' in taken)) return taken
    telemetry.metrics.count('baton_model_limited_total', { of: taken.key.split(':', 1)[0] ?? '' })
    throw new Blockage({ waitMs: taken.waitMs, why: 'limit' })
  }

  #plan({ spec, command }: Dispatch, request: PlanRequest, subject: Subject): RoutePlan {
    const { catalogue, budgets, conditions, nowMs, random } = this.#options
    const now = nowMs()
    const live: LiveFacts = {
      nowMs: now,
      leftMs: Math.min(spec.timeoutMs * spec.attempts, command.deadlineMs - now),
      frugal: budgets.standing(subject).frugal,
      conditionOf: (name) => conditions.ofName(name, now) ?? UNSEEN,
      random,
    }
    try {
      return catalogue.plan(request, live)
    } catch (error) {
      const { code, detail } = toFault(error)
      const { retryAfterMs } = detail
      if (code !== 'model.unavailable') throw error
      throw new Blockage({ waitMs: typeof retryAfterMs === 'number' ? retryAfterMs : DEFER_MIN_MS, why: 'breaker' })
    }
  }

  async #walk<O extends Output>(dispatch: Dispatch<O>, ready: Ready): Promise<Asked<O> | GivenUp> {
    const { conditions, limiter, telemetry, random, clockMs, nowMs, routed } = this.#options
    const { plan, request, reservation, bill } = ready
    const gate = { conditions, limiter, metrics: telemetry.metrics }
    const steps = plan.steps.filter(({ role }) => role !== 'shadow' && role !== 'hedge')
    const shadows = plan.steps.filter(({ role }) => role === 'shadow').map((step) => this.#shadow(dispatch, step, ready))
    const hedge = plan.steps.find(({ role }) => role === 'hedge')?.model
    const walk = new Walk(dispatch, {
      gate,
      steps,
      hedge,
      need: request.need,
      reservation,
      bill,
      hedgeWanted: hedge !== undefined || this.#options.limits.hedge === 'slow',
      random,
      clockMs,
      nowMs,
    })
    const tell = (chosen: string | undefined): void => {
      const report = (): void => routed.tell({ command: dispatch.command, delivery: dispatch.delivery, plan, calls: bill.calls, chosen })
      if (shadows.length === 0) report()
      else void Promise.allSettled(shadows).then(() => report())
    }
    try {
      const asked = await walk.run()
      tell(asked.model.name)
      this.#paceOf(dispatch.names).answered(clockMs())
      // Behind the walk: what a cascade accepts is said in the confidence of the model itself, and was tuned on that.
      return { ...asked, output: calibratedOutput(asked.output, plan.calibratorOf?.(asked.model.name)) }
    } catch (error) {
      tell(undefined)
      const given = this.#given(error, dispatch, { bill, tries: walk.tries, failedOver: walk.trail(), steps })
      const person = given.deferMs === undefined ? walk.personFor(given.fault) : undefined
      return person === undefined ? given : { ...given, person }
    }
  }

  /** Asks a shadow (D3). Its calls are told with those of the dispatch; its cost is the tenant's, not the run's. */
  async #shadow(dispatch: Dispatch, { model }: PlanStep, { request, bill }: Ready): Promise<void> {
    const { conditions, limiter, telemetry, budgets, nowMs } = this.#options
    const subject = subjectOf(dispatch.command)
    if (budgets.standing(subject).frugal || conditions.ails(model)) return
    const gate = { conditions, limiter, metrics: telemetry.metrics }
    const reservation = budgets.reserve({ id: `${dispatch.command.attemptId}/shadow/${model.name}`, subject })
    const own = new Bill()
    const signal = AbortSignal.timeout(dispatch.spec.timeoutMs)
    const { need } = request
    try {
      const admitted = await admit(gate, { model, need, reservation, boundMicroUsd: 0, signal })
      if ('waitMs' in admitted) return
      await askOne(
        {
          model,
          second: undefined,
          question: dispatch.question,
          need,
          timeMs: dispatch.spec.timeoutMs,
          admitted,
          hedge: undefined,
          reservation,
          bill: own,
          signal,
          stream: undefined,
          nextCall: () => 0,
          nowMs,
        },
        gate,
      )
    } catch {
      // What became of it is in the bill.
    } finally {
      reservation.settle(own.usage.costMicroUsd)
      bill.calls.push(...own.calls.map((call) => ({ ...call, shadow: true })))
    }
  }

  #given(
    error: unknown,
    dispatch: Pick<Dispatch, 'names'>,
    { bill, tries, failedOver, steps = [] }: { bill: Bill; tries: number; failedOver: readonly string[]; steps?: readonly PlanStep[] },
  ): GivenUp {
    const { conditions, telemetry } = this.#options
    const base = { tries, failedOver, usage: bill.usage }
    if (error instanceof Blockage) {
      const { waitMs, why } = error
      telemetry.metrics.count('baton_model_deferred_total', { reason: why })
      const code = why === 'limit' ? 'model.rate_limited' : 'model.unavailable'
      const message = why === 'limit' ? 'A limit of requests or tokens is used up for now.' : 'No model of the step can be asked for now.'
      return { ...base, fault: new Fault(code, message, { retryAfterMs: waitMs, reason: why }), deferMs: this.#slot(dispatch, waitMs) } // D2
    }
    const fault = toFault(error)
    const remote = steps.filter(({ model }) => !model.local)
    if (bill.usage.costMicroUsd > 0 || remote.length === 0 || !isPassing(fault)) return { ...base, fault }
    if (!remote.every(({ model }) => conditions.ails(model))) return { ...base, fault }
    telemetry.metrics.count('baton_model_deferred_total', { reason: 'breaker' })
    return { ...base, fault, deferMs: this.#slot(dispatch, Math.min(...remote.map(({ model }) => conditions.restsMs(model)))) } // D2
  }

  /** Those that were put off together come back one after the other. */
  #slot({ names }: Pick<Dispatch, 'names'>, waitMs: number): number {
    return Math.ceil(this.#paceOf(names).slot(this.#options.clockMs(), Math.max(DEFER_MIN_MS, waitMs)))
  }

  #paceOf(names: readonly string[]): Pace {
    const key = names.join(' ')
    const known = this.#paces.get(key)
    if (known !== undefined) return known
    if (this.#paces.size >= PACES_MAX) this.#paces.clear()
    const pace = new Pace()
    this.#paces.set(key, pace)
    return pace
  }
}

/** Makes it. */
export const createAttempts = (options: AttemptsOptions): Attempts => new Attempting(options)
