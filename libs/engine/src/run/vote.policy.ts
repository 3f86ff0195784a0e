// Who has won a vote (A5).
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
  const weightOf = (voter: number): number => (rule === 'weighted' ? (weights[voter] ?? 1) : 1)
  const out = sumOf(ballots.map((ballot, voter) => (ballot === null ? weightOf(voter) : 0)))
  const { ranked, given } = rank(ballots, weightOf)
  const [first, second] = ranked
  if (first === undefined) return { is: out > 0 ? 'open' : 'nobody' }
  // Votes that are still out might all go to the second, or to somebody nobody has named.
  const won = rule === 'majority' ? first.sum * 2 > given + out : first.sum > (second?.sum ?? 0) + out
  if (out > 0 && !(early && won)) return { is: 'open' } // V2
  return won ? { is: 'won', voter: first.voter } : { is: 'tie' } // V1
}

type Sum = { readonly voter: number; sum: number }

/** What was said, with the most weight first; equal ones in the order of the voters. */
const rank = (
  ballots: readonly Ballot[],
  weightOf: (voter: number) => number,
): { readonly ranked: readonly Sum[]; readonly given: number } => {
  const sums = new Map<string, Sum>()
  let given = 0
  for (const [voter, ballot] of ballots.entries()) {
    if (ballot === null || ballot === 'failed') continue // V3
    const weight = weightOf(voter)
    given += weight
    const known = sums.get(ballot.said)
    if (known === undefined) sums.set(ballot.said, { voter, sum: weight })
    else known.sum += weight
  }
  return { ranked: [...sums.values()].sort((a, b) => b.sum - a.sum || a.voter - b.voter), given }
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0)
