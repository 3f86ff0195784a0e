import { describe, expect, it } from '@jest/globals'
import type { Json } from '@baton/contracts/json'
import { askedFor, failed, given, play, programOf, requested, resultIn, turned, type Step } from '../testing.ts'

const flow = (limits: string): ReturnType<typeof programOf> =>
  programOf(`agents:
  planner: { model: m, prompt: Plan., limits: { turns: 2 }, returns: { tasks: { type: list, items: { kind: documents | numbers, text: string } } } }
  reader: { model: m, prompt: Read., for: [documents], limits: { turns: 2 } }
  analyst: { model: m, prompt: Count., for: [numbers], limits: { turns: 2 } }
  writer: { model: m, prompt: Write., limits: { turns: 2 } }
input: { question: string }
steps:
  - report: { team: { planner: planner, workers: [reader, analyst], synthesis: writer, concurrency: 2, limits: ${limits} }, with: { question: =input.question } }
`)
const once = flow('{ rounds: 1, subtasks: 3 }')
const start = requested({ question: 'why?' }, { engineVersion: 2 })
const says = (member: string, output: Json): Step => turned(`report/${member}/turn[1]/1`, { calls: [] }, output)
const plan = (member: string, ...tasks: readonly string[]): Step =>
  says(member, { tasks: tasks.map((text) => ({ kind: text.startsWith('n') ? 'numbers' : 'documents', text })) })

describe('a team (A6)', () => {
  it('the planner is asked; its subtasks go to the workers that are for them, so many at once', () => {
    expect(askedFor(given(once, start).outputs, 'report/plan[1]/turn[1]')).toMatchObject({
      turn: { agent: 'planner' },
      input: { question: 'why?' },
    })
    const { outputs } = given(once, start).when(plan('plan[1]', 'd1', 'n1', 'd2'))
    expect(askedFor(outputs, 'report/task[0]/turn[1]')).toMatchObject({
      turn: { agent: 'reader' },
      input: { question: 'why?', task: { text: 'd1' } },
    })
    expect(askedFor(outputs, 'report/task[1]/turn[1]')?.turn?.agent).toBe('analyst')
    expect(askedFor(outputs, 'report/task[2]/turn[1]')).toBeUndefined()
  })

  it('T2: the synthesis gets what was found and what failed, and its answer is the output', () => {
    const history = [
      start,
      plan('plan[1]', 'd1', 'n1'),
      says('task[0]', { fact: 1 }),
      failed('report/task[1]/turn[1]/1', 'model.unavailable'),
    ]
    expect(askedFor(play(once, history).outputs, 'report/synthesis/turn[1]')?.input).toMatchObject({
      question: 'why?',
      findings: [
        { agent: 'reader', task: { text: 'd1' }, found: { fact: 1 } },
        { agent: 'analyst', fault: { code: 'model.unavailable' } },
      ],
    })
    const { result } = resultIn(play(once, [...history, says('synthesis', { text: 'so' })]).outputs) ?? {}
    expect(result).toMatchObject({ status: 'completed', output: { text: 'so' } })
  })

  it('T2: fails when every subtask has', () => {
    const story = play(once, [start, plan('plan[1]', 'd1'), failed('report/task[0]/turn[1]/1')])
    expect(resultIn(story.outputs)?.result.fault?.code).toBe('tool.failed')
  })

  it('T1: too many subtasks are a limit', () => {
    expect(resultIn(play(once, [start, plan('plan[1]', '1', '2', '3', '4')]).outputs)?.result.fault?.code).toBe('limit.subtasks_exceeded')
  })

  it('T1: the planner is asked again with the findings, until it has no more subtasks or rounds', () => {
    const twice = flow('{ rounds: 2, subtasks: 9 }')
    const history = [start, plan('plan[1]', 'd1'), says('task[0]', 1)]
    expect(askedFor(play(twice, history).outputs, 'report/plan[2]/turn[1]')?.input).toMatchObject({ round: 2, findings: [{ found: 1 }] })
    expect(askedFor(play(twice, [...history, plan('plan[2]')]).outputs, 'report/synthesis/turn[1]')).toBeDefined()
    const more = play(twice, [...history, plan('plan[2]', 'd2'), says('task[1]', 2)])
    expect(askedFor(more.outputs, 'report/synthesis/turn[1]')?.input).toMatchObject({ findings: [{ found: 1 }, { found: 2 }] })
  })

  it('agent/A5: who stands in for a worker gets its subtask', () => {
    const program = programOf(`agents:
  planner: { model: m, prompt: Plan., limits: { turns: 2 }, returns: { tasks: { type: list, items: { text: string } } } }
  reader: { model: m, prompt: Read., limits: { turns: 2 }, minConfidence: 0.6, fallback: senior, returns: { confidence: 0..1 } }
  senior: { model: m, prompt: Read., limits: { turns: 2 }, returns: { confidence: 0..1 } }
  writer: { model: m, prompt: Write., limits: { turns: 2 } }
input: { question: string }
steps:
  - report: { team: { planner: planner, workers: [reader], synthesis: writer, limits: { rounds: 1, subtasks: 3 } }, with: { question: =input.question } }
`)
    const { outputs } = given(program, start, says('plan[1]', { tasks: [{ text: 'd1' }] })).when(says('task[0]', { confidence: 0.2 }))
    const command = outputs.flatMap((output) => (output.to === 'command' ? [output.command] : []))
    expect(command).toMatchObject([{ turn: { agent: 'senior' }, input: { question: 'why?', task: { text: 'd1' } } }])
  })
})
