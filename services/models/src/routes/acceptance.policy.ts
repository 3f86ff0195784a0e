// Whether the answer of a cheap model counts, or a stronger one is asked.
//   X1. Everything that is asked for has to hold: the confidence the answer gives of itself, and what was learned of such answers.
//   X2. What is asked for and cannot be said is not accepted: no confidence, no artefact. The stronger model answers then.
import type { AcceptSpec } from '@baton/policy/routing'
import type { AnswerJudge } from './learned-routes.ts'
import type { Acceptance, Judged } from './route-plan.ts'

/** A mended answer is a guess in part, unless the route says otherwise. */
const REPAIRED_COUNTS = false

/** The probability from which an answer counts, where neither route nor artefact names one. */
const PROBABILITY_MIN = 0.8

type By = { readonly spec: AcceptSpec; readonly question: string; readonly judge?: AnswerJudge }

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`

/** What speaks against an answer by what it says of itself. */
const ownProblem = ({ confidence, repaired }: Judged, spec: AcceptSpec): string | undefined => {
  if (repaired && !(spec.repaired ?? REPAIRED_COUNTS)) return 'the answer had to be mended'
  if (spec.confidenceMin === undefined) return undefined
  if (confidence === undefined) return 'it gives no confidence' // X2
  return confidence < spec.confidenceMin ? `its confidence is ${confidence}, and ${spec.confidenceMin} is wanted` : undefined
}

/** Judges one answer. */
export const acceptanceOf = (answer: Judged, { spec, question, judge }: By): Acceptance => {
  const problem = ownProblem(answer, spec)
  if (problem !== undefined) return { ok: false, why: problem }
  if (spec.judge === undefined) return { ok: true, why: 'what it says of itself is enough' }
  if (judge === undefined) return { ok: false, why: `there is no artefact ${spec.judge} to judge it with` } // X2
  const { probability, threshold } = judge({ text: question, ...answer })
  const wanted = spec.probabilityMin ?? threshold ?? PROBABILITY_MIN
  return { ok: probability >= wanted, probability, why: `right with ${percent(probability)}, and ${percent(wanted)} is wanted` } // X1
}
