// How far two who judge agree: a judge model with people, a judge with itself when the order is swapped.
//   Y1. Kappa counts agreement beyond what chance gives; where both always say one thing it is 1 when they agree, and nothing to be proud of.
//   Y2. Of two answers a judge prefers one only when it prefers it in both orders; else it is a tie.

export type Winner = 'a' | 'b' | 'tie'

/** The winner of a pairwise judgement asked in both orders; in `swapped` what was `a` stood second. */
export const settledPair = (straight: Winner, swapped: Winner): Winner => (straight === swapped ? straight : 'tie') // Y2

/** Two verdicts on the same thing. */
export type Pair = { readonly left: string; readonly right: string }

export type Agreement = {
  readonly rows: number
  /** Share of equal verdicts. */
  readonly agreed: number
  /** Cohen's kappa (Y1). */
  readonly kappa: number
}

/** Agreement of two who judged the same things. */
export const agreementBetween = (pairs: readonly Pair[]): Agreement => {
  const rows = pairs.length
  if (rows === 0) return { rows, agreed: 0, kappa: 0 }
  const agreed = pairs.filter(({ left, right }) => left === right).length / rows
  const shareOf = (side: 'left' | 'right', verdict: string): number => pairs.filter((pair) => pair[side] === verdict).length / rows
  const verdicts = new Set(pairs.flatMap(({ left, right }) => [left, right]))
  const chance = [...verdicts].reduce((sum, verdict) => sum + shareOf('left', verdict) * shareOf('right', verdict), 0)
  return { rows, agreed, kappa: chance === 1 ? 1 : (agreed - chance) / (1 - chance) }
}
