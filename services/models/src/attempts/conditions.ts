// How models and the servers behind them are doing, as this process has seen it and as others have told.
//   C1. A model and its server each have a breaker; a call needs both. What a key or a question is to blame for opens none.
//   C2. A call that succeeded is told when its answer is whole; one that was given up because another was faster counts its time, nothing else.
//   C3. A breaker that opens is told to the other replicas, and they leave the model alone as long; what they tell counts here (Cooldowns).
import type { FaultCode } from '@baton/contracts/fault'
import { type Admission, Breaker, type BreakerSpec, type BreakerState, HEDGE, HedgeBudget, Latencies } from '@baton/policy'
import type { Condition } from '@baton/policy/routing'
import type { Metrics } from '@baton/telemetry'
import type { Model } from '../model.ts'

/** Failures that say something about the health of a provider (C1). */
const UNHEALTHY: ReadonlySet<FaultCode> = new Set(['model.unavailable', 'model.overloaded', 'model.timed_out', 'model.stalled'])
/** A rest where the provider asked for one and did not say how long. */
const REST_MS = 500
const REST_MAX_MS = 120_000
const STATE: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 }

export type Outcome =
  | { readonly kind: 'answered'; readonly latencyMs: number }
  | { readonly kind: 'given_up'; readonly latencyMs: number }
  /** The dispatch was ended from outside: that says nothing. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly code: FaultCode; readonly retryAfterMs?: number; readonly latencyMs: number }

/** A call that may go out; told once how it ended. */
export type Leave = { readonly end: (outcome: Outcome) => void }

/** What others are told of. */
export type Told = { readonly key: string; readonly restMs: number; readonly code: string }

type One = {
  readonly breaker: Breaker
  readonly latencies: Latencies
  readonly hedges: HedgeBudget
  inFlight: number
  limitedUntilMs: number
}

/** A breaker as it can be looked at. */
export type BreakerView = { readonly name: string; readonly state: BreakerState; readonly restsMs: number; readonly inFlight: number }

export type ConditionsOptions = {
  readonly metrics: Metrics
  readonly clockMs: () => number
  readonly random: () => number
  readonly tell: (told: Told) => void
  readonly hedgeShare?: number
  readonly breaker?: BreakerSpec
}

const isServer = (key: string): boolean => key.startsWith('server:')

/** What a failure asks of this breaker: so long a rest, whatever was before. 0: it says nothing of it. */
const restOf = ({ code, retryAfterMs }: Outcome & { kind: 'failed' }, key: string): number | undefined => {
  if (code !== 'model.rate_limited' && (code !== 'model.overloaded' || retryAfterMs === undefined)) return undefined
  // A rate belongs to the model that was asked; the server answered, and may serve its others.
  return isServer(key) ? 0 : Math.min(REST_MAX_MS, retryAfterMs ?? REST_MS)
}

export const serverKey = (model: Model): string => `server:${model.about?.server ?? model.provider}`

export class Conditions {
  readonly #options: ConditionsOptions
  readonly #known = new Map<string, One>()
  /** The server of each model that was asked here. */
  readonly #servers = new Map<string, string>()

