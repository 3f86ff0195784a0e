// Who may act on a review, and when several people have agreed.
//   Q1. Who asked for it does not decide it.
//   Q2. A role of the rung and every skill are needed; an assigned review is for its assignee, or whom they delegated it to, until then.
//   Q3. A person counts once. With distinct roles each approval stands for a role that no other stands for.
import type { FaultData } from '@baton/contracts/fault'
import type { Person, Quorum, Review, ReviewTerms, Vote } from './review.ts'

const ONE: Quorum = { n: 1, of: 1, distinctRoles: false }

export const quorumOf = ({ quorum = ONE }: ReviewTerms): Quorum => quorum

/** Roles that may act where the review stands now. */
export const rolesOf = ({ terms, rung }: Review): readonly string[] =>
  (rung === 0 ? terms.roles : (terms.chain?.[rung - 1]?.roles ?? terms.roles)) ?? []

const notAllowed = (message: string, detail: FaultData['detail'] = {}): FaultData => ({ code: 'review.not_allowed', message, detail })

/** Whom the review is for alone; null when it is for everybody. */
const ownerOf = ({ assignee, delegation }: Review, atMs: number): string | null =>
  delegation !== null && delegation.untilMs > atMs ? delegation.to : assignee

const lacking = (review: Review, { roles = [], skills = [] }: Person): FaultData | undefined => {
  const needed = rolesOf(review)
  if (needed.length > 0 && !needed.some((role) => roles.includes(role)))
    return notAllowed(`one of these roles is needed: ${needed.join(', ')}`, { roles: needed.join(', ') }) // Q2
  const missing = (review.terms.skills ?? []).filter((skill) => !skills.includes(skill))
  return missing.length === 0 ? undefined : notAllowed(`these skills are needed: ${missing.join(', ')}`, { skills: missing.join(', ') })
}

/** Why this person may not act on the review; undefined when they may. */
export const barred = (review: Review, person: Person, atMs: number): FaultData | undefined => {
  if (person.by === review.terms.requester) return notAllowed('who asked for it does not decide it') // Q1
  const owner = ownerOf(review, atMs)
  if (owner !== null && owner !== person.by) return notAllowed(`it is for ${owner}`, { by: owner }) // Q2
  if (review.votes.some(({ by }) => by === person.by)) return notAllowed('you have decided already; others have to') // Q3
  return lacking(review, person)
}

/** Whether each of these can stand for a role of its own. */
const standApart = (lists: readonly (readonly string[])[], taken: readonly string[] = []): boolean => {
  const [first, ...rest] = lists
  return first === undefined || first.some((role) => !taken.includes(role) && standApart(rest, [...taken, role]))
}

/** A vote of a person. */
export const voteOf = (review: Review, person: Person, vote: Pick<Vote, 'verdict' | 'reason' | 'atMs'>): Vote => {
  const needed = rolesOf(review)
  const roles = (person.roles ?? []).filter((role) => needed.length === 0 || needed.includes(role))
  return { by: person.by, roles, ...vote }
}

/** Why this vote cannot count beside those before it. */
export const uncounted = (review: Review, vote: Vote): FaultData | undefined => {
  if (!quorumOf(review.terms).distinctRoles || vote.verdict === 'reject') return undefined
  const approvals = [...review.votes, vote].filter(({ verdict }) => verdict === 'approve')
  return standApart(approvals.map(({ roles }) => roles)) ? undefined : notAllowed('your roles have agreed already; another role has to') // Q3
}

/** What the votes come to; undefined while more are needed. */
export const outcomeOf = ({ terms }: Review, votes: readonly Vote[]): 'approve' | 'reject' | undefined => {
  const { n, of } = quorumOf(terms)
  const rejections = votes.filter(({ verdict }) => verdict === 'reject').length
  if (votes.length - rejections >= n) return 'approve'
  return rejections > of - n ? 'reject' : undefined
}
