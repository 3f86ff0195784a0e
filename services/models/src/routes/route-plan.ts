// What was chosen for one dispatch, and why: made by `catalogue.plan`, walked by the attempts.
//
// For whoever walks it:
//   W1. `steps` are asked in order. `primary` first; a `fallback` when those before it failed; a `cascade` is asked like a primary, and its
//       answer counts only where `accept` says so, else the next step is asked (its call is paid all the same). The last step that is
//       neither shadow nor hedge has no `accept`: its answer always counts; but where the cascade names a person, who is asked then.
//   W2. A `shadow` is asked beside the others with the same question; nobody waits for it, its answer is thrown away and its outcome is
//       reported as a call. It may not be asked where the budget is short.
//   W3. A `hedge` may be started beside a primary that is slow. Plans hold none of themselves today: the first `fallback` that is not local
//       may be taken for one, or the same model.
//   W4. `candidates` go into `model.routed` as they are, with `route` and `policy`; the walker adds `chosen` and `calls`.
// Facts of this moment (breakers, percentiles, load, money left) come in as `LiveFacts` (libs/policy/src/routing/facts.ts), which the
// walker implements; `UNSEEN` is what is said of a model that was never asked.
// Faults of planning: `model.unknown`, `model.none_configured`, `model.none_allowed` (with the reasons in `detail`), `price.unknown`.
// When all that is wrong is passing (breaker open, limits used up, resting), `model.unavailable` with `detail.retryAfterMs`; where the money is short `budget.exceeded`.
// What limits, breakers, prices and reservations need to know of a model is in `model.about` (model.ts).
import type { Calibrator } from '@baton/policy/calibration'
import type { ActivationNeed } from '@baton/policy/activation'
import type { Considered, LiveFacts, Need } from '@baton/policy/routing'
import type { Json, JsonSchema } from '@baton/contracts/json'
import type { Model } from '../model.ts'

type StepRole = 'primary' | 'fallback' | 'cascade' | 'shadow' | 'hedge'

/** An answer as a cascade judges it. */
export type Judged = {
  /** The output as it was read. */
  readonly value: Json
  readonly confidence?: number
  readonly repaired: boolean
}

/** Whether a cheap answer is good enough; `probability` that it is right, where something was learned of it. */
export type Acceptance = { readonly ok: boolean; readonly probability?: number; readonly why: string }

export type PlanStep = {
  readonly model: Model
  readonly role: StepRole
  /** 0, but in a cascade: steps of one stage stand in for each other when they fail; an answer that is not accepted leads to the next stage. */
  readonly stage: number
  readonly accept?: (answer: Judged) => Acceptance
  /** Who is asked when no answer of the cascade counts. */
  readonly person?: ActivationNeed
}

export type RoutePlan = {
  /** The name that the step gave: of a route, or of a model. */
  readonly route: string
  /** How it chose, from the outside in: `canary > learned`. */
  readonly policy: string
  readonly steps: readonly PlanStep[]
  readonly candidates: readonly Considered[]
  /** The calibration of the confidence this model answers with here: of a route the step names, else of the model; undefined: none was fitted. */
  readonly calibratorOf?: (model: string) => Calibrator | undefined
}

/** What is to be answered, as far as a choice depends on it. */
export type PlanRequest = {
  /** Routes and models that the step names, in order. */
  readonly names: readonly string[]
  readonly need: Need
  /** What a learned route and a cascade read: the question in words. */
  readonly text: string
  /** What the answer has to fit; a cascade may look at it. */
  readonly schema?: JsonSchema
  /** What conditions and sticky keys see. */
  readonly about: RequestAbout
}

export type RequestAbout = {
  readonly tenant: string
  readonly flow: string
  readonly step: string
  readonly runId: string
  readonly session?: string
  readonly user?: string
  readonly priority?: string
  readonly input?: Json
}

/** Chooses. Throws the faults named above. */
export type PlanRoute = (request: PlanRequest, live: LiveFacts) => RoutePlan
