import { describe, expect, it } from '@jest/globals'
import { createReport } from '../diagnostic.ts'
import { checkFlowCycles } from './cycles.ts'
import { checkFlowSet, type FlowSource } from './flow-set.ts'
import { treeOf } from './reading.fixture.ts'

const flowOf = (name: string, ...calls: readonly string[]): ReturnType<typeof treeOf> =>
  treeOf(`flow: x/${name}@1.0.0\nsteps:\n  - z: hi\n${calls.map((call, index) => `  - s${index}: { flow: x/${call} }\n`).join('')}`)

const found = (flows: readonly ReturnType<typeof treeOf>[]): readonly string[] => {
  const report = createReport()
  checkFlowCycles(flows, () => report)
  return report.list().map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`)
}

describe('flows that start each other', () => {
  it('a flow that starts itself', () => {
    expect(found([flowOf('a', 'a')])).toEqual(['4:5 flow.cycle x/a starts itself again, without end'])
  })

  it('three in a ring, each where it starts the next', () => {
    const messages = found([flowOf('a', 'b'), flowOf('b', 'c'), flowOf('c', 'a'), flowOf('d', 'a')])
    expect(messages).toEqual([
      '4:5 flow.cycle x/a starts itself again through x/b and x/c, without end',
      '4:5 flow.cycle x/b starts itself again through x/c and x/a, without end',
      '4:5 flow.cycle x/c starts itself again through x/a and x/b, without end',
    ])
  })

  it('in files of a folder each, told for each flow', () => {
    const source = (name: string, call: string): FlowSource => ({
      files: new Map([['flow.yaml', `flow: x/${name}@1.0.0\nsteps:\n  - s: { flow: x/${call} }\n`]]),
      entry: 'flow.yaml',
    })
    const broken = { files: new Map([['flow.yaml', 'steps: 3']]), entry: 'flow.yaml' }
    const codes = checkFlowSet([source('a', 'b'), broken, source('b', 'a'), source('c', 'a'), source('d', 'd')]).map((diagnostics) =>
      diagnostics.map(({ file, line, column, code }) => `${file}:${line}:${column} ${code}`),
    )
    expect(codes).toEqual([['flow.yaml:3:5 flow.cycle'], [], ['flow.yaml:3:5 flow.cycle'], [], ['flow.yaml:3:5 flow.cycle']])
  })

  it('but not flows that share one', () => {
    expect(found([flowOf('a', 'b', 'c'), flowOf('b', 'd'), flowOf('c', 'd'), flowOf('d'), flowOf('e', 'gone')])).toEqual([])
  })

  it('long chains and rings take one pass', () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `f${index}`)
    const chain = names.map((name, index) => flowOf(name, ...(index + 1 < names.length ? [`f${index + 1}`] : [])))
    expect(found(chain)).toEqual([])
  })
})
