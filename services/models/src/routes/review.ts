// The review of a route: recorded cases, today's models and prices, and a proposal.
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import { reviewRoute, type ReviewedRoute, type RouteReview, UNSEEN } from '@baton/policy/routing'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { needOf } from './plan-request.ts'
import { askCases, type AskCases, type ReviewCase } from './review-cases.ts'

export type ReviewRequest = Omit<AskCases, 'fields'> & {
  readonly route: string
  readonly cases: readonly ReviewCase[]
  readonly fields?: readonly string[]
  /** Further models to try; absent: those of the route. */
  readonly also?: readonly string[]
  readonly margin: number
  readonly seed: number
}

export type Reviewed = RouteReview & {
  readonly route: string
  readonly current: ReviewedRoute
  /** What the proposal looks like in `routes` of the catalogue. */
  readonly yaml?: Json
}

/** Both halves need enough cases that a difference can be told. */
const CASES_MIN = 20

/** The present route on one kind of question, as far as it can be replayed. */
const currentOf = (catalogue: Catalogue, { route, cases }: ReviewRequest): ReviewedRoute => {
  const [first] = cases
  const plan = catalogue.plan(
    {
      names: [route],
      text: first?.prompt ?? '',
      need: needOf({ prompt: first?.prompt ?? '', input: null }),
      about: { tenant: 'default', flow: '', step: '', runId: 'review' },
    },
    { nowMs: Date.now(), leftMs: Number.MAX_SAFE_INTEGER, conditionOf: () => UNSEEN, random: () => 0 },
  )
  const steps = plan.steps.filter(({ role }) => role !== 'shadow')
  return {
    name: `${route} (${plan.policy})`,
    steps: steps.map(({ model, accept }) => ({
      model: model.name,
      ...(accept === undefined ? {} : { confidenceMin: acceptedFrom(accept) }),
    })),
  }
}

const GRID = 100

/** The least confidence that is accepted; above 1 where none is. */
const acceptedFrom = (accept: NonNullable<ReturnType<Catalogue['plan']>['steps'][number]['accept']>): number => {
  for (let at = 0; at <= GRID; at++) if (accept({ value: null, confidence: at / GRID, repaired: false }).ok) return at / GRID
  return 2
}

/** A route as the catalogue writes it. */
const yamlOf = ({ steps }: ReviewedRoute): Json => {
  if (steps.every(({ confidenceMin }) => confidenceMin === undefined)) return steps.map(({ model }) => model)
  return {
    cascade: steps.map(({ model, confidenceMin }): Json =>
      confidenceMin === undefined ? model : { use: model, accept: { confidence: confidenceMin } },
    ),
  }
}

/** Reviews a route. Throws `input.invalid` for too few cases, `budget.exceeded` before it would cost too much. */
export const review = async (catalogue: Catalogue, request: ReviewRequest): Promise<Reviewed> => {
  const { route, cases, also = [], fields = [], margin, seed } = request
  if (cases.length < CASES_MIN)
    throw new Fault('input.invalid', `${cases.length} cases are too few to tell routes apart: at least ${CASES_MIN} are needed.`, {
      cases: cases.length,
    })
  const models = catalogue.resolve([route, ...also])
  const trials = await askCases(models, cases, { ...request, fields })
  const current = currentOf(catalogue, request)
  const reviewed = reviewRoute(trials, { current, margin, seed })
  return { ...reviewed, route, current, ...(reviewed.proposal === undefined ? {} : { yaml: yamlOf(reviewed.proposal.route) }) }
}
