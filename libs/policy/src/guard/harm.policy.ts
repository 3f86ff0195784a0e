// Toxicity and harm: listed words and a model trained on labelled prompts.
//   T1. A category counts when its score is above `max`; the risk is the worst, listed words or model.
import { guardOf, type Guard, type GuardSettings, type Span } from './guard.ts'
import { harmScores, type HarmModel } from './harm/harm-model.policy.ts'
import { findHarmWords } from './harm/harm-words.policy.ts'
import { fold, lower } from './spans.policy.ts'

/** The categories of harm; `harmful` is any of them, where the model cannot say which. */
export const HARM_CATEGORIES = [
  'harmful',
  'sexual',
  'hate',
  'violence',
  'harassment',
  'self_harm',
  'sexual_minors',
  'hate_threatening',
  'violence_graphic',
] as const

export type HarmSettings = GuardSettings & {
  /** A score above this counts, by category or for all. */
  readonly max?: number | undefined
  readonly categories?: readonly string[] | undefined
  /** `words`: without the model. */
  readonly by?: 'words' | 'model' | 'both' | undefined
}

/** The guard `toxicity`; the model is asked for when it is first needed. */
export const harmGuard = (settings: HarmSettings, model: () => HarmModel): Guard =>
  guardOf('toxicity', settings, (text, deadline) => {
    const { max = 0.5, categories = HARM_CATEGORIES, by = 'both' } = settings
    const words = by === 'model' ? [] : findHarmWords(lower(fold(text)))
    const scored = by === 'words' ? [] : harmScores(model(), text, deadline)
    const read = scored.map(({ category, score, start, end }): Span => ({
      start,
      end,
      kind: category,
      score,
      reason: `reads like ${category.replaceAll('_', ' ')}`,
    }))
    const wanted = [...words, ...read].filter(({ kind }) => categories.includes(kind))
    const spans = wanted.filter(({ score }) => score > max).toSorted((left, right) => left.start - right.start || right.score - left.score)
    return { spans, risk: Math.max(0, ...wanted.map(({ score }) => score)) } // T1
  })
