import { describe, expect, it } from '@jest/globals'
import type { AgentTurn } from '@baton/contracts'
import { compileFlow, type Plan } from '@baton/flow'
import { agentOf } from './agent-work.ts'

const FLOW = `flow: docs/agents@1.0.0
limits: { time: 1m, steps: 9, cost: 1 USD, tokens: 9k }
agents:
  finder:
    { model: m, prompt: Find., limits: { turns: 1, calls: 1, tokens: 1k }, minConfidence: 0.6, fallback: helper, returns: { text: string, confidence: 0..1 } }
  helper: { model: m, prompt: Help., limits: { turns: 1, calls: 1, tokens: 1k } }
steps:
  - found: { agent: finder }
output: =found.text
`

const planOf = (text: string): Plan => {
  const result = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml' })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.plan
}
const turn = { agent: 'helper' } as unknown as AgentTurn // Nothing else of it is read.

describe('the agent of a turn', () => {
  it('G2: returns what the step is to return where it says nothing itself', () => {
    const plan = planOf(FLOW)
    const fallback = Object.values(plan.nodes).find(({ id }) => id === 'agents/finder/fallback')
    if (fallback === undefined) throw new Error('no fallback')
    expect(plan.agents?.['helper']?.returns).toBeUndefined()
    expect(agentOf(plan, fallback, turn).returns).toEqual(plan.agents?.['finder']?.returns)
  })
})
