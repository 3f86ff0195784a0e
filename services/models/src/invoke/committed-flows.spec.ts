// The committed flows, compiled, with their model steps done by the committed catalogue: no provider, no network.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import type { StepCommand } from '@baton/contracts'
import type { Json } from '@baton/contracts/json'
import { compileFlow } from '@baton/flow'
import type { Plan } from '@baton/flow/plan'
import type { WorkResult } from '@baton/service'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { attemptsOver } from '../attempts/attempts.fixture.ts'
import { invokeHandler } from './invoke.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

const planOf = (flow: string): Plan => {
  const dir = join(root, 'flows', flow)
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ya?ml|json|md)$/.test(name))
  const files = new Map(names.map((name) => [name.replaceAll('\\', '/'), readFileSync(join(dir, name), 'utf8')]))
  const result = compileFlow({ files, entry: 'flow.yaml' })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.plan
}

const stepOf = async (plan: Plan, nodeId: string, input: Json): Promise<WorkResult> => {
  const catalogue = await loadCatalogue(join(root, 'config'), { flowsDir: join(root, 'flows'), nowMs: () => 0 })
  const node = plan.nodes[nodeId]
  if (node === undefined) throw new Error(`no node ${nodeId}`)
  // The handler reads only some fields of a command; the rest is the kit's.
  const command = { attemptId: nodeId, tenant: 't', flow: 'a/b', deadlineMs: 60_000, priority: 'normal' } as StepCommand
  const context = { plan, node, input, signal: new AbortController().signal, nowMs: () => 0, parts: {}, media: [], delivery: 1 }
  return invokeHandler(attemptsOver(catalogue))(command, context)
}

describe('flows/support (S1, S2)', () => {
  const plan = planOf('support')

  it('S1: classifies by the route strong, 5 s and 3 tries, exponential', async () => {
    expect(plan.nodes['classify']).toMatchObject({ models: ['strong'], timeoutMs: 5_000, retry: { attempts: 3, backoff: 'exponential' } })
    expect(plan.nodes['docs']).toMatchObject({ kind: 'retrieve', timeoutMs: 10_000, retry: { attempts: 2, backoff: 'fixed' } })
    expect(plan.nodes['answer']).toMatchObject({ models: ['answer-large', 'extractive'], timeoutMs: 8_000 })
    expect(plan.limits.timeMs).toBe(60_000)
  })

  it('S2: an intent comes with a confidence that the gate can read', async () => {
    expect(await stepOf(plan, 'classify', { text: 'Someone stole my card, please block it' })).toMatchObject({
      output: { intent: 'other', label: 'lost_or_stolen_card', sensitive: true, confidence: expect.any(Number) },
      by: 'model:intent-classifier',
      meter: { provider: 'classifier', costMicroUsd: 0, confidence: expect.any(Number) },
    })
    expect(await stepOf(plan, 'classify', { text: 'who won the world cup in 1998' })).toMatchObject({ output: { intent: 'unknown' } })
  })

  it('S2: every human branch opens its ticket before it asks', () => {
    const humans = Object.values(plan.nodes).filter(({ kind }) => kind === 'human')
    expect(humans).toHaveLength(6)
    for (const { id } of humans) {
      const block = plan.blocks.find((ids) => ids.includes(id)) ?? []
      const before = block[block.indexOf(id) - 1] ?? ''
      expect(plan.nodes[before]).toMatchObject({ kind: 'tool', tools: ['support/create_ticket'] })
    }
  })

  it('S1: without a provider the answer is quoted from the documents (B5)', async () => {
    const docs = [{ id: 'd', title: 'Exchange rates', text: 'Currency exchanges execute at the interbank rate plus a markup of 0.5%.' }]
    expect(
      await stepOf(plan, 'answer', { text: 'What is your exchange rate?', intent: 'other', facts: { found: false, text: '' }, docs }),
    ).toMatchObject({
      by: 'model:extractive',
      output: { text: expect.stringContaining('interbank rate plus a markup of 0.5%'), sources: ['Exchange rates'] },
    })
  })
})

describe('flows/hello', () => {
  it('A2: twenty real questions get a desk by rules', async () => {
    const plan = planOf('hello')
    const lines = readFileSync(join(root, 'flows/hello/questions.jsonl'), 'utf8').trim().split('\n')
    const abouts = await Promise.all(
      lines.map(async (line) => {
        const { input } = JSON.parse(line) as { input: Json } // The committed file's own format.
        const result = await stepOf(plan, 'topic', input)
        return result.status === 'answered' ? (result.output as { about: string }).about : '' // Its schema was checked.
      }),
    )
    expect(abouts).toHaveLength(20)
    expect(new Set(abouts)).toEqual(new Set(['card', 'refund', 'other']))
  })
})
