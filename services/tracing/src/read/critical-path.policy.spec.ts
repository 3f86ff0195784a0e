import { describe, expect, it } from '@jest/globals'
import { criticalPath, type Stretch } from './critical-path.policy.ts'

const stretch = (id: string, startMs: number, endMs: number | null, seq: number): Stretch => ({ id, startMs, endMs, seq })

describe('critical path', () => {
  it('P1: is every step of a chain', () => {
    expect(criticalPath([stretch('a', 0, 10, 1), stretch('b', 10, 30, 2), stretch('c', 30, 31, 3)])).toEqual(['a', 'b', 'c'])
  })

  it('P1: of branches side by side it is the one that ended last', () => {
    const branches = [
      stretch('start', 0, 10, 1),
      stretch('short', 10, 20, 2),
      stretch('long', 10, 50, 4),
      stretch('middle', 10, 40, 3),
      stretch('join', 50, 60, 5),
    ]
    expect(criticalPath(branches)).toEqual(['start', 'long', 'join'])
  })

  it('P1: goes back over several short steps beside a long one only as far as they matter', () => {
    const steps = [stretch('a', 0, 5, 1), stretch('b', 5, 9, 2), stretch('long', 0, 20, 3), stretch('end', 20, 25, 4)]
    expect(criticalPath(steps)).toEqual(['long', 'end'])
  })

  it('steps that take no time keep the order in which they were told', () => {
    expect(criticalPath([stretch('gate', 10, 10, 3), stretch('model', 0, 10, 2), stretch('set', 10, 10, 4)])).toEqual([
      'model',
      'gate',
      'set',
    ])
  })

  it('P2: what is still open ends the path', () => {
    expect(criticalPath([stretch('a', 0, 10, 1), stretch('done', 10, 900, 3), stretch('person', 10, null, 2)])).toEqual(['a', 'person'])
  })

  it('of nothing is nothing', () => {
    expect(criticalPath([])).toEqual([])
  })
})
