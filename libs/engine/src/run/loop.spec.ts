import { describe, expect, it } from '@jest/globals'
import { askedFor, completed, failed, given, play, programOf, requested, resultIn } from '../testing.ts'

const flow = (loop: string, more = ''): ReturnType<typeof programOf> =>
  programOf(`steps:
  - text: { loop: ${loop}, do: [{ edit: { tool: x/edit, with: { before: =it, round: =index }, returns: { score: number } } }]${more} }
`)
const start = requested({}, { engineVersion: 2 })
const good = flow('{ max: 3, until: it.score > 0.8 }')

describe('loop (A9)', () => {
  it('a round sees what the one before gave, null in the first, and its number', () => {
    expect(askedFor(given(good, start).outputs, 'text[0]/edit')?.input).toEqual({ before: null, round: 0 })
    const second = given(good, start).when(completed('text[0]/edit/1', { score: 0.5 }))
    expect(askedFor(second.outputs, 'text[1]/edit')?.input).toEqual({ before: { score: 0.5 }, round: 1 })
  })

  it('ends when the condition holds', () => {
    const story = play(good, [start, completed('text[0]/edit/1', { score: 0.9 })])
    expect(resultIn(story.outputs)?.result.output).toEqual({ score: 0.9 })
  })

  const rounds = [
    start,
    completed('text[0]/edit/1', { score: 0.1 }),
    completed('text[1]/edit/1', { score: 0.2 }),
    completed('text[2]/edit/1', { score: 0.3 }),
  ]

  it('goes on with the last round at its cap', () => {
    expect(resultIn(play(good, rounds).outputs)?.result.output).toEqual({ score: 0.3 })
  })

  it('its cap is a limit for a flow that says what then', () => {
    const routed = flow('{ max: 3, until: it.score > 0.8 }', ', onLimit: { set: { score: 0 } }')
    const story = play(routed, rounds)
    expect(resultIn(story.outputs)?.result).toMatchObject({
      status: 'completed',
      output: { score: 0 },
      degraded: ['limit.rounds_exceeded'],
    })
  })

  it('a number of rounds without a condition is that many rounds', () => {
    expect(resultIn(play(flow('3'), rounds).outputs)?.result.output).toEqual({ score: 0.3 })
  })

  it('R4, R5: every step of every round counts', () => {
    const program = programOf('limits: { steps: 4 }\nsteps:\n  - l: { loop: 100, do: [{ s: { set: 1 } }] }\n')
    expect(resultIn(play(program, [start]).outputs)?.result.fault?.code).toBe('limit.steps_exceeded')
  })

  it('a failure inside is that of the loop', () => {
    expect(
      resultIn(play(flow('3', ', onError: { set: { score: 1 }, then: next }'), [start, failed('text[0]/edit/1')]).outputs)?.result,
    ).toMatchObject({
      status: 'completed',
      output: { score: 1 },
    })
  })
})
