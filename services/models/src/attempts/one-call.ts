// One candidate asked: its call, the second one where it is slow, and what both cost.
//   O1. Whatever ends a call, its leave, its places and its bill are settled once.
//   O2. Only the pieces of one call are ever shown as the answer: those of the first to write; a second call is then not started.
import { performance } from 'node:perf_hooks'
import { toFault, type Fault } from '@baton/contracts/fault'
import { hedgeDelayMs } from '@baton/policy'
import type { Need } from '@baton/policy/routing'
import { FREE, type Answer, type Model, type Question, type Usage } from '../model.ts'
import { admit, type Admitted, type Gate, mostOf } from './admission.ts'
import { type Bill, lostCost } from './bill.ts'
import { callModel } from './call.ts'
import type { Outcome } from './conditions.ts'
import type { PieceSink } from './dispatch.ts'
import { race, type Racer } from './race.ts'
import type { Reservation } from '../budget/budget-book.ts'

export type OneCall = {
  readonly model: Model
  /** Asked beside it where it is slow; absent: the model itself. */
  readonly second: Model | undefined
  readonly question: Omit<Question, 'signal' | 'onPiece'>
  readonly need: Need
  readonly timeMs: number
  readonly admitted: Admitted
  /** Undefined: slow calls are not started again. */
  readonly hedge: { readonly asked: { readonly afterMs: number } | undefined; readonly wanted: boolean } | undefined
  readonly reservation: Reservation
  readonly bill: Bill
  readonly signal: AbortSignal
  readonly stream: PieceSink | undefined
  /** Number of the next call of this dispatch. */
  readonly nextCall: () => number
  readonly nowMs: () => number
}

class GivenUpCall extends Error {
  override readonly name = 'GivenUpCall'
}

const retryAfterOf = ({ detail: { retryAfterMs } }: Fault): { retryAfterMs?: number } =>
  typeof retryAfterMs === 'number' ? { retryAfterMs } : {}

type Settled = { readonly outcome: string; readonly told: Outcome; readonly answer?: Answer }

const settledBy = (error: unknown, latencyMs: number, ended: boolean): Settled => {
  if (error instanceof GivenUpCall) return { outcome: 'cancelled', told: { kind: 'given_up', latencyMs } }
  if (ended) return { outcome: 'cancelled', told: { kind: 'ended' } }
  const fault = toFault(error)
  return { outcome: fault.code, told: { kind: 'failed', code: fault.code, latencyMs, ...retryAfterOf(fault) } }
}

/** Calls that the provider may have worked on without an answer for us. */
const WORKED: ReadonlySet<string> = new Set(['cancelled', 'model.timed_out', 'model.stalled'])

const usageOf = (outcome: string, model: Model, need: Need, times: { passedMs: number; wholeMs: number }): Usage =>
  WORKED.has(outcome) ? lostCost(model, need, times) : FREE
const tokensOf = ({ inputTokens = 0, outputTokens = 0 }: Usage): number => inputTokens + outputTokens

/** Starts one call. */
const start = (
  given: OneCall,
  gate: Gate,
  { model, admitted, isSecond }: { model: Model; admitted: Admitted; isSecond: boolean },
): Racer => {
  const { question, need, timeMs, bill, signal, stream, nowMs } = given
  const { conditions, metrics } = gate
  const number = given.nextCall()
  const startedAtMs = nowMs()
  const started = performance.now()
  let began = false
  const settle = ({ outcome, told, answer }: Settled): void => {
    const latencyMs = performance.now() - started
    const wholeMs = conditions.latencies(model).percentiles?.p50 ?? timeMs
    const usage = answer?.usage ?? usageOf(outcome, model, need, { passedMs: latencyMs, wholeMs })
    admitted.leave.end(told) // O1
    admitted.ticket.done(tokensOf(usage))
    bill.add(
      {
        model: model.name,
        startedAtMs,
        latencyMs: Math.round(latencyMs * 1_000) / 1_000,
        outcome,
        costMicroUsd: 0,
        ...(isSecond ? { hedge: true } : {}),
      },
      usage,
    )
    metrics.observe('baton_model_call_seconds', latencyMs, { model: model.name, outcome })
    if (usage.costMicroUsd > 0) metrics.count('baton_model_cost_micro_usd_total', { model: model.name }, usage.costMicroUsd)
    if (outcome !== 'answered' && began) stream?.end(number, 'broken')
  }
  const heard = (text: string): void => {
    began = true
    stream?.piece(number, text)
  }
  const limits = model.about?.limits
  const call = callModel({
    model,
    question,
    times: { totalMs: timeMs, firstMs: limits?.firstTokenMs, idleMs: limits?.idleMs },
    signal,
    ...(stream === undefined ? {} : { onPiece: heard }),
  })
  const answer = call.answer.then(
    (given) => {
      settle({ outcome: 'answered', told: { kind: 'answered', latencyMs: performance.now() - started }, answer: given })
      if (began) stream?.end(number, 'done')
      return given
    },
    (error: unknown) => {
      settle(settledBy(error, performance.now() - started, signal.aborted))
      throw error
    },
  )
  return { answer, began: () => began, giveUp: () => call.giveUp(new GivenUpCall('another call was faster')) }
}

/** Asks, and asks again beside it where the first is slow. */
export const askOne = async (given: OneCall, gate: Gate): Promise<{ readonly answer: Answer; readonly model: Model }> => {
  const { model, admitted, hedge, need, reservation, bill, signal } = given
  const { conditions, metrics } = gate
  const first = start(given, gate, { model, admitted, isSecond: false })
  const afterMs = hedge === undefined ? undefined : hedgeDelayMs(hedge.asked, conditions.latencies(model).percentiles, hedge.wanted)
  if (afterMs === undefined) return { answer: await first.answer, model }
  const other = given.second ?? model
  const second = async (): Promise<Racer | undefined> => {
    if (conditions.ails(other) || !conditions.hedges(model).take()) return undefined
    const boundMicroUsd = bill.usage.costMicroUsd + mostOf(model, need)
    const taken = await admit(gate, { model: other, need, reservation, boundMicroUsd, signal }).catch(() => undefined)
    if (taken === undefined || 'waitMs' in taken) return undefined
    return start(given, gate, { model: other, admitted: taken, isSecond: true })
  }
  const { answer, hedged, won } = await race(first, { afterMs, second })
  if (hedged) metrics.count('baton_model_hedges_total', { model: model.name, won })
  return { answer, model: won === 'second' ? other : model }
}
