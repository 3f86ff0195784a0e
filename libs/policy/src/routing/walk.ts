// What a walk over a route carries along: who was considered, who is out and why.
import type { Considered, LiveFacts, ModelFacts, Need } from './facts.ts'
import { type Loss, lossOf } from './filter.policy.ts'
import type { Scored } from './score.policy.ts'
import type { ActivationNeed } from '../activation/index.ts'
import type { AcceptSpec, RouteTree, StickyBy } from './tree.ts'

export type StepRole = 'primary' | 'fallback' | 'cascade' | 'shadow'

/** One model of a choice, in the order in which they are asked. */
export type ChosenStep = {
  readonly model: string
  readonly role: StepRole
  /** Of a cascade, from 0: after an answer that was not accepted the next stage is asked, not the rest of this one. */
  readonly stage: number
  readonly accept?: AcceptSpec
  /** Who is asked when no answer of its cascade is accepted. */
  readonly person?: ActivationNeed
}

/** What a route asks of the world outside it. */
export type Choosers = {
  readonly routeOf: (name: string) => RouteTree | undefined
  readonly factsOf: (name: string) => ModelFacts | undefined
  /** In the catalogue, but not usable here: its provider is not configured, or its file is not there. */
  readonly isAbsent: (name: string) => boolean
  readonly holds: (condition: string) => boolean
  /** Probability that each model answers this question rightly; undefined: there is no such router. */
  readonly predict: (router: string) => Readonly<Record<string, number>> | undefined
  readonly keyOf: (by: StickyBy) => string
}

export type NoModel = Loss | { readonly kind: 'unknown' | 'absent'; readonly why: string }

export type Walk = {
  readonly choosers: Choosers
  readonly need: Need
  readonly live: LiveFacts
  /** Routes that are being followed: a route may have the name of its first model. */
  readonly seen: ReadonlySet<string>
  readonly policies: string[]
  readonly considered: Map<string, Considered>
  readonly losses: Map<string, NoModel>
}

const noteLoss = (walk: Walk, model: string, loss: NoModel): undefined => {
  walk.losses.set(model, loss)
  walk.considered.set(model, { model, lost: loss.why })
  return undefined
}

/** The model, if it may be asked; why not is noted. */
export const consider = (walk: Walk, model: string): ModelFacts | undefined => {
  const facts = walk.choosers.factsOf(model)
  if (facts === undefined) {
    return walk.choosers.isAbsent(model)
      ? noteLoss(walk, model, { kind: 'absent', why: 'its provider is not configured here' })
      : noteLoss(walk, model, { kind: 'unknown', why: 'there is no model or route of this name' })
  }
  const loss = lossOf(facts, walk.need, walk.live)
  if (loss !== undefined) return noteLoss(walk, model, loss)
  if (!walk.considered.has(model)) walk.considered.set(model, { model })
  return facts
}

/** Names that a choice left aside without asking whether they can. */
export const leaveAside = (walk: Walk, models: readonly string[], why: string): void => {
  for (const model of models) if (!walk.considered.has(model)) walk.considered.set(model, { model, lost: why })
}

export const noteScores = (walk: Walk, scored: readonly Scored[]): void => {
  for (const { facts, score, parts } of scored) walk.considered.set(facts.name, { model: facts.name, score, parts })
}

/** Why a model that could have answered does not come first. */
export const noteLost = (walk: Walk, model: string, lost: string): void => {
  walk.considered.set(model, { ...walk.considered.get(model), model, lost })
}
