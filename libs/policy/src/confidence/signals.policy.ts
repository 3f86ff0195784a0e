// What says how sure an answer is, each as one number between 0 and 1.
//   F1. A number outside 0..1, or none at all, is `confidence.invalid`: a model that says so is wrong about more than its confidence.
//   F2. Signals never raise each other beyond what outcomes have shown: without a fit they are averaged in log-odds, nothing more.
import { Fault } from '@baton/contracts/fault'
import { canonicalJson, type Json } from '@baton/contracts/json'

/** Where a signal comes from. */
export const SIGNALS = ['self', 'tokens', 'agreement', 'validators', 'classifier', 'mended'] as const
export type SignalName = (typeof SIGNALS)[number]

/** What is known of one answer; what is not known is absent. */
export type Evidence = {
  /** What the model says of itself. */
  readonly self?: number
  /** Log-probabilities of the tokens of the answer. */
  readonly tokenLogProbs?: readonly number[]
  /** Answers to the same question; the one that is looked at is the one most of them give. */
  readonly samples?: readonly Json[]
  /** Checks that the answer passed, of all that looked. */
  readonly validators?: { readonly passed: number; readonly of: number }
  /** Probability that a classifier gives the answer. */
  readonly classifier?: number
  /** The text had to be mended before it could be read. */
  readonly mended?: boolean
}

export type Signals = { readonly [name in SignalName]?: number }

const invalid = (what: string, value: number): Fault =>
  new Fault('confidence.invalid', `The ${what} is not between 0 and 1.`, {
    problem: `${what} must be between 0 and 1`,
    value: Number.isFinite(value) ? value : String(value),
  })

/** The number, if it is a confidence. Throws `confidence.invalid` (F1). */
export const asConfidence = (what: string, value: number): number => {
  if (!(value >= 0 && value <= 1)) throw invalid(what, value)
  return value
}

/** Mean probability of a token, geometric: a long answer is not less sure for its length. 0 for no token. Throws `confidence.invalid`. */
export const tokenConfidence = (logProbs: readonly number[]): number => {
  const sum = logProbs.reduce((total, one) => total + one, 0)
  if (Number.isNaN(sum) || logProbs.some((one) => one > 1e-6)) throw invalid('log-probability of a token', sum)
  return logProbs.length === 0 ? 0 : Math.exp(Math.min(0, sum / logProbs.length))
}

/** The answer most samples give and the share of those that give it; a share is smoothed, for three of three is no certainty. */
export const agreementOf = (samples: readonly Json[]): { readonly answer: Json; readonly share: number } => {
  const counts = new Map<string, { answer: Json; count: number }>()
  for (const answer of samples) {
    const key = canonicalJson(answer)
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { answer, count: 1 })
    else known.count += 1
  }
  const [first = { answer: null, count: 0 }] = [...counts.values()].toSorted((left, right) => right.count - left.count)
  return { answer: first.answer, share: first.count / (samples.length + 1) }
}

/** The signals in the evidence (F1). */
export const signalsOf = ({ self, tokenLogProbs, samples, validators, classifier, mended }: Evidence): Signals => ({
  ...(self === undefined ? {} : { self: asConfidence('confidence', self) }),
  ...(tokenLogProbs === undefined ? {} : { tokens: tokenConfidence(tokenLogProbs) }),
  ...(samples === undefined ? {} : { agreement: agreementOf(samples).share }),
  ...(validators === undefined ? {} : { validators: asConfidence('share of validators', (validators.passed + 0.5) / (validators.of + 1)) }),
  ...(classifier === undefined ? {} : { classifier: asConfidence('probability of the classifier', classifier) }),
  ...(mended === undefined ? {} : { mended: mended ? 0 : 1 }),
})
