import { describe, expect, it } from '@jest/globals'
import type { StepCommand } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { WorkContext } from '@baton/service'
import { attemptsOver } from '../attempts/attempts.fixture.ts'
import { invokeHandler } from '../invoke/invoke.ts'
import type { Model } from '../model.ts'

const node: PlanNode = {
  id: 'ask',
  name: 'ask',
  kind: 'model',
  models: ['one'],
  prompt: 'p',
  with: { lit: null },
  effect: 'read',
  cache: { ttlMs: 60_000, scope: 'session' },
}
const plan = { prompts: { p: { parts: [{ slot: ['text'] }] } } } as unknown as Plan
let commands = 0
// The handler reads only these fields of a command.
const command = (more: Partial<StepCommand> = {}): StepCommand =>
  ({
    runId: 'r',
    tenant: 't',
    flow: 'a/b',
    nodeId: 'ask',
    attemptId: `a${++commands}`,
    session: 's1',
    priority: 'normal',
    deadlineMs: Date.now() + 9_000,
    ...more,
  }) as StepCommand
const context = (text: string): WorkContext => ({
  plan,
  node,
  input: { text },
  parts: {},
  media: [],
  signal: new AbortController().signal,
  nowMs: Date.now,
  delivery: 1,
})
const counting = () => {
  let asked = 0
  const model: Model = {
    name: 'one',
    provider: 'openai',
    local: false,
    invoke: () => Promise.resolve({ text: `answer ${++asked}`, usage: { costMicroUsd: 50 } }),
  }
  const catalogue = {
    resolve: () => [model],
    plan: () => ({ route: 'one', policy: 'fallback', steps: [{ model, role: 'primary' as const, stage: 0 }], candidates: [] }),
  }
  return { asked: () => asked, handle: invokeHandler(attemptsOver(catalogue)) }
}

describe('the cache of a step (B10)', () => {
  it('A1: the same question of the same session is answered without asking, and says what that saved', async () => {
    const { handle, asked } = counting()
    await handle(command(), context('hi'))
    expect(await handle(command({ runId: 'other' }), context('hi'))).toMatchObject({
      output: 'answer 1',
      by: 'model:one',
      meter: { cached: true, costMicroUsd: 0, savedMicroUsd: 50 },
    })
    expect(asked()).toBe(1)
  })
  it('A1: another question, session or tenant is asked', async () => {
    const { handle, asked } = counting()
    await handle(command(), context('hi'))
    await handle(command(), context('ho'))
    await handle(command({ session: 's2' }), context('hi'))
    await handle(command({ tenant: 'other' }), context('hi'))
    expect(asked()).toBe(4)
  })
  it('A1: what the step says makes two calls the same counts instead of the question', async () => {
    const { handle, asked } = counting()
    await handle(command({ cacheKey: 'card' }), context('hi'))
    await handle(command({ cacheKey: 'card' }), context('hello'))
    expect(asked()).toBe(1)
  })
  it('A2: an answer that a gate sent back is asked for anew, and not given again', async () => {
    const { handle } = counting()
    await handle(command(), context('hi'))
    expect(await handle(command({ override: { feedback: 'be nicer' } }), context('hi'))).toMatchObject({ output: 'answer 2' })
    expect(await handle(command(), context('hi'))).toMatchObject({ output: 'answer 3' })
  })
})
