// The judge of a cascade: how probable it is that the answer of a cheap model is right, from the answer itself.
//   J1. `probability` is calibrated on answers that the fitted heads had not seen.
//   J2. Where it is known how a stronger model did, answers are ranked by what asking it would gain, not by doubt alone: a question that
//       nobody answers is not worth a second price.
import { calibrated, type Calibrator, fitPlatt } from '../calibration/calibration.policy.ts'
import { promptHand } from '../router/prompt-hand.policy.ts'
import { promptFeatures } from '../router/router.policy.ts'
import { fitTextModel, type TextInput, type TextModel, type TextModelOptions, textProbabilities } from '../router/text-model.policy.ts'
import { answerHand, type GivenAnswer } from './answer-hand.policy.ts'

/** An answer, whether it was right, and whether the next model was, where that is known. */
export type JudgeRow = GivenAnswer & { readonly right: boolean; readonly nextRight?: boolean }

export type Judge = {
  /** Reads the answer; its head is `right`. */
  readonly answer: TextModel
  /** Reads the question; its head is `next`. Absent: it is not known how the next model does (J2). */
  readonly next?: TextModel
  readonly calibrator: Calibrator
}

export type Judgement = {
  /** That the answer is right (J1); what thresholds are about. */
  readonly probability: number
  /** By how much asking the next model is expected to raise that chance; absent where nothing is known of it. */
  readonly gain?: number
}

const QUESTION_SCALE = 0.14
const ANSWER_SCALE = 0.42
const PREFIX = 'question_'
const PENALTIES = [3, 6, 12]

const answerInput = (given: GivenAnswer): TextInput => ({
  text: given.answer,
  hand: {
    ...answerHand(given),
    ...Object.fromEntries(Object.entries(promptHand(given.question)).map(([name, value]) => [`${PREFIX}${name}`, value])),
  },
})

const scoreOf = (right: number, next: number | undefined): number => (next === undefined ? right : right - next)

/** A judge, and the score that heads which never saw a row give it (higher: keep the answer). */
export type FittedJudge = { readonly judge: Judge; readonly held: readonly number[] }

/** Trains a judge. Seconds for thousands of rows, on this thread. */
export const trainJudge = (rows: readonly JudgeRow[], options: Omit<TextModelOptions, 'handScale'> = {}): FittedJudge => {
  const answers = fitTextModel(
    rows.map((row) => ({ ...answerInput(row), right: { right: row.right } })),
    { penalties: PENALTIES, ...options, handScale: (name) => (name.startsWith(PREFIX) ? QUESTION_SCALE : ANSWER_SCALE) },
  )
  const knowsNext = rows.some(({ nextRight }) => nextRight !== undefined)
  const nexts = knowsNext
    ? fitTextModel(
        rows.map(({ question, nextRight }) => ({ ...promptFeatures(question), right: nextRight === undefined ? {} : { next: nextRight } })),
        { penalties: PENALTIES, ...options },
      )
    : undefined
  const held = rows.map((_, at) => {
    const next = nexts?.held['next']?.[at]
    return scoreOf(answers.held['right']?.[at] ?? Number.NaN, next === undefined || Number.isNaN(next) ? undefined : next)
  })
  const calibrator = fitPlatt(rows.map(({ right }, at) => ({ score: held[at] ?? Number.NaN, right }))) // J1
  return { judge: { answer: answers.model, calibrator, ...(nexts === undefined ? {} : { next: nexts.model }) }, held }
}

/** Judges an answer. Under a millisecond for answers of a page. */
export const judgeAnswer = (judge: Judge, given: GivenAnswer): Judgement => {
  const right = textProbabilities(judge.answer, answerInput(given))['right'] ?? 0
  const next = judge.next === undefined ? undefined : textProbabilities(judge.next, promptFeatures(given.question))['next']
  const probability = calibrated(judge.calibrator, scoreOf(right, next))
  return next === undefined ? { probability } : { probability, gain: next - right } // J2
}
