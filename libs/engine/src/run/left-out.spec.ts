import { describe, expect, it } from '@jest/globals'
import type { MessageOf } from '@baton/contracts'
import { completed, given, play, programOf, requested, resultIn, turned } from '../testing.ts'

const start = requested({ text: 'hi' }, { engineVersion: 4 })
const CUT = [{ part: 'docs', tokens: 120, how: 'end' }]
const meter = (
  leftOut: NonNullable<MessageOf<'step.completed'>['meter']>['leftOut'] = CUT,
): Pick<MessageOf<'step.completed'>, 'meter'> => ({
  meter: {
    startedAtMs: 1,
    latencyMs: 1,
    tries: 1,
    inputChars: 1,
    outputChars: 1,
    costMicroUsd: 0,
    ...(leftOut.length === 0 ? {} : { leftOut }),
  },
})
const answered = (attempt: string, left = CUT) => completed(attempt, { text: 'yes' }, meter(left))

const GATED = programOf(`
input: { text: string }
steps:
  - answer:
      prompt: Answer.
      with: { text: =input.text }
      context: { tokens: 1k, parts: [{ name: docs, from: =input.text }] }
      returns: { text: string }
      gate:
        - when: it.leftOut.exists(l, l.part == "docs")
          then: { human: desk, with: { draft: =it, missing: =it.leftOut }, returns: { text: string } }
        - else: next
  - told: { set: { whole: =answer, lost: =answer.leftOut, many: '=answer.leftOut.size()' } }
`)

describe('what a context left out, in expressions (S5)', () => {
  it('a gate looks at it, and what it asks for can name it', () => {
    const asked = given(GATED, start).when(answered('answer/1')).outputs
    const [command] = asked.flatMap((output) => (output.to === 'command' ? [output.command] : []))
    expect(command).toMatchObject({ kind: 'human', input: { draft: { text: 'yes' }, missing: CUT } })
  })

  it('a context that fitted left out nothing', () => {
    expect(resultIn(play(GATED, [start, answered('answer/1', [])]).outputs)?.result.output).toMatchObject({ lost: [], many: 0 })
  })

  it('is read by name and is no part of the output, so that a copy fits the schema of the output', () => {
    const loose = programOf(`
input: { text: string }
steps:
  - answer: { prompt: Answer., with: { text: =input.text }, returns: { text: string } }
  - told: { set: { whole: =answer, lost: =answer.leftOut } }
`)
    const output = resultIn(play(loose, [start, answered('answer/1')]).outputs)?.result.output
    expect(output).toEqual({ whole: { text: 'yes', by: 'model:small' }, lost: CUT })
  })

  it('an agent says what did not fit any of its turns, each part once', () => {
    const clerk = programOf(`
agents: { clerk: { model: m, prompt: You help., tools: [shop/find], limits: { turns: 4 } } }
input: { text: string }
steps:
  - a: { agent: clerk, returns: { text: string } }
  - told: { set: { lost: =a.leftOut } }
`)
    const lost = (tokens: number) => [{ part: 'conversation', tokens, how: 'results' }]
    const said = turned('a/turn[1]/1', { calls: [{ id: 'c', tool: 'shop/find', arguments: {} }] })
    const done = turned('a/turn[2]/1', { calls: [] }, { text: 'done' })
    const story = [
      start,
      said.name === 'step.completed' ? { ...said, data: { ...said.data, ...meter([...lost(40), ...CUT]) } } : said,
      completed('a/turn[1]/call[0]/1', 'X'),
      done.name === 'step.completed' ? { ...done, data: { ...done.data, ...meter(lost(10)) } } : done,
    ]
    expect(resultIn(play(clerk, story).outputs)?.result.output).toMatchObject({ lost: [...lost(40), ...CUT] })
  })

  it('L2: a run of an engine before the fourth knows nothing of it', () => {
    const before = requested({ text: 'hi' }, { engineVersion: 3 })
    expect(resultIn(play(GATED, [before, answered('answer/1')]).outputs)?.result.fault?.code).toBe('expression.failed')
  })
})