  constructor(options: ConditionsOptions) {
    this.#options = options
    // Breakers change with time alone: what is shown is read when somebody looks.
    options.metrics.beforeRender?.(() => {
      for (const key of this.#known.keys()) this.#show(key)
    })
  }

  /** Asks both breakers (C1). Undefined: not now. */
  admit(model: Model): Leave | undefined {
    const nowMs = this.#options.clockMs()
    if (model.local) return { end: () => undefined }
    const own = this.#of(model.name)
    const behind = serverKey(model)
    const server = this.#of(behind)
    this.#servers.set(model.name, behind)
    const ownAdmission = own.breaker.admit(nowMs)
    if (ownAdmission === 'wait') return undefined
    const serverAdmission = server.breaker.admit(nowMs)
    if (serverAdmission === 'wait') {
      own.breaker.released(ownAdmission)
      return undefined
    }
    own.inFlight += 1
    server.inFlight += 1
    own.hedges.called()
    let open = true
    const end = (outcome: Outcome): void => {
      if (!open) return
      open = false
      own.inFlight -= 1
      server.inFlight -= 1
      if (outcome.kind !== 'ended' && outcome.kind !== 'failed') own.latencies.add(outcome.latencyMs) // C2
      this.#end(model.name, own, { admission: ownAdmission, outcome })
      this.#end(behind, server, { admission: serverAdmission, outcome })
    }
    return { end }
  }

  /** When both breakers may let something through again, in milliseconds from now; 0: now. */
  restsMs(model: Model): number {
    const nowMs = this.#options.clockMs()
    const [own, server] = [this.#known.get(model.name), this.#known.get(serverKey(model))]
    return Math.max(0, (own?.breaker.openUntilMs ?? 0) - nowMs, (server?.breaker.openUntilMs ?? 0) - nowMs)
  }

  /** Whether one of its breakers is not closed: then a failure says nothing about this call. */
  ails(model: Model): boolean {
    const nowMs = this.#options.clockMs()
    return [model.name, serverKey(model)].some((key) => (this.#known.get(key)?.breaker.state(nowMs) ?? 'closed') !== 'closed')
  }

  /** For a choice of models, on its clock; undefined: nothing is known of it. */
  ofName(name: string, wallMs: number): Condition | undefined {
    const own = this.#known.get(name)
    if (own === undefined) return undefined
    const nowMs = this.#options.clockMs()
    const server = this.#known.get(this.#servers.get(name) ?? '')
    const states = [own, server].map((one) => one?.breaker.state(nowMs) ?? 'closed')
    const breaker = states.includes('open') ? 'open' : states.includes('half_open') ? 'half_open' : 'closed'
    const restsMs = Math.max(own.breaker.openUntilMs, server?.breaker.openUntilMs ?? 0) - nowMs
    const latency = own.latencies.percentiles
    return {
      breaker,
      inFlight: own.inFlight,
      ...(restsMs > 0 ? { restsUntilMs: wallMs + restsMs } : {}),
      ...(latency === undefined ? {} : { latency }),
      ...(own.limitedUntilMs > nowMs ? { limited: true } : {}),
    }
  }

  latencies(model: Model): Latencies {
    return this.#of(model.name).latencies
  }
  hedges(model: Model): HedgeBudget {
    return this.#of(model.name).hedges
  }

  /** A limit of the model holds calls back for so long. */
  limited(model: Model, waitMs: number): void {
    this.#of(model.name).limitedUntilMs = this.#options.clockMs() + waitMs
  }

  /** Another replica, or a person, wants this left alone (C3). `asked`: a rest that the provider asked for. */
  rest(key: string, restMs: number, asked = false): void {
    const nowMs = this.#options.clockMs()
    const { breaker } = this.#of(key)
    if (asked) breaker.pause(nowMs + restMs)
    else breaker.rest(nowMs + restMs, nowMs)
    this.#show(key)
  }

  /** Somebody says that it is well again: it is tried at once, one call first. False: nothing is known of it here. */
  retry(key: string): boolean {
    const known = this.#known.get(key)
    if (known === undefined) return false
    known.breaker.retry()
    known.limitedUntilMs = 0
    this.#show(key)
    return true
  }

  list(): readonly BreakerView[] {
    const nowMs = this.#options.clockMs()
    return [...this.#known].map(([name, { breaker, inFlight }]) => ({
      name,
      state: breaker.state(nowMs),
      restsMs: Math.max(0, Math.round(breaker.openUntilMs - nowMs)),
      inFlight,
    }))
  }

  #of(key: string): One {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const { hedgeShare: share = HEDGE.share } = this.#options
    const made = {
      breaker: new Breaker(this.#options.breaker),
      latencies: new Latencies(),
      hedges: new HedgeBudget({ ...HEDGE, share }),
      inFlight: 0,
      limitedUntilMs: 0,
    }
    this.#known.set(key, made)
    return made
  }

  #end(key: string, { breaker }: One, { admission, outcome }: { admission: Admission; outcome: Outcome }): void {
    const { clockMs, random } = this.#options
    const nowMs = clockMs()
    if (outcome.kind === 'given_up' || outcome.kind === 'ended') return breaker.released(admission)
    if (outcome.kind === 'answered') return breaker.succeeded(nowMs, admission)
    const { code } = outcome
    const restMs = restOf(outcome, key)
    if (restMs !== undefined) {
      breaker.released(admission)
      return this.#rest(key, breaker, { restMs, code })
    }
    // A key that is refused may be refused for one model only; what answers so is well.
    const fails = UNHEALTHY.has(code) || (code === 'model.unauthorized' && !isServer(key))
    if (!fails) return breaker.succeeded(nowMs, admission) // It answered, if only to refuse.
    if (breaker.failed(nowMs, admission, random())) this.#opened(key, breaker.openUntilMs - nowMs, code)
  }

  #rest(key: string, breaker: Breaker, { restMs, code }: { restMs: number; code: FaultCode }): void {
    const nowMs = this.#options.clockMs()
    if (nowMs + restMs <= breaker.openUntilMs) return
    breaker.pause(nowMs + restMs)
    this.#opened(key, restMs, code)
  }

  #opened(key: string, restMs: number, code: FaultCode): void {
    this.#options.metrics.count('baton_model_breaker_opened_total', { name: key, code })
    this.#show(key)
    this.#options.tell({ key, restMs, code }) // C3
  }

  #show(key: string): void {
    const state = this.#known.get(key)?.breaker.state(this.#options.clockMs()) ?? 'closed'
    this.#options.metrics.gauge('baton_model_breaker_state', STATE[state], { name: key })
  }
}
