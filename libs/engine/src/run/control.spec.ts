import { describe, expect, it } from '@jest/globals'
import type { LogMessage } from '../decision.ts'
import {
  askedFor,
  at,
  completed,
  failed,
  given,
  patched,
  paused,
  play,
  programOf,
  requested,
  resultIn,
  resumed,
  RUN,
  START_MS,
  woken,
} from '../testing.ts'

const program = programOf(`limits: { time: 60s, total: 9d }
params: { least: { type: number, default: 1, min: 0, max: 9 } }
input: { text: string }
steps:
  - one: { tool: x/one }
  - two: { tool: x/two, with: { text: =input.text, least: =params.least, got: =one.n } }
output: =two
`)
const start = requested({ text: 'a' }, { engineVersion: 2, params: { least: 1 } })
const retried = (from?: string): LogMessage => ({
  name: 'run.retry',
  data: { runId: RUN, by: 'ada', newRunId: 'run_2', requestId: 'again', requestedAtMs: START_MS, ...(from === undefined ? {} : { from }) },
})

describe('pause and resume', () => {
  it('Q1: asks for nothing while paused, keeps what comes back, and goes on where it was', () => {
    given(program, start, paused())
      .when(completed('one/1', { n: 1 }))
      .emits('completed one/1 by model:small')
    given(program, start, paused(), completed('one/1', { n: 1 }))
      .when(resumed())
      .emits('resumed by ada', 'ask tool.call two/1', 'dispatched two/1')
  })

  it('working time rests', () => {
    const story = play(program, [start, paused(), at(3_600_000, resumed()), completed('one/1', { n: 1 }), completed('two/1', 'x')])
    expect(resultIn(story.outputs)?.result).toMatchObject({ status: 'completed', output: 'x' })
  })

  it('a lease lost while paused is asked again after it', () => {
    given(program, start, paused()).when(at(70_000, woken())).emits('failed one/1 step.lease_lost')
    given(program, start, paused(), at(70_000, woken())).when(resumed()).emits('resumed by ada', 'ask tool.call one/2', 'dispatched one/2')
  })

  it('Q2: what is not paused is not resumed', () => {
    given(program, start).when(resumed()).emits('refused by ada')
  })
})

describe('patch', () => {
  it('Q2: changes input and params of a paused run, for what comes after', () => {
    const story = given(
      program,
      start,
      paused(),
      patched({ input: { text: 'b' }, params: { least: 2 } }),
      completed('one/1', { n: 1 }),
    ).when(resumed())
    expect(askedFor(story.outputs, 'two')?.input).toEqual({ text: 'b', least: 2, got: 1 })
    given(program, start)
      .when(patched({ input: { text: 'b' } }))
      .emits('refused by ada')
  })
})

describe('run again (L8)', () => {
  const history = [start, completed('one/1', { n: 7 }), failed('two/1')]
  const requestOf = (from?: string) => {
    const { outputs } = given(program, ...history).when(retried(from))
    const output = outputs.find(({ to }) => to === 'log')
    if (output?.to !== 'log' || output.message.name !== 'run.requested') throw new Error('no run was asked for')
    return output.message.data
  }

  it('is a run of its own that takes over the outputs before the step that failed', () => {
    const data = requestOf()
    expect(data).toMatchObject({ runId: 'run_2', requestId: 'again', rootRunId: RUN, reuse: { runId: RUN, from: 'two' } })
    const again = play(program, [{ name: 'run.requested', data }])
    expect(askedFor(again.outputs, 'two')?.input).toEqual({ text: 'a', least: 1, got: 7 })
  })

  it('the effect key is that of the run before', () => {
    const again = play(program, [{ name: 'run.requested', data: requestOf('one') }])
    expect(askedFor(again.outputs, 'one')?.effectKey).toBe(`${RUN}/one/1`)
  })

  it('a step that is not there fails the new run with the reason', () => {
    expect(resultIn(play(program, [{ name: 'run.requested', data: requestOf('three') }]).outputs)?.result.fault?.code).toBe('flow.invalid')
  })

  it('Q2: what has not ended is not run again', () => {
    given(program, start).when(retried()).emits('refused by ada')
  })
})
