// Who has won a vote (A4).
//   V1. `majority`: what more than half of those who voted said. `weighted`: what has the most weight behind it. Equal is a tie.
//   V2. Early: decided as soon as no vote that is still out can change it.
//   V3. Who failed to vote has no vote.

/** A vote that was given: what was said, as canonical text, and its weight. Null: not given yet. `failed`: never will be. */
export type Ballot = { readonly said: string; readonly weight: number } | 'failed' | null

export type Count =
  | { readonly is: 'open' }
  | { readonly is: 'won'; readonly voter: number }
  | { readonly is: 'tie' }
  | { readonly is: 'nobody' }

type Rule = { readonly rule: 'majority' | 'weighted'; readonly early: boolean; readonly weights: readonly number[] }

/** The state of a vote; `voter` is the first who said what won. */
export const countVotes = (ballots: readonly Ballot[], { rule, early, weights }: Rule): Count => {
  const sums = new Map<string, { readonly voter: number; sum: number }>()
  let out = 0
  let given = 0
  for (const [voter, ballot] of ballots.entries()) {
    const weight = rule === 'weighted' ? (weights[voter] ?? 1) : 1
    if (ballot === null) out += weight
    if (ballot === null || ballot === 'failed') continue // V3
    given += weight
    const known = sums.get(ballot.said)
    if (known === undefined) sums.set(ballot.said, { voter, sum: weight })
    else known.sum += weight
  }
  const [first, second] = [...sums.values()].sort((a, b) => b.sum - a.sum || a.voter - b.voter)
  if (out > 0) {
    const safe = first !== undefined && (rule === 'majority' ? first.sum * 2 > given + out : first.sum > (second?.sum ?? 0) + out)
    return early && safe ? { is: 'won', voter: first.voter } : { is: 'open' } // V2
  }
  if (first === undefined) return { is: 'nobody' }
  const won = rule === 'majority' ? first.sum * 2 > given : first.sum > (second?.sum ?? 0) // V1
  return won ? { is: 'won', voter: first.voter } : { is: 'tie' }
}
