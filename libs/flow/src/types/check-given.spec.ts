// What starts a flow gives what the flow takes, and an agent that looks at its own answer asks for what is there.
import { describe, expect, it } from '@jest/globals'
import { mistakesIn } from '../testing/compiled.ts'

describe('the input that a trigger makes (A13)', () => {
  const INPUT =
    'input: { order: string, count: integer, kind: { type: string, enum: [a, b], default: a }, note: string?, at: { type: object, properties: { x: { type: number }, y: { type: number, default: 0 } }, required: [x] } }\n'
  const started = (input: string, trigger = 'topic: orders'): readonly string[] =>
    mistakesIn(`${INPUT}triggers:\n  - { ${trigger}, input: ${input} }\nsteps:\n  - a: { set: =input.order }\n`)

  it.each([
    ['is what arrived, as it is', '=event'],
    ['has every field that must be there; one with a default need not be sent', '{ order: =event.id, count: 1, at: { x: =event.x } }'],
    ['may have the others as well', '{ order: x, count: =size(event.items), kind: b, note: hi, at: { x: 1, y: 2 } }'],
    [
      'is not known beforehand where it is made of what arrived',
      '{ order: =event.id, count: =event.count, kind: =event.kind, at: =event.at }',
    ],
  ])('%s', (_, input) => {
    expect(started(input)).toEqual([])
    expect(started(input, 'http: POST /orders')).toEqual([])
    expect(started(input, 'every: 1h')).toEqual([])
  })

  it.each([
    ['{ count: 1, at: { x: 1 } }', '3:29 type.mismatch order is missing'],
    ['{ order: 5, count: 1, at: { x: 1 } }', '3:29 type.mismatch order is a number and must be text'],
    ['{ order: x, count: =string(event.n), at: { x: 1 } }', '3:49 type.mismatch count is text and must be a whole number'],
    ['{ order: x, count: 1, kind: c, at: { x: 1 } }', '3:29 type.mismatch kind may be c and must be one of a, b'],
    ['{ order: =event.id, count: 1, at: { y: =event.y } }', '3:63 type.mismatch at.x is missing; it must be a number'],
    ['hello', '3:29 type.mismatch it is text and must be an object'],
  ])('%s does not fit', (input, mistake) => {
    expect(started(input)).toEqual([mistake])
  })

  it.each(['params.most', 'run.id', 'input.order', 'buffers.seen'])('%s is not there before the run', (name) => {
    const top = 'params: { most: { type: number, default: 1 } }\nbuffers: { seen: {} }\n'
    const [first] = mistakesIn(`${top}triggers:\n  - { topic: t, key: =${name} }\nsteps:\n  - a: hi\n`)
    expect(first).toContain(`reference.unknown a trigger comes before the run and has no "${name.split('.')[0] ?? ''}"`)
  })
})

describe('the prompt with which an agent checks itself (A7)', () => {
  const agent = (selfCheck: string, more = ''): string =>
    `agents:\n  clerk: { prompt: "Answer {{ text }}", selfCheck: "${selfCheck}", limits: { turns: 2 }, returns: { text: string, score: 0..1 }${more} }\n`
  const asked = (selfCheck: string, step = '{ agent: clerk, with: { text: =input.text, tone: warm } }'): readonly string[] =>
    mistakesIn(`${agent(selfCheck)}steps:\n  - a: ${step}\n`)

  it('sees the answer and what the agent was asked with', () => {
    expect(asked('Is {{ it }} right for {{ text }} in {{ tone }}?')).toEqual([])
    expect(asked('Is {{ it.text }} right, {{ it.score }}?')).toEqual([])
    expect(asked('Is {{ it }} right for {{ text }}?', '{ agent: clerk, with: =input }')).toEqual([])
  })

  it('asks for nothing else', () => {
    expect(asked('Is {{ it }} right for {{ txt }}?')).toEqual([
      '2:78 prompt.slot_unknown agent "clerk" checks itself with {{ txt }}, and is not asked with "txt"; did you mean "text"? | it',
    ])
    expect(asked('Is {{ it.txt }} right?')).toEqual([
      expect.stringContaining('type.unknown_field it has no field "txt"; did you mean "it.text"?'),
    ])
  })

  it('is not judged where an agent may be asked with anything: by a team, or by an agent that hands over', () => {
    const team = '{ team: { planner: clerk, workers: [clerk], synthesis: clerk, limits: { rounds: 1, subtasks: 3, tokens: 1k } } }'
    expect(asked('Is {{ it }} right for {{ subtask }}?', team)).toEqual([])
    const other = '  other: { prompt: hi, limits: { turns: 1 }, handoff: [clerk] }\n'
    expect(mistakesIn(`${agent('Is {{ it }} right for {{ topic }}?')}${other}steps:\n  - a: { agent: other }\n`)).toEqual([])
  })
})

describe('the name of a flow', () => {
  it('has at most 200 characters', () => {
    const named = (chars: number): readonly string[] => mistakesIn(`flow: s/${'a'.repeat(chars - 2)}@1.0.0\nsteps:\n  - a: hi\n`)
    expect(named(200)).toEqual([])
    expect(named(201)).toEqual(['1:1 name.invalid the name of the flow has 201 characters; at most 200 are allowed'])
  })
})
