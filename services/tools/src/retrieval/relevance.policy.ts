// How relevant a passage is, from 0 to 1: a number that a gate may ask for.
//   S1. It rises with each of its reasons and with nothing else: the share of the request's words that the passage covers, and the
//       likeness of their meaning. The order of the results has no part in it, so it means the same for every request.
//   S2. Without vectors it is the share of words itself.
// Fitted by logistic regression (scripts/bench-tools/retrieval.mjs prints how well it holds on rows that were not used).

/** Why a passage was found. */
export type Reasons = { readonly share: number; readonly cosine: number | undefined }

const WEIGHTS = { bias: -6.2, share: 3.4, cosine: 9.1 } as const

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4

/** The relevance of a passage. */
export const relevanceOf = ({ share, cosine }: Reasons): number => {
  if (cosine === undefined) return rounded(Math.min(1, share)) // S2
  const z = WEIGHTS.bias + WEIGHTS.share * share + WEIGHTS.cosine * Math.max(0, cosine) // S1
  return rounded(1 / (1 + Math.exp(-z)))
}
