// What a decision says about the work it was made on.
//   S1. A score is 1 where a person let it stand, 0 where they changed, replaced or rejected it. What silence decided is no score.
//   S2. What went on without a person and was looked at afterwards is marked, with the share of such work that is looked at.
import type { Decision, Review } from '../review.ts'

/** One row of what was learned. */
export type Score = {
  readonly tenant: string
  readonly taskId: string
  readonly runId: string
  readonly flow: string
  readonly path: string
  readonly nodeId: string
  readonly kind: Review['terms']['kind']
  readonly route: string
  readonly confidence: number | null
  readonly share: number
  readonly automatic: boolean
  readonly verdict: Decision['verdict']
  readonly score: number
  readonly by: string
  readonly tookMs: number
  readonly atMs: number
}

/** From when the person had it in hand: their claim, else when it was asked. */
const tookMs = ({ claimedAtMs, createdAtMs }: Review, atMs: number): number => Math.max(0, atMs - (claimedAtMs ?? createdAtMs))

/** The score of a decision; undefined where a person answered a question, and nothing was judged. */
export const scoreOf = (review: Review, { verdict, by, atMs, unreviewed }: Decision): Score | undefined => {
  const { tenant, taskId, runId, flow, path, terms } = review
  if (unreviewed === true || terms.kind === 'question') return undefined // S1
  const { confidence, route = '', share = 1 } = terms.measured ?? {}
  return {
    tenant,
    taskId,
    runId,
    flow,
    path,
    nodeId: terms.nodeId ?? path,
    kind: terms.kind,
    route,
    confidence: confidence ?? null,
    share: terms.sample === true ? share : 1, // S2
    automatic: terms.sample === true,
    verdict,
    score: verdict === 'approve' ? 1 : 0,
    by,
    tookMs: tookMs(review, atMs),
    atMs,
  }
}
