import { describe, expect, it } from '@jest/globals'
import { at, completed, given, happened, play, programOf, requested, resultIn, woken } from '../testing.ts'
import { dueTimers, nextWakeAtMs, runStatus } from '../codec.ts'
import { START_MS } from '../testing.ts'
import { EVENTS_MAX } from './waits.ts'

const start = requested({ order: 'T-1' }, { engineVersion: 2 })
const DAY_MS = 86_400_000
const wait = programOf('limits: { time: 60s, total: 9d }\nsteps:\n  - rest: { wait: 3d }\n  - done: { set: rested }\n')
const paid = programOf(`limits: { time: 60s, total: 9d }
input: { order: string }
steps:
  - paid: { wait: { event: payment/confirmed, match: event.order == input.order, timeout: 2d }, onTimeout: { set: { amount: 0 } } }
output: =paid
`)

describe('wait for a time (A10)', () => {
  it('W1: needs no memory, takes no working time, and goes on when it is over', () => {
    const { state } = given(wait, start)
    expect(state === undefined ? '' : runStatus(state)).toBe('waiting')
    expect(state === undefined ? 0 : nextWakeAtMs(state)).toBe(START_MS + 3 * DAY_MS)
    expect(state === undefined ? [] : dueTimers(state, START_MS + DAY_MS)).toEqual([])
    const { outputs } = given(wait, start).when(at(3 * DAY_MS, woken()))
    expect(resultIn(outputs)?.result).toMatchObject({ status: 'completed', output: 'rested', metrics: { workingMs: 0 } })
  })

  it('a timer that matured too early changes nothing', () => {
    given(wait, start).when(at(DAY_MS, woken())).emits()
  })

  it('R4: the total time of the run ends it', () => {
    const long = programOf('limits: { total: 4d }\nsteps:\n  - rest: { wait: { event: never } }\n')
    expect(resultIn(given(long, start).when(at(4 * DAY_MS, woken())).outputs)?.result.fault?.code).toBe('limit.total_exceeded')
  })
})

describe('wait for an event (A10)', () => {
  it('takes the first that matches', () => {
    given(paid, start)
      .when(happened('payment/confirmed', { order: 'T-2' }))
      .emits('event payment/confirmed kept')
    const { outputs } = given(paid, start).when(happened('payment/confirmed', { order: 'T-1', amount: 12 }))
    expect(resultIn(outputs)?.result.output).toEqual({ order: 'T-1', amount: 12, by: 'event:payment/confirmed' })
  })

  it('W2: the same event twice is one', () => {
    given(paid, start, happened('payment/confirmed', { order: 'T-2' }))
      .when(happened('payment/confirmed', { order: 'T-2' }))
      .emits()
  })

  it('W3: one that came before it was waited for is taken at once', () => {
    const program = programOf('input: { order: string }\nsteps:\n  - first: { tool: x/y }\n  - paid: { wait: { event: paid } }\n')
    const { outputs } = given(program, start, happened('paid', { n: 1 })).when(completed('first/1'))
    expect(resultIn(outputs)?.result.output).toEqual({ n: 1 })
  })

  it('W3: more than it keeps are refused, with the reason', () => {
    const many = Array.from({ length: EVENTS_MAX }, (_, index) => happened('other', {}, `other-${index}`))
    expect(given(paid, start, ...many).when(happened('other', {}, 'last')).decision?.refused).toMatchObject({ code: 'request.too_large' })
  })

  it('when it does not come in time, the flow says what then', () => {
    const { outputs } = given(paid, start).when(at(2 * DAY_MS, woken()))
    expect(resultIn(outputs)?.result).toMatchObject({ output: { amount: 0 }, degraded: ['step.timed_out'] })
  })

  it('one that was found by a key is for the wait of that key', () => {
    const program = programOf('input: { order: string }\nsteps:\n  - paid: { wait: { event: paid, key: =input.order } }\n')
    const found = (key: string) => ({ name: 'run.event' as const, data: { runId: 'run_1', eventId: key, event: 'paid', data: key, key } })
    given(program, start).when(found('T-2')).emits('event paid kept')
    expect(resultIn(given(program, start).when(found('T-1')).outputs)?.result.output).toBe('T-1')
  })

  it('events of branches find the branch that waits for them', () => {
    const program = programOf(`input: { order: string }
steps:
  - both: { parallel: { a: { wait: { event: one } }, b: { wait: { event: two } } } }
`)
    const story = play(program, [start, happened('two', 2), happened('one', 1)])
    expect(resultIn(story.outputs)?.result.output).toEqual({ a: 1, b: 2 })
  })
})
