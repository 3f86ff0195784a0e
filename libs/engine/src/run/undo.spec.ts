import { describe, expect, it } from '@jest/globals'
import { askedFor, cancelled, completed, failed, given, paused, play, programOf, requested, resultIn } from '../testing.ts'

const start = requested({}, { engineVersion: 2 })
const saga = programOf(`steps:
  - room: { tool: hotel/book, undo: { tool: hotel/cancel, with: { id: =it.id } } }
  - seat: { tool: air/book, undo: { tool: air/cancel, with: { id: =it.id, room: =room.id } } }
  - paid: { tool: bank/pay }
`)
const booked = [start, completed('room/1', { id: 'r' }), completed('seat/1', { id: 's' })]

describe('undo (A12)', () => {
  it('U1, U2: takes effects back in reverse order, with what they gave, when the run fails later', () => {
    const first = given(saga, ...booked).when(failed('paid/1'))
    expect(askedFor(first.outputs, 'undo/seat')?.input).toEqual({ id: 's', room: 'r' })
    const second = given(saga, ...booked, failed('paid/1')).when(completed('undo/seat/1'))
    expect(askedFor(second.outputs, 'undo/room')?.input).toEqual({ id: 'r' })
    const story = play(saga, [...booked, failed('paid/1'), completed('undo/seat/1'), completed('undo/room/1')])
    expect(resultIn(story.outputs)?.result).toMatchObject({ status: 'failed', fault: { code: 'tool.failed' } })
  })

  it('U3: an undo that fails does not keep the others from running', () => {
    const story = play(saga, [...booked, failed('paid/1'), failed('undo/seat/1', 'tool.timed_out'), completed('undo/room/1')])
    expect(resultIn(story.outputs)?.result).toMatchObject({
      status: 'failed',
      fault: { code: 'tool.failed' },
      degraded: ['tool.timed_out'],
    })
  })

  it('U4: a run that is called off is undone first, unless that is not wanted', () => {
    const story = play(saga, [...booked, cancelled(), completed('undo/seat/1'), completed('undo/room/1')])
    expect(resultIn(story.outputs)?.result).toMatchObject({ status: 'cancelled', fault: { code: 'run.cancelled' } })
    const hard = play(saga, [...booked, { name: 'run.cancel', data: { runId: 'run_1', by: 'ada', reason: 'no', undo: false } }])
    expect(resultIn(hard.outputs)?.result.status).toBe('cancelled')
  })

  it('a run that completes takes nothing back', () => {
    expect(resultIn(play(saga, [...booked, completed('paid/1')]).outputs)?.result.status).toBe('completed')
  })

  it('U2: effects inside maps and branches are taken back after those are gone', () => {
    const program = programOf(`steps:
  - all: { map: '=[1, 2]', concurrency: 1, each: { tool: x/do, with: { n: =item }, undo: { tool: x/undo, with: { n: =item, got: =it } } } }
  - last: { tool: x/last }
`)
    const story = given(program, start, completed('all[0]/1', 'a'), completed('all[1]/1', 'b'), failed('last/1')).when(
      completed('undo/all[1]/1'),
    )
    expect(askedFor(story.outputs, 'undo/all[0]')?.input).toEqual({ n: 1, got: 'a' })
  })

  it('the handler of the flow comes before; one that makes good keeps everything', () => {
    const program = programOf(`steps:
  - room: { tool: hotel/book, undo: { tool: hotel/cancel } }
  - paid: { tool: bank/pay }
onError: { set: { sorry: true }, then: end }
`)
    expect(resultIn(play(program, [start, completed('room/1'), failed('paid/1')]).outputs)?.result).toMatchObject({ status: 'completed' })
  })

  it('U1, K3: a step that was asked again is taken back once for each time, under keys of their own', () => {
    const program = programOf(`steps:
  - room:
      tool: hotel/book
      returns: { n: number }
      gate: [{ when: it.n > 0.5, then: next }, { when: true, then: { retry: { attempts: 2 } } }, { else: fail }]
      undo: { tool: hotel/cancel }
  - paid: { tool: bank/pay }
`)
    const before = [start, completed('room/1', { n: 0.1 }), completed('room/2', { n: 0.9 }), failed('paid/1')]
    const undone = given(program, ...before, completed('undo/room/1'), completed('undo/room/2'))
    const commands = undone.outputs.flatMap((output) =>
      output.to === 'command' && output.command.path === 'undo/room' ? [output.command] : [],
    )
    expect(commands.map(({ effectKey }) => effectKey)).toEqual(['run_1/undo/room/1', 'run_1/undo/room/2'])
    expect(resultIn(undone.outputs)?.result).toMatchObject({ status: 'failed', fault: { code: 'tool.failed' } })
  })

  it('U4: a run that is called off while it is paused takes its effects back and ends', () => {
    const program = programOf('steps:\n  - room: { tool: hotel/book, undo: { tool: hotel/cancel } }\n  - paid: { tool: bank/pay }\n')
    const off = given(program, start, completed('room/1'), paused(), cancelled(), completed('undo/room/1'))
    expect(resultIn(off.outputs)?.result).toMatchObject({ status: 'cancelled' })
  })
})
