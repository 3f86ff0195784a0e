import { writeFile } from 'node:fs/promises'
import { toFault } from '@baton/contracts/fault'
import { coverageOf, type Coverage, type TestRun } from '@baton/testing'
import { playTestFile, readTestFile, updatedText, type PlayedFile } from '@baton/testing/file'
import { calledFlows, flowOf, readTest } from './find-tests.ts'
import { testedCase, type Tested } from './report.ts'

/** What all cases of one flow took together. */
export type FlowCoverage = { readonly flow: string; readonly flowFile: string; readonly coverage: Coverage }
type Played = { readonly runs: TestRun[]; readonly plan: PlayedFile['plan']; readonly text: string | undefined }

export type TestOptions = { readonly only?: string; readonly update?: boolean; readonly onUpdated: (file: string) => void }

/** Plays test files one after the other. */
export const runTests = async (
  paths: readonly string[],
  options: TestOptions,
): Promise<{ readonly tested: readonly Tested[]; readonly coverage: readonly FlowCoverage[] }> => {
  const flows = new Map<string, Played>()
  const tested: Tested[] = []
  for (const path of paths) tested.push(await runFile(path, flows, options))
  const coverage = [...flows].map(([flowFile, { plan, runs, text }]) => ({
    flow: plan.flow,
    flowFile,
    coverage: coverageOf(plan, runs, text),
  }))
  return { tested, coverage }
}

const runFile = async (path: string, flows: Map<string, Played>, { only, update, onUpdated }: TestOptions): Promise<Tested> => {
  const text = await readTest(path)
  const file = readTestFile(path, text)
  const none = { file: path, ok: false, flow: null, flowFile: null, cases: [], coverage: null, mistakes: file.mistakes }
  if (file.mistakes.length > 0) return none
  try {
    const found = await flowOf(file)
    const flowText = found.files.get(found.entry)
    const source = { files: found.files, entry: found.entry, flows: await calledFlows(file) }
    const played = await playTestFile(file, {
      source,
      ...(only === undefined ? {} : { only }),
      ...(flowText === undefined ? {} : { text: flowText }),
    })
    const { cases, plan, coverage } = played
    const known = flows.get(found.path) ?? { runs: [], plan, text: flowText }
    known.runs.push(...cases.flatMap(({ run }) => run ?? []))
    flows.set(found.path, known)
    const stale = cases.filter(({ ok, index }) => !ok || file.cases[index]?.expects === false)
    if (update === true && stale.some(({ run }) => run !== undefined)) {
      await writeFile(path, updatedText(text, file, stale))
      onUpdated(path)
    }
    return {
      ...none,
      ok: cases.every(({ ok }) => ok),
      flow: `${plan.flow}@${plan.version}`,
      flowFile: found.path,
      cases: cases.map(testedCase),
      coverage,
    }
  } catch (error) {
    const { message } = toFault(error)
    return { ...none, mistakes: [{ file: path, line: 1, column: 1, message }] }
  }
}
