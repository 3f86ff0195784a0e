import { describe, expect, it } from '@jest/globals'
import type { AgentTurn, StepCommand } from '@baton/contracts'
import { compileFlow } from '@baton/flow'
import type { WorkContext } from '@baton/service'
import type { Question } from '../model.ts'
import { agentTurn } from './turn.ts'
import type { AgentTools } from './agent-work.ts'

const FLOW = `flow: docs/papers@1.0.0
limits: { time: 1m, steps: 9, cost: 1 USD, tokens: 9k }
agents:
  clerk: { model: m, prompt: Read the papers., limits: { turns: 2, calls: 1, tokens: 1k } }
input: { papers: 'image[]' }
steps:
  - read: { agent: clerk, media: =input.papers }
output: =read
`
const PAPER = 'data:image/png;base64,iVBORw0KGgo='

/** The question that a turn asks of the models. */
const askedIn = async (turnNumber: number): Promise<Omit<Question, 'signal'>> => {
  const compiled = compileFlow({ files: new Map([['flow.yaml', FLOW]]), entry: 'flow.yaml' })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const { plan } = compiled
  const node = Object.values(plan.nodes).find(({ kind }) => kind === 'agent')
  const agent = plan.agents?.['clerk']
  if (node === undefined || agent === undefined) throw new Error('no agent')
  const turn: AgentTurn = { agent: 'clerk', use: 'turn', turn: turnNumber, results: [], tools: [] }
  const asked: Omit<Question, 'signal'>[] = []
  const tools: AgentTools = {
    attempts: {
      ask: async ({ question }) => {
        asked.push(question)
        throw new Error('asked')
      },
    },
    pieces: () => undefined,
    transcripts: {
      load: async () => [],
      add: () => Promise.reject(new Error('nothing is kept before an answer')),
      outputs: async () => new Map(),
    },
    offers: async () => [],
    clockMs: () => 0,
  }
  // Only what a turn reads of its command and its surroundings.
  const command = { tenant: 'default', deadlineMs: 1_000 } as unknown as StepCommand
  const context = { plan, node, input: {}, parts: {}, media: [PAPER], nowMs: () => 0, delivery: 1 } as unknown as WorkContext
  await expect(agentTurn({ command, turn, agent, context }, tools)).rejects.toThrow('asked')
  const [question] = asked
  if (question === undefined) throw new Error('nothing was asked')
  return question
}

describe('a turn of an agent', () => {
  it('U5: is shown the pictures of its step, the first time and later', async () => {
    const media = [{ mediaType: 'image/png', base64: 'iVBORw0KGgo=' }]
    expect(await askedIn(1)).toMatchObject({ media })
    expect(await askedIn(2)).toMatchObject({ media })
  })
})
