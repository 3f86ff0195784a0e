// Whether a call may go out now: breakers, limits of model and server, money. All or nothing.
//   E1. A call goes out only with all three; what was taken is given back when one is missing.
//   E2. What is missing by itself comes back by itself: the call is told how long to wait. Money does not.
import { highestCost, type Need } from '@baton/policy/routing'
import type { Metrics } from '@baton/telemetry'
import type { Reservation } from '../budget/budget-book.ts'
import type { Limiter, Ticket } from '../limits/limiter.ts'
import { type Claim, claimOf } from '../limits/limits-config.ts'
import type { Model, ModelLimits } from '../model.ts'
import { type Conditions, type Leave, serverKey } from './conditions.ts'

export type Admitted = { readonly leave: Leave; readonly ticket: Ticket }
export type Blocked = { readonly waitMs: number; readonly why: 'breaker' | 'limit' }

/** A half-open breaker lets the next one through about then. */
const TRICKLE_MS = 150
const NO_TICKET: Ticket = { done: () => undefined }

const isLimited = ({ requestsPerMinute, tokensPerMinute, concurrency }: ModelLimits): boolean =>
  requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrency !== undefined
const claim = (key: string, limits: ModelLimits): readonly Claim[] => (isLimited(limits) ? [claimOf(key, limits)] : [])

const claimsOf = (model: Model): readonly Claim[] =>
  model.about === undefined
    ? []
    : [...claim(`model:${model.name}`, model.about.limits), ...claim(serverKey(model), model.about.serverLimits)]

/** Tokens that a call is taken to use, for limits. */
const tokensOf = ({ about }: Model, need: Need): number => need.inputTokens + (need.outputTokens ?? (about?.outputTokensMax ?? 0) / 2)

export type Gate = { readonly conditions: Conditions; readonly limiter: Limiter; readonly metrics: Metrics }
export type Wish = {
  readonly model: Model
  readonly need: Need
  readonly reservation: Reservation
  /** What the dispatch has cost so far, and what its other calls under way may still cost. */
  readonly boundMicroUsd: number
  readonly signal: AbortSignal
}

/** The most that a call can cost. */
export const mostOf = ({ about }: Model, need: Need): number => (about === undefined ? 0 : (highestCost(about, need) ?? 0))

/** Asks for it. Throws `budget.exceeded`. */
export const admit = async ({ conditions, limiter, metrics }: Gate, wish: Wish): Promise<Admitted | Blocked> => {
  const { model, need, reservation, boundMicroUsd, signal } = wish
  const leave = conditions.admit(model)
  if (leave === undefined) return { waitMs: Math.max(TRICKLE_MS, conditions.restsMs(model)), why: 'breaker' }
  let ticket: Ticket = NO_TICKET
  try {
    const claims = claimsOf(model)
    if (claims.length > 0) {
      const taken = await limiter.acquire(claims, tokensOf(model, need))
      if ('waitMs' in taken) {
        leave.end({ kind: 'ended' }) // E1
        conditions.limited(model, taken.waitMs)
        metrics.count('baton_model_limited_total', { of: taken.key.split(':', 1)[0] ?? '' })
        return { waitMs: taken.waitMs, why: 'limit' }
      }
      ticket = taken
    }
    const most = mostOf(model, need)
    if (most > 0) await reservation.cover(boundMicroUsd + most, signal)
    return { leave, ticket }
  } catch (error) {
    leave.end({ kind: 'ended' }) // E1
    ticket.done(0)
    throw error
  }
}
