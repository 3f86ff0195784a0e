// What routes ask of artefacts that were trained: which model is right, and whether an answer is.
import type { Json } from '@baton/contracts/json'

/** Probability that each model answers a question of these words rightly, by name. */
export type RouterPredict = (text: string) => Readonly<Record<string, number>>

/** Probability that this answer to these words is right. */
export type AnswerJudge = (answer: {
  readonly text: string
  readonly value: Json
  readonly confidence?: number
  readonly repaired: boolean
}) => {
  readonly probability: number
  /** From where on the artefact says that an answer should count; absent: it says nothing. */
  readonly threshold?: number
}

/** Opens artefacts of the flows folder. Undefined: there is no such file. */
export type LearnedRoutes = {
  readonly router: (file: string) => Promise<RouterPredict | undefined>
  readonly judge: (file: string) => Promise<AnswerJudge | undefined>
}
