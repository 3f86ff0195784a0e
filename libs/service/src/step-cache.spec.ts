import { describe, expect, it } from '@jest/globals'
import type { Json, StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { ModelCacheStore } from '@baton/store'
import { stepCacheKey, throughCache } from './step-cache.ts'
import type { WorkResult } from './worker.ts'

const command = { tenant: 't', runId: 'r1', planHash: 'p', nodeId: 'customer' } as StepCommand
const node = {
  id: 'customer',
  kind: 'tool',
  tools: ['crm/customer'],
  effect: 'read',
  cache: { ttlMs: 1_000, scope: 'tenant' },
} as unknown as PlanNode
const input = { id: 'c1' }
const memory = (): ModelCacheStore => {
  const kept = new Map<string, Json>()
  return {
    find: ({ key }) => Promise.resolve(kept.has(key) ? { body: kept.get(key) ?? null, leftMs: 1 } : undefined),
    save: ({ key, body }) => Promise.resolve(void kept.set(key, body)),
    forget: ({ key }) => Promise.resolve(void kept.delete(key)),
    sweep: () => Promise.resolve(0),
  }
}
const meter = { startedAtMs: 0, latencyMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: 7 }
const told: WorkResult = { status: 'answered', output: { name: 'Ann' }, by: 'tool:crm/customer', meter, taint: ['tool:crm'] }

describe('answers of steps that look something up (B10)', () => {
  const asks = (store: ModelCacheStore, result: WorkResult = told) => {
    let done = 0
    const ask = (more: Partial<StepCommand> = {}, other: Partial<PlanNode> = {}) =>
      throughCache(
        { command: { ...command, ...more }, node: { ...node, ...other } as PlanNode, input },
        { store, nowMs: () => 5, work: () => Promise.resolve((done++, result)) },
      )
    return { ask, done: () => done }
  }

  it('H1: the same question is worked on once, and its answer is free; what it brought from outside is still said', async () => {
    const { ask, done } = asks(memory())
    await ask()
    expect(await ask({ runId: 'r2' })).toMatchObject({
      output: { name: 'Ann' },
      taint: ['tool:crm'],
      meter: { cached: true, costMicroUsd: 0 },
    })
    expect(done()).toBe(1)
  })

  it('H1: another tenant, input, key or scope is another question', () => {
    const key = (more: Partial<StepCommand>, other: Partial<PlanNode> = {}, what: Json = input) =>
      stepCacheKey({ command: { ...command, ...more }, node: { ...node, ...other } as PlanNode, input: what })
    const run = { cache: { ttlMs: 1, scope: 'run' as const } }
    expect(
      new Set([key({}), key({ cacheKey: 'c1' }), key({ nodeId: 'x' }), key({}, {}, { id: 'c2' }), key({}, run), key({ runId: 'r2' }, run)])
        .size,
    ).toBe(6)
    expect(key({ cacheKey: 'c1' }, {}, { id: 'c2' })).toBe(key({ cacheKey: 'c1' }))
  })

  it.each<[string, Partial<StepCommand>, Partial<PlanNode>]>([
    ['what changes something', {}, { effect: 'write' }],
    ['a call of an agent', { call: { id: 'c', tool: 'x' } }, {}],
    ['content that guards look at', { guard: { on: 'input' } }, {}],
    ['a question that a gate sent back', { override: { feedback: 'no' } }, {}],
    ['a dry run', { mode: 'dry_run' }, {}],
  ])('H2: %s is always worked on', async (_what, more, other) => {
    const { ask, done } = asks(memory())
    await ask(more, other)
    await ask(more, other)
    expect(done()).toBe(2)
  })

  it('H2: a failure is not kept', async () => {
    const { ask, done } = asks(memory(), { status: 'pending' })
    await ask()
    await ask()
    expect(done()).toBe(2)
  })

  it('H3: without the database the work is done', async () => {
    const away = () => Promise.reject(new Error('away'))
    const { ask } = asks({ find: away, save: away, forget: away, sweep: away })
    expect(await ask()).toEqual(told)
  })
})
