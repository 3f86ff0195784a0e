// Whether the answer of a cheap model counts, a stronger one is asked, or a person is.
//   D1. What validators refuse is never accepted, however sure anybody is of it.
//   D2. A confidence or probability that is no number between 0 and 1 counts as none; where one is asked for and there is none, the answer
//       is not accepted.
//   D3. With nobody stronger left, an answer that is not good enough goes to a person, where the rule knows one; else a valid answer counts.
//   D4. Where even the stronger model is not believed to help, a person is asked at once, if the rule says from where on.
//   D5. The same rule and facts give the same decision, and it says why.

/** When an answer counts. Every part that is set has to hold. */
export type CascadeRule = {
  /** Least probability to be right, as a judge says. */
  readonly probabilityMin?: number
  /** Least confidence that the answer gives of itself. */
  readonly confidenceMin?: number
  /** Whether an answer that had to be mended may count; it may, if nothing is said. */
  readonly repaired?: boolean
  /** Below this probability even of the stronger model (what the judge says plus what asking would gain) a person is asked at once (D4). */
  readonly personBelow?: number
  /** Whether a person may be asked when nobody stronger is left (D3). */
  readonly person?: boolean
}

/** An answer as it stands. */
export type CascadeFacts = {
  /** What validators found: schema, checks, guards. None: it is valid. */
  readonly problems: readonly string[]
  readonly repaired: boolean
  readonly confidence?: number
  readonly probability?: number
  readonly gain?: number
  /** Nobody stronger is left to ask. */
  readonly last: boolean
}

export type CascadeDecision = { readonly status: 'accept' | 'escalate' | 'person'; readonly reason: string; readonly probability?: number }

const share = (value: number | undefined): number | undefined => (value !== undefined && value >= 0 && value <= 1 ? value : undefined) // D2
const percent = (value: number): string => `${Math.round(value * 100)} %`

/** Why an answer is not good enough; `undefined`: it is. */
const objection = (rule: CascadeRule, facts: CascadeFacts): string | undefined => {
  const [first] = facts.problems
  if (first !== undefined) return `it does not hold: ${first}` // D1
  if (facts.repaired && rule.repaired === false) return 'it had to be mended'
  const [confidence, probability] = [share(facts.confidence), share(facts.probability)]
  if (rule.confidenceMin !== undefined) {
    if (confidence === undefined) return 'it gives no confidence'
    if (confidence < rule.confidenceMin) return `its confidence of ${percent(confidence)} is below ${percent(rule.confidenceMin)}`
  }
  if (rule.probabilityMin !== undefined) {
    if (probability === undefined) return 'no judge says how probable it is'
    if (probability < rule.probabilityMin) return `it is right with ${percent(probability)}, and ${percent(rule.probabilityMin)} are wanted`
  }
  return undefined
}

const isHopeless = ({ personBelow }: CascadeRule, facts: CascadeFacts): boolean => {
  const probability = share(facts.probability)
  if (personBelow === undefined || probability === undefined || facts.gain === undefined || Number.isNaN(facts.gain)) return false
  return probability + Math.max(0, facts.gain) < personBelow
}

/** Decides on one answer (D1–D5). */
export const decideCascade = (rule: CascadeRule, facts: CascadeFacts): CascadeDecision => {
  const probability = share(facts.probability)
  const say = (status: CascadeDecision['status'], reason: string): CascadeDecision => ({
    status,
    reason,
    ...(probability === undefined ? {} : { probability }),
  })
  const against = objection(rule, facts)
  if (against === undefined) return say('accept', 'it is valid, and sure enough')
  if (!facts.last) {
    return isHopeless(rule, facts)
      ? say('person', `${against}; a stronger model is not believed to do better`) // D4
      : say('escalate', against)
  }
  if (rule.person === true || facts.problems.length > 0) return say('person', `${against}; nobody stronger is left`) // D3, D1
  return say('accept', `${against}; but nobody stronger is left`)
}
