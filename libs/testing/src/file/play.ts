// The cases of a test file, played one after the other.
import { toFault } from '@baton/contracts/fault'
import { parseDocument } from 'yaml'
import { coverageOf, type Coverage } from '../ways/coverage.ts'
import { differencesOf, type Difference } from '../expect.ts'
import { flowTest, type FlowTest, type FlowTestOptions, type TestRun } from '../flow-test.ts'
import type { Answers, People } from '../script/scripts.ts'
import type { TestCase, TestFile } from './read.ts'

export type PlayedCase = {
  readonly name: string
  readonly line: number
  readonly index: number
  readonly ok: boolean
  readonly differences: readonly Difference[]
  /** Why there is no run: the test is broken. */
  readonly broken?: string
  readonly run?: TestRun
}
export type PlayedFile = { readonly cases: readonly PlayedCase[]; readonly coverage: Coverage; readonly plan: FlowTest['plan'] }

/** Plays the cases whose name contains `only`. Throws `flow.invalid` for a flow with mistakes. */
export const playTestFile = async (
  file: TestFile,
  { source, only = '', text }: { readonly source: FlowTestOptions; readonly only?: string; readonly text?: string },
): Promise<PlayedFile> => {
  const test = flowTest(source)
  const cases: PlayedCase[] = []
  for (const one of file.cases) if (one.name.includes(only)) cases.push(await playCase(test, one))
  return { cases, coverage: coverageOf(test.plan, test.runs, text), plan: test.plan }
}

const playCase = async (test: FlowTest, one: TestCase): Promise<PlayedCase> => {
  const { name, line, index, input, answers, people, params, events, now, expect } = one
  const about = { name, line, index }
  try {
    // Read and checked: every value of a file is JSON, and people are as their words say.
    const scripted = { answers: answers as Answers, people: people as People, params, events, ...(now === undefined ? {} : { now }) }
    const run = await test.run(input, scripted)
    const differences = differencesOf(run, expect)
    return { ...about, ok: differences.length === 0, differences, run }
  } catch (error) {
    return { ...about, ok: false, differences: [], broken: toFault(error).message }
  }
}

/** The text of a test file in which the given cases expect what happened. What a case did not look at stays so. */
export const updatedText = (text: string, file: TestFile, played: readonly PlayedCase[]): string => {
  const document = parseDocument(text)
  for (const { index, run } of played) {
    const before = file.cases[index]
    if (run === undefined || before === undefined) continue
    const happened = happenedIn(run)
    const words = before.expects
      ? Object.keys(before.expect)
      : ['status', ...(run.fault === undefined ? ['output'] : ['fault']), 'path', 'people']
    for (const word of words) {
      if (happened[word] !== undefined) document.setIn(['cases', index, 'expect', word], document.createNode(happened[word]))
    }
  }
  return document.toString({ lineWidth: 140, flowCollectionPadding: true })
}

const happenedIn = (run: TestRun): { readonly [word: string]: unknown } => ({
  status: run.status,
  output: run.output,
  fault: run.fault?.code,
  path: run.path,
  people: run.people.map(({ queue }) => queue),
  cost: `${run.costUsd} USD`,
  steps: run.steps,
  duration: `${run.durationMs}ms`,
  degraded: run.degraded,
  emitted: run.emitted.map(({ topic }) => topic),
})
