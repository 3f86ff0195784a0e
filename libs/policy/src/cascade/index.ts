export { answerHand, type GivenAnswer } from './answer-hand.policy.ts'
export { sumsIn, type Sum } from './arithmetic.policy.ts'
export { unusedNumbers } from './given-numbers.policy.ts'
export { decideCascade, type CascadeDecision, type CascadeFacts, type CascadeRule } from './cascade.decider.ts'
export { judgeJson, loadJudge } from './judge-file.ts'
export { judgeAnswer, trainJudge, type FittedJudge, type Judge, type JudgeRow, type Judgement } from './judge.policy.ts'
export {
  chooseThreshold,
  tuneCurve,
  tunePointAt,
  type TuneCase,
  type TuneKind,
  type TunePoint,
  type TuneTarget,
} from './thresholds.policy.ts'
