// The learned router: from a question to the probability that each model answers it rightly.
//   L1. It is deterministic: the same table gives the same router, the same question the same probabilities.
//   L2. It knows nothing but the question; what it was not trained on it must not be trusted with (routing does not transfer).
import { HAND_CHARS_MAX, promptHand } from './prompt-hand.policy.ts'
import { fitTextModel, type TextInput, type TextModel, type TextModelOptions, textProbabilities } from './text-model.policy.ts'

/** A question and which models answered it rightly; a model that is not named was not asked. */
export type RouterRow = { readonly prompt: string; readonly ok: Readonly<Record<string, boolean>> }

/** A trained router. Its heads are named as the models are. */
export type RouterModel = TextModel

/** What the router reads of a question. */
export const promptFeatures = (prompt: string): TextInput => ({ text: prompt.slice(0, HAND_CHARS_MAX), hand: promptHand(prompt) })

/** A router, and what routers fitted without a row say of it: honest scores for every row. */
export type FittedRouter = { readonly model: RouterModel; readonly held: Readonly<Record<string, Float64Array>> }

/** Trains a router (L1). Seconds for thousands of rows, on this thread; `onHead` hears of each model. */
export const trainRouter = (rows: readonly RouterRow[], options: TextModelOptions = {}): FittedRouter =>
  fitTextModel(
    rows.map(({ prompt, ok }) => ({ ...promptFeatures(prompt), right: ok })),
    options,
  )

/** The probability that each model answers this question rightly. About 0.2 ms. */
export const routerScore = (model: RouterModel, input: TextInput): Readonly<Record<string, number>> => textProbabilities(model, input)
