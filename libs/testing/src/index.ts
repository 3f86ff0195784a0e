export { flowTest, type FlowSource, type FlowTest, type FlowTestOptions, type Happening, type Scripted, type TestRun } from './flow-test.ts'
export type { Answer, Asking, Calls, Decides, Fails, Gives, Never, PersonAnswer, Script } from './script/answer.ts'
export { BrokenTest, type Answers, type People } from './script/scripts.ts'
export type { Passed } from './path.ts'
export { inWords, type Time } from './units.ts'
export type { AskedOf, PersonAsked } from './work/asking.ts'
export {
  differencesOf,
  expectAsked,
  expectCost,
  expectFault,
  expectNotAsked,
  expectOutput,
  expectPath,
  expectPeople,
  expectRun,
  type Difference,
  type Expected,
} from './expect.ts'
export { coverageOf, type Coverage, type CoveredPoint } from './ways/coverage.ts'
