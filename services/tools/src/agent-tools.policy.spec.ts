import { describe, expect, it } from '@jest/globals'
import type { AgentSpec, PlanNode } from '@baton/flow/plan'
import { checkAgentTool } from './agent-tools.policy.ts'

const agent = (name: string, tools: readonly string[], handoff: readonly string[] = []): AgentSpec => ({
  name,
  models: ['m'],
  prompt: 'p',
  tools,
  for: [],
  limits: { turns: 1 },
  handoff,
})
const agents = {
  clerk: agent('clerk', ['desk/look'], ['senior']),
  senior: agent('senior', ['desk/write'], ['clerk']),
  stranger: agent('stranger', ['bank/pay']),
}
const node = (body: object): PlanNode => ({ id: 'step', name: 'step', with: { lit: {} }, effect: 'read', ...body }) as PlanNode
const allowed = (body: object, tool: string, by?: string): boolean => {
  try {
    checkAgentTool({ agents }, node(body), { tool, agent: by })
    return true
  } catch {
    return false
  }
}

describe('tools of agents (C6)', () => {
  it('A1: those of the agent, and of whom it may hand over to', () => {
    const tools = ['desk/look', 'desk/write', 'bank/pay', 'desk/none']
    expect(tools.map((tool) => allowed({ kind: 'agent', agent: 'clerk' }, tool))).toEqual([true, true, false, false])
    expect(tools.map((tool) => allowed({ kind: 'agent', by: 'input.kind' }, tool))).toEqual([true, true, true, false])
  })

  it('A1: where the agent is named, those of that agent alone', () => {
    const clerk = { kind: 'agent', agent: 'clerk' }
    expect(['clerk', 'senior', 'stranger'].map((by) => allowed(clerk, 'desk/write', by))).toEqual([false, true, false])
  })

  it('A1: those of everybody in a team', () => {
    const team = { kind: 'team', planner: 'stranger', workers: ['senior'], synthesis: 'stranger', concurrency: 1, limits: {} }
    expect(['desk/write', 'desk/look', 'bank/pay'].map((tool) => allowed(team, tool))).toEqual([true, true, true])
  })

  it('says who is to blame', () => {
    expect(() => checkAgentTool({ agents }, node({ kind: 'agent', agent: 'clerk' }), { tool: 'bank/pay' })).toThrow(
      expect.objectContaining({ code: 'tool.unknown', detail: { tool: 'bank/pay', node: 'step' } }),
    )
    expect(() => checkAgentTool({ agents }, node({ kind: 'tool', tools: ['bank/pay'] }), { tool: 'bank/pay' })).toThrow(
      expect.objectContaining({ code: 'flow.invalid' }),
    )
    expect(() => checkAgentTool({}, node({ kind: 'agent', agent: 'clerk' }), { tool: 'desk/look' })).toThrow(
      expect.objectContaining({ code: 'tool.unknown' }),
    )
  })
})
