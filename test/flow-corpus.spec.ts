// The checker on its corpus: every seeded mistake is found where it stands, and nothing is found in a flow that is right.
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import * as flow from '@baton/flow'
import fc from 'fast-check'
import { checkCase } from './proof/check-case.mjs'
import { judge, readCases, readFlows, type Case } from './proof/check-corpus.ts'
import { flawsOf, mutate, mutated } from './proof/check-fuzz.ts'

const root = join(import.meta.dirname, '..')
const wrong = readCases(join(root, 'test/flows/wrong'))
const right = readCases(join(root, 'test/flows/right'))
const flows = readFlows(join(root, 'flows'))
const byName = (cases: readonly Case[]): readonly (readonly [string, Case])[] => cases.map((one) => [one.name, one])
const shown = ({ file, line, column, code }: { file: string; line: number; column: number; code: string }): string =>
  `${file}:${line}:${column} ${code}`

describe('seeded mistakes (A15)', () => {
  it('are at least 60, in flows of at most 34 lines below their first', () => {
    expect(wrong.length).toBeGreaterThanOrEqual(60)
    const long = wrong.filter(({ files }) => [...files.values()].some((text) => text.trimEnd().split('\n').length > 35))
    expect(long.map(({ name }) => name)).toEqual([])
    expect(wrong.filter(({ expected }) => expected.length === 0).map(({ name }) => name)).toEqual([])
  })

  it.each(byName(wrong))('%s is found at its place, and nothing else', (_, one) => {
    expect(checkCase(flow, one).map(shown)).toEqual(one.expected.map(shown))
  })
})

describe('correct flows', () => {
  it.each(byName(right))('%s has neither errors nor warnings', (_, one) => {
    expect(judge(one, checkCase(flow, one)).alarms.map(flow.formatDiagnostic)).toEqual([])
  })

  it.each(byName(flows))('flows/%s has no errors', (_, one) => {
    expect(
      checkCase(flow, one)
        .filter(({ severity }) => severity === 'error')
        .map(flow.formatDiagnostic),
    ).toEqual([])
  })
})

describe('whatever stands in a file', () => {
  const cases = [...right, ...flows].filter(({ files, entry }) => files.has(entry))

  it('D1: ends in a plan or in diagnostics that point into it, never in an exception', () => {
    fc.assert(
      fc.property(mutated(cases.length), ({ flow: index, changes }) => {
        const { files, entry } = cases[index]
        const changed = new Map([...files, [entry, mutate(files.get(entry) ?? '', changes)]])
        expect(flawsOf(changed, flow.compileFlow({ files: changed, entry }))).toEqual([])
      }),
      { seed: 4, numRuns: 150 },
    )
  })
})
