import { describe, expect, it } from '@jest/globals'
import { completed, continued, failed, given, inWords, play, programOf, requested, resultIn, type Step } from '../testing.ts'
import { OUTPUTS_MAX } from './advance.ts'

const flow = (how: string, each = '{ tool: x/y, with: { item: =item, index: =index } }'): ReturnType<typeof programOf> =>
  programOf(
    `limits: { steps: 20000 }\ninput: { items: { type: list, items: integer } }\nsteps:\n  - out: { map: =input.items, each: ${each}${how} }\n`,
  )
const start = (items: number): Step => requested({ items: Array.from({ length: items }, (_, index) => index * 10) }, { engineVersion: 2 })

describe('map (A4)', () => {
  it('G1: runs at most as many items at once as it may, each with its item and number', () => {
    const { outputs } = given(flow(', concurrency: 2'), start(3))
    const asked = outputs.flatMap((output) => (output.to === 'command' ? [output.command] : []))
    expect(asked.map(({ path, input }) => [path, input])).toEqual([
      ['out[0]', { item: 0, index: 0 }],
      ['out[1]', { item: 10, index: 1 }],
    ])
    given(flow(', concurrency: 2'), start(3))
      .when(completed('out[1]/1', 'b'))
      .emits('completed out[1]/1 by model:small', 'ask tool.call out[2]/1', 'dispatched out[2]/1')
  })

  it('gives the list in the order of the items, whatever the order of the answers', () => {
    const history = [start(3), completed('out[2]/1', 'c'), completed('out[0]/1', 'a'), completed('out[1]/1', 'b')]
    expect(resultIn(play(flow(''), history).outputs)?.result.output).toEqual(['a', 'b', 'c'])
  })

  it('an empty list is done at once', () => {
    expect(resultIn(play(flow(''), [start(0)]).outputs)?.result.output).toEqual([])
  })

  it('fails fast, goes on with null, or collects', () => {
    const rest = [completed('out[0]/1', 'a'), failed('out[1]/1')]
    expect(resultIn(play(flow(''), [start(2), ...rest]).outputs)?.result).toMatchObject({
      status: 'failed',
      fault: { code: 'tool.failed' },
    })
    expect(resultIn(play(flow(', onFailure: null'), [start(2), ...rest]).outputs)?.result.output).toEqual(['a', null])
    expect(resultIn(play(flow(', onFailure: collect'), [start(2), ...rest]).outputs)?.result.output).toEqual({
      items: ['a', null],
      failures: [{ index: 1, code: 'tool.failed', message: 'tool.failed happened' }],
    })
  })

  it('G1: items of a chunk run one after the other', () => {
    const story = given(flow(', concurrency: 2, chunk: 2'), start(5))
    expect(story.outputs.map(inWords).filter((words) => words.startsWith('ask'))).toEqual([
      'ask tool.call out[0]/1',
      'ask tool.call out[2]/1',
    ])
    given(flow(', concurrency: 2, chunk: 2'), start(5), completed('out[0]/1'))
      .when(completed('out[1]/1'))
      .emits('completed out[1]/1 by model:small', 'ask tool.call out[4]/1', 'dispatched out[4]/1')
  })

  it('a list that is too long is a limit', () => {
    expect(resultIn(play(flow(', max: 2'), [start(3)]).outputs)?.result.fault).toMatchObject({ code: 'limit.items_exceeded' })
  })

  it('advance/F1: a wide fan-out goes on with run.continue', () => {
    const first = given(flow(', concurrency: 1000'), start(1_000))
    expect(first.outputs.length).toBeLessThanOrEqual(OUTPUTS_MAX)
    const { outputs } = first.outputs.at(-1)?.to === 'log' ? first : { outputs: [] }
    const last = outputs.at(-1)
    const seq = last?.to === 'log' && last.message.name === 'run.continue' ? last.message.data.seq : -1
    expect(first.when(continued(seq)).outputs.length).toBeGreaterThan(200)
  })

  it('items have blocks with names of their own, and maps inside maps have paths inside paths', () => {
    const program = programOf(`input: { rows: { type: list, items: { type: list, items: integer } } }
steps:
  - out: { map: =input.rows, as: row, each: { map: =row, as: cell, each: { do: [{ x: { tool: x/y, with: { cell: =cell } } }, { y: { set: =x.v + index } }] } } }
`)
    const begin = requested({ rows: [[1, 2], [3]] }, { engineVersion: 2 })
    const history = [
      begin,
      completed('out[0][1]/x/1', { v: 20 }),
      completed('out[1][0]/x/1', { v: 30 }),
      completed('out[0][0]/x/1', { v: 10 }),
    ]
    expect(resultIn(play(program, history).outputs)?.result.output).toEqual([[10, 21], [30]])
  })
})
