import { describe, expect, it } from '@jest/globals'
import { askedFor, completed, failed, given, play, programOf, requested, resultIn, turned, type Step } from '../testing.ts'

const ref = (sha: string) => ({ sha256: sha.repeat(64).slice(0, 64), sizeBytes: 1, mediaType: 'application/json' })
const AGENTS = `agents:
  clerk: { model: m, prompt: You help., tools: [shop/find, shop/pay], for: [refund], limits: { turns: 4, calls: 20 }, handoff: [expert] }
  expert: { model: big, prompt: You know., for: [technical, other], limits: { turns: 3 } }
`
const flow = (step: string, agents = AGENTS): ReturnType<typeof programOf> =>
  programOf(`${agents}input: { kind: refund | technical | other }\nsteps:\n  - a: ${step}\n`)
const clerk = flow('{ agent: clerk, with: { text: hi } }')
const start = requested({ kind: 'refund' }, { engineVersion: 2 })
const call = (id: string, input: Record<string, string> = {}, tool = 'shop/find') => ({ id, tool, arguments: input })
const answered = (turn: number, output: { text: string; confidence?: number }, confidence?: number): Step =>
  turned(`a/turn[${turn}]/1`, { calls: [], ...(confidence === undefined ? {} : { confidence }) }, output)

describe('an agent (A7)', () => {
  it('A1: is asked turn by turn, with its task, its tools, and to whom it may hand over', () => {
    const command = askedFor(given(clerk, start).outputs, 'a/turn[1]')
    expect(command).toMatchObject({
      nodeId: 'a',
      kind: 'model',
      input: { text: 'hi' },
      turn: { agent: 'clerk', turn: 1, use: 'turn', tools: ['shop/find', 'shop/pay', 'handoff/expert'], results: [] },
    })
    expect(resultIn(play(clerk, [start, answered(1, { text: 'done' })]).outputs)?.result.output).toEqual({ text: 'done' })
  })

  const asked: Step = turned('a/turn[1]/1', { calls: [call('c1', { q: 'x' }), call('c2', { q: 'y' })], transcript: ref('a') })

  it('A1, A2: its calls are steps; the next turn gets their results and the newest piece of the conversation', () => {
    const calls = given(clerk, start).when(asked).outputs
    expect(askedFor(calls, 'a/turn[1]/call[1]')).toMatchObject({
      kind: 'tool',
      nodeId: 'a',
      call: { id: 'c2', tool: 'shop/find', agent: 'clerk' },
      input: { q: 'y' },
    })
    const next = given(clerk, start, asked, completed('a/turn[1]/call[1]/1', 'Y')).when(failed('a/turn[1]/call[0]/1'))
    expect(askedFor(next.outputs, 'a/turn[2]')?.turn).toMatchObject({
      turn: 2,
      transcript: ref('a'),
      results: [
        { id: 'c1', tool: 'shop/find', fault: { code: 'tool.failed' } },
        { id: 'c2', tool: 'shop/find', output: 'Y' },
      ],
    })
  })

  it('A4: a tool it does not have is a fault of the call, told to it', () => {
    const { outputs } = given(clerk, start).when(turned('a/turn[1]/1', { calls: [call('c1', {}, 'bank/rob')] }))
    expect(askedFor(outputs, 'a/turn[2]')?.turn?.results).toMatchObject([{ id: 'c1', fault: { code: 'tool.unknown' } }])
  })

  const rounds = (count: number, results: (turn: number) => string, from = 1): readonly Step[] =>
    Array.from({ length: count }, (_, index) => index + from).flatMap((turn) => [
      turned(`a/turn[${turn}]/1`, { calls: [call('c', { q: results(turn) })] }),
      completed(`a/turn[${turn}]/call[0]/1`, results(turn)),
    ])

  it('A3: at its last turn it gets no tools, and is told so; then it is at its cap', () => {
    const last = given(clerk, start, ...rounds(3, String))
    expect(askedFor(last.outputs.slice(-4), 'a/turn[4]')?.turn).toMatchObject({ tools: [], note: expect.stringContaining('last turn') })
    expect(resultIn(play(clerk, [start, ...rounds(4, String)]).outputs)?.result.fault?.code).toBe('limit.turns_exceeded')
  })

  const patient = flow('{ agent: clerk }', AGENTS.replace('turns: 4', 'turns: 9'))

  it('A3: stops when turns come to the same', () => {
    expect(resultIn(play(patient, [start, ...rounds(3, () => 'same')]).outputs)?.result.fault?.code).toBe('agent.stuck')
  })

  const fair = requested({ kind: 'refund' }, { engineVersion: 4 })
  const looked = (turn: number, q: string, came: Step): readonly Step[] => [
    turned(`a/turn[${turn}]/1`, { calls: [call('c', { q })] }),
    came,
  ]

  it('A3: three questions that find nothing are three questions (engine 4)', () => {
    const searches = [1, 2, 3, 4].flatMap((turn) => looked(turn, `question ${turn}`, completed(`a/turn[${turn}]/call[0]/1`, [])))
    expect(askedFor(play(patient, [fair, ...searches]).outputs, 'a/turn[5]')?.turn?.turn).toBe(5)
    expect(resultIn(play(patient, [start, ...searches]).outputs)?.result.fault?.code).toBe('agent.stuck') // as older engines decided
  })

  it('A3: the same question with the same answer, and the same mistake in other words, come to the same (engine 4)', () => {
    const same = [1, 2, 3].flatMap((turn) => looked(turn, 'x', completed(`a/turn[${turn}]/call[0]/1`, [])))
    const wrong = [1, 2, 3].flatMap((turn) => looked(turn, `try ${turn}`, failed(`a/turn[${turn}]/call[0]/1`, 'tool.arguments_invalid')))
    for (const story of [same, wrong]) expect(resultIn(play(patient, [fair, ...story]).outputs)?.result.fault?.code).toBe('agent.stuck')
  })

  it('A3: stops when it makes the very same call again and again', () => {
    const again = [1, 2, 3, 4].flatMap((turn): readonly Step[] => [
      turned(`a/turn[${turn}]/1`, { calls: [call('c', { q: 'x' })] }),
      completed(`a/turn[${turn}]/call[0]/1`, turn),
    ])
    expect(resultIn(play(patient, [start, ...again]).outputs)?.result.fault?.code).toBe('agent.repeating')
  })

  it('K4, R5: calls are capped for the whole step', () => {
    const capped = flow('{ agent: clerk, limits: { calls: 3 }, onLimit: { set: capped } }')
    const story = play(capped, [start, ...rounds(2, String)])
    expect(resultIn(story.outputs)?.result).toMatchObject({ output: 'capped', degraded: ['limit.calls_exceeded'] })
  })

  it('hands over to whom it may, with a conversation of its own', () => {
    const { outputs } = given(clerk, start, asked, completed('a/turn[1]/call[0]/1'), completed('a/turn[1]/call[1]/1')).when(
      turned('a/turn[2]/1', { calls: [call('h', { task: 'look closer' }, 'handoff/expert')] }),
    )
    const command = askedFor(outputs, 'a/turn[3]')
    expect(command?.turn).toMatchObject({ agent: 'expert', note: 'clerk handed this over to you: look closer', results: [] })
    expect(command?.turn?.transcript).toBeUndefined()
  })

  it('is chosen by the type of task', () => {
    const routed = flow('{ agent: { for: =input.kind } }')
    expect(askedFor(given(routed, requested({ kind: 'technical' }, { engineVersion: 2 })).outputs, 'a/turn[1]')?.turn?.agent).toBe('expert')
    expect(resultIn(play(routed, [requested({ kind: 'else' }, { engineVersion: 2 })]).outputs)?.result.fault?.code).toBe('agent.unknown')
  })
})

