// The signature under an approval of something that cannot be taken back, or that a queue of money or law decides: who, when, what and why.
import { canonicalJson } from '@baton/contracts'
import type { Decision, Review } from '../review.ts'

/** What is signed, as text whose hash continues the chain; undefined where no signature is kept. */
export const signatureOf = (review: Review, { by, verdict, reason, atMs, unreviewed }: Decision): string | undefined => {
  const { terms, tenant, taskId, runId, path, fingerprint, votes, queue } = review
  if (unreviewed === true || (terms.risk !== 'irreversible' && terms.sign !== true)) return undefined
  const people =
    votes.length > 0
      ? votes.map((vote) => ({ by: vote.by, verdict: vote.verdict, roles: vote.roles, atMs: vote.atMs }))
      : [{ by, verdict, atMs }]
  return canonicalJson({ tenant, taskId, runId, path, queue, fingerprint, verdict, reason, atMs, people })
}
