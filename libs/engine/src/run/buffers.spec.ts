import { describe, expect, it } from '@jest/globals'
import { askedFor, at, completed, given, play, programOf, requested, resultIn } from '../testing.ts'

const start = requested({ text: 'hi' }, { engineVersion: 2 })
const flow = programOf(`buffers:
  findings: { expires: 10m, items: 2 }
steps:
  - a: { tool: x, writes: findings }
  - b: { tool: x, writes: findings }
  - c:
      model: m
      prompt: Decide.
      context: { tokens: 1k, parts: [{ name: found, buffer: findings, cut: never }, { name: said, from: =a.text }, { from: history }] }
      media: =b.picture
      cache: { for: 1h, key: =a.text }
      writes: findings
output: { all: =buffers.findings }
`)

describe('what steps share (C8)', () => {
  const before = [start, completed('a/1', { text: 'one', picture: null }), completed('b/1', { text: 'two', picture: { ref: 'p' } })]

  it('A15: outputs are added in their order, and shown to the step that wants them', () => {
    expect(askedFor(play(flow, before).outputs, 'c')).toMatchObject({
      context: {
        found: [
          { text: 'one', picture: null },
          { text: 'two', picture: { ref: 'p' } },
        ],
        said: 'one',
      },
      media: [{ ref: 'p' }],
      cacheKey: 'one',
    })
    expect(askedFor(play(flow, before).outputs, 'c')?.context).not.toHaveProperty('history')
  })

  it('buffers/B1: when there are too many, the oldest is gone', () => {
    const { outputs } = play(flow, [...before, completed('c/1', { text: 'three' })])
    expect(resultIn(outputs)?.result.output).toEqual({ all: [{ text: 'two', picture: { ref: 'p' } }, { text: 'three' }] })
  })

  it('buffers/B1: an entry is gone after its time', () => {
    const late = given(flow, start, completed('a/1', { text: 'one', picture: null })).when(
      at(590_000, completed('b/1', { text: 'two', picture: null })),
    )
    expect(askedFor(late.outputs, 'c')?.context?.['found']).toHaveLength(2)
    const waited = programOf(`limits: { time: 2h, total: 3h }
buffers: { notes: { expires: 10m, items: 9 } }
steps:
  - a: { tool: x, writes: notes }
  - b: { wait: 1h }
output: =buffers.notes
`)
    const { outputs } = play(waited, [
      start,
      completed('a/1', 'one'),
      at(3_700_000, { name: 'timer.matured', data: { runId: 'run_1', timerId: 'wake', dueAtMs: 0 } }),
    ])
    expect(resultIn(outputs)?.result.output).toEqual([])
  })

  it('buffers/B2: what two steps write side by side is there in the order of the log', () => {
    const side = programOf(
      'buffers: { notes: { expires: 1h, items: 9 } }\nsteps:\n  - p: { parallel: { a: { tool: x, writes: notes }, b: { tool: y, writes: notes } } }\noutput: =buffers.notes\n',
    )
    expect(resultIn(play(side, [start, completed('p/b/1', 'B'), completed('p/a/1', 'A')]).outputs)?.result.output).toEqual(['B', 'A'])
  })

  it('L8: a rerun finds what the steps before had added', () => {
    const reuse = { runId: 'run_0', from: 'b', steps: { a: { output: { text: 'old', picture: null }, by: 'tool:x' } } }
    const again = requested({ text: 'hi' }, { engineVersion: 2, reuse })
    const { outputs } = play(flow, [again, completed('b/1', { text: 'two', picture: null })])
    expect(askedFor(outputs, 'c')?.context?.['found']).toMatchObject([{ text: 'old' }, { text: 'two' }])
  })
})