describe('an agent that has to be sure', () => {
  const agents = `agents:
  clerk: { model: m, prompt: You help., limits: { turns: 4 }, minConfidence: 0.6, fallback: senior, returns: { text: string, confidence: 0..1 } }
  senior: { model: big, prompt: You know., limits: { turns: 4 }, minConfidence: 0.6, selfCheck: Is it so?, fallback: { human: support }, returns: { text: string, confidence: 0..1 } }
`
  const program = flow('{ agent: clerk }', agents)

  it('answers when it is', () => {
    expect(resultIn(play(program, [start, answered(1, { text: 'x', confidence: 0.9 })]).outputs)?.result).toMatchObject({
      output: { text: 'x' },
    })
  })

  it('else another takes over, and after that a person, who sees what it came to', () => {
    const unsure = given(program, start).when(answered(1, { text: 'x', confidence: 0.4 }))
    const senior = unsure.outputs.find((output) => output.to === 'command')
    const path = senior?.to === 'command' ? senior.command.path : ''
    expect(senior?.to === 'command' && senior.command.turn).toMatchObject({ agent: 'senior', turn: 1 })
    const attempt = senior?.to === 'command' ? senior.command.attempt : 0
    const checked = given(program, start, answered(1, { text: 'x', confidence: 0.4 })).when(
      turned(`${path}/${attempt}`, { calls: [] }, { text: 'y', confidence: 0.9 }),
    )
    const check = checked.outputs.find((output) => output.to === 'command')
    expect(check?.to === 'command' && check.command.turn).toMatchObject({ use: 'check', answer: { text: 'y' } })
  })

  it('no confidence is not enough', () => {
    const { outputs } = given(program, start).when(answered(1, { text: 'x' }))
    expect(outputs.some((output) => output.to === 'command' && output.command.turn?.agent === 'senior')).toBe(true)
  })
})
