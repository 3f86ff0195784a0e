// Links that let one person decide one review once, without signing in: for e-mail and chat.
//   L1. A link names the review, the person and the verdicts it was made for; its signature binds them, its time is short. What a review
//       shows never changes: another attempt is another review.
//   L2. What cannot be taken back is never decided by a link, nor what several people have to agree on.
import { jwtVerify, SignJWT } from 'jose'
import { Fault, Verdict } from '@baton/contracts'
import { z } from 'zod'
import { quorumOf } from '../review-people.policy.ts'
import type { Review } from '../review.ts'

export const LINK_MS = 86_400_000
const AUDIENCE = 'baton-review'
const ALGORITHM = 'HS256'

const Claims = z.object({
  jti: z.string(),
  sub: z.string(),
  exp: z.number(),
  tenant: z.string(),
  task: z.string(),
  verdicts: z.array(Verdict),
})
export type Link = {
  readonly jti: string
  readonly person: string
  readonly tenant: string
  readonly taskId: string
  readonly verdicts: readonly Verdict[]
  readonly expiresAtMs: number
}

/** Why this review takes no link; undefined when it does. */
export const linkBar = ({ terms }: Review, { links }: { links: boolean }): string | undefined => {
  if (terms.risk === 'irreversible') return 'what cannot be taken back is not decided by a link' // L2
  if (terms.sign === true || !links) return 'this queue takes no links'
  return quorumOf(terms).of > 1 ? 'several people have to agree: each signs in' : undefined // L2
}

/** The text of a link. */
export const signLink = ({ jti, person, tenant, taskId, verdicts, expiresAtMs }: Link, secret: Uint8Array): Promise<string> =>
  new SignJWT({ tenant, task: taskId, verdicts: [...verdicts] })
    .setProtectedHeader({ alg: ALGORITHM })
    .setJti(jti)
    .setSubject(person)
    .setAudience(AUDIENCE)
    .setExpirationTime(Math.floor(expiresAtMs / 1_000))
    .sign(secret)

/** What a link says. Throws `request.not_found` for one that is not ours, was changed, or is too old (L1). */
export const readLink = async (token: string, { secret, nowMs }: { secret: Uint8Array; nowMs: number }): Promise<Link> => {
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: [ALGORITHM], audience: AUDIENCE, currentDate: dateOf(nowMs) })
    const { jti, sub, exp, tenant, task, verdicts } = Claims.parse(payload)
    return { jti, person: sub, tenant, taskId: task, verdicts, expiresAtMs: exp * 1_000 }
  } catch (error) {
    throw new Fault('request.not_found', 'this link is not valid, or not any more', {}, { cause: error })
  }
}

const dateOf = (atMs: number): Date => new Date(atMs)
