// Whether the answer of a cheap model counts, or a stronger one is asked (B4). The rule is that of libs/policy/src/cascade.
//   X1. A judge that is asked for and not there is no reason to accept: the stronger model answers then.
//   X2. The threshold is the route's, else the one that the judge was tuned to.
import { decideCascade } from '@baton/policy/cascade'
import type { AcceptSpec } from '@baton/policy/routing'
import type { AnswerJudge } from './learned-routes.ts'
import type { Acceptance, Judged } from './route-plan.ts'

/** The probability from which an answer counts, where neither route nor judge names one. */
const PROBABILITY_MIN = 0.8

type By = { readonly spec: AcceptSpec; readonly question: string; readonly judge?: AnswerJudge }

/** Judges one answer. Its schema was checked before it came here. */
export const acceptanceOf = (answer: Judged, { spec, question, judge }: By): Acceptance => {
  const judged = judge?.({ text: question, ...answer })
  const wanted = spec.probabilityMin ?? judged?.threshold ?? PROBABILITY_MIN // X2
  const { status, reason, probability } = decideCascade(
    {
      repaired: spec.repaired ?? false,
      ...(spec.confidenceMin === undefined ? {} : { confidenceMin: spec.confidenceMin }),
      ...(spec.judge === undefined ? {} : { probabilityMin: wanted }), // X1: without a judge there is no probability
    },
    {
      problems: [],
      repaired: answer.repaired,
      last: false,
      ...(answer.confidence === undefined ? {} : { confidence: answer.confidence }),
      ...(judged === undefined ? {} : { probability: judged.probability }),
    },
  )
  return { ok: status === 'accept', why: reason, ...(probability === undefined ? {} : { probability }) }
}
