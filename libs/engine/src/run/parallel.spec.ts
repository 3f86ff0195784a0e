import { describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts/json'
import { completed, failed, given, play, programOf, requested, resultIn, woken, at, type Step } from '../testing.ts'

const flow = (how: string): ReturnType<typeof programOf> =>
  programOf(`steps:\n  - all: { parallel: { a: { tool: x/a }, b: { tool: x/b }, c: { tool: x/c } }${how} }\n`)
const start = requested({}, { engineVersion: 2 })

const ended = (program: ReturnType<typeof programOf>, ...history: readonly Step[]) =>
  resultIn(play(program, [start, ...history]).outputs)?.result
const outputOf = (program: ReturnType<typeof programOf>, ...history: readonly Step[]): Json | undefined =>
  ended(program, ...history)?.output

describe('parallel (A3)', () => {
  it('asks all branches at once, and joins them by name when all have answered', () => {
    given(flow(''))
      .when(start)
      .emits(
        'started',
        'opened all 3',
        'ask tool.call all/a/1',
        'dispatched all/a/1',
        'ask tool.call all/b/1',
        'dispatched all/b/1',
        'ask tool.call all/c/1',
        'dispatched all/c/1',
      )
    expect(outputOf(flow(''), completed('all/b/1', 2), completed('all/a/1', 1), completed('all/c/1', { n: 3 }))).toEqual({
      a: 1,
      b: 2,
      c: { n: 3 },
    })
  })

  it('join/J1: any takes the first that ends, first the first that succeeds, a quorum that many', () => {
    expect(outputOf(flow(', join: any'), completed('all/b/1', 2))).toEqual({ a: null, b: 2, c: null })
    expect(outputOf(flow(', join: first'), failed('all/a/1'), completed('all/b/1', 2))).toEqual({ a: null, b: 2, c: null })
    const quorum = flow(', join: { quorum: 2 }')
    expect(outputOf(quorum, completed('all/a/1', 1))).toBeUndefined()
    expect(outputOf(quorum, completed('all/a/1', 1), failed('all/b/1'), completed('all/c/1', 3))).toEqual({ a: 1, b: null, c: 3 })
  })

  it('join/J2: fails at once when the join cannot be reached any more', () => {
    expect(ended(flow(', join: { quorum: 2 }'), failed('all/a/1'), failed('all/b/1'))).toMatchObject({
      status: 'failed',
      fault: { code: 'join.impossible', detail: { failed: 2, fault: 'tool.failed' } },
    })
  })

  it('fails fast, collects failures, or goes on with null', () => {
    expect(ended(flow(''), failed('all/b/1'))).toMatchObject({ status: 'failed', fault: { code: 'tool.failed' } })
    const rest = [failed('all/b/1'), completed('all/a/1', 1), completed('all/c/1', 3)]
    expect(outputOf(flow(', onFailure: null'), ...rest)).toEqual({ a: 1, b: null, c: 3 })
    expect(outputOf(flow(', onFailure: collect'), ...rest)).toEqual({
      a: 1,
      b: null,
      c: 3,
      failures: [{ branch: 'b', code: 'tool.failed', message: 'tool.failed happened' }],
    })
  })

  it('G2, G3, R3: losers are given up; their answers are billed and change nothing', () => {
    const program = programOf(`steps:
  - all: { parallel: { a: { tool: x/a }, b: { tool: x/b } }, join: first }
  - last: { tool: x/last }
`)
    const won = given(program, start, completed('all/a/1', 1))
    expect(won.outputs.map((output) => output.to)).not.toContain('result')
    given(program, start, completed('all/a/1', 1))
      .when(completed('all/b/1', 2, { costMicroUsd: 7 }))
      .emits('ignored all/b/1 late 7')
  })

  it('withdraws what people are no longer asked for', () => {
    const program = programOf(
      'steps:\n  - all: { parallel: { a: { tool: x/a }, b: { human: support } }, join: first }\n  - last: { tool: x/l }\n',
    )
    given(program, start)
      .when(completed('all/a/1', 1))
      .emits(
        'completed all/a/1 by model:small',
        'withdraw all/b/1',
        'completed all/1 by parallel',
        'ask tool.call last/1',
        'dispatched last/1',
      )
  })

  it('branches have steps, gates and handlers of their own', () => {
    const program = programOf(`steps:
  - all:
      parallel:
        a: [{ one: { tool: x/a } }, { two: { tool: x/b, with: { v: =one.n } } }]
        b: { tool: x/c, onError: { set: { n: 0 }, then: next } }
output: { a: =all.a, b: =all.b.n }
`)
    const history = [completed('all/a/one/1', { n: 5 }), failed('all/b/1'), completed('all/a/two/1', 9)]
    expect(outputOf(program, ...history)).toEqual({ a: 9, b: 0 })
  })

  it('a branch that loses its lease is asked again, alone', () => {
    given(flow(''), start, completed('all/a/1', 1))
      .when(at(65_000, woken()))
      .emits(
        'failed all/b/1 step.lease_lost',
        'failed all/c/1 step.lease_lost',
        'ask tool.call all/b/2',
        'dispatched all/b/2',
        'ask tool.call all/c/2',
        'dispatched all/c/2',
      )
  })
})
