// Calls of tools that agents ask for: the same rules as for tool steps, and the agent hears of what failed (A7).
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { Fault, type Json, type StepCommand } from '@baton/contracts'
import type { AgentSpec, Plan, PlanNode } from '@baton/flow/plan'
import type { Platform, WorkResult } from '@baton/service'
import { migrate, openPglite, openStore, type Database } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { migrations } from './migrations/migrations.ts'
import { toolCall } from './tool-call.consumer.ts'
import { createRegistry } from './tool-registry.ts'
import { fixedSource } from './tool-source.ts'
import { defineTool, type Tool } from './tool.ts'

let db: Database
let platform: Platform
beforeAll(async () => {
  db = await openPglite()
  const stores = await openStore(db)
  await migrate(db, { scope: 'tools', migrations })
  // Tools see neither the bus nor the configuration.
  platform = { db, stores, telemetry: openTelemetry({ service: 'test', level: 'error' }), nowMs: () => 1_000 } as unknown as Platform
}, 60_000)
afterAll(async () => {
  await platform.telemetry.close()
  await db.close()
})

const clerk: AgentSpec = {
  name: 'clerk',
  models: ['m'],
  prompt: 'p',
  tools: ['desk/look', 'desk/pay'],
  for: [],
  limits: { turns: 4 },
  handoff: [],
}
const plan = { agents: { clerk } } as unknown as Plan // what the handler reads of it
const node = {
  id: 'desk',
  name: 'desk',
  kind: 'agent',
  agent: 'clerk',
  with: { lit: {} },
  effect: 'write',
  timeoutMs: 1,
  returns: { type: 'object', required: ['verdict'] },
} as unknown as PlanNode

let effects: string[] = []
let looks = 0
const looking = (run: (n: number) => unknown = () => ({ seen: true })): Tool =>
  defineTool({
    name: 'desk/look',
    effect: 'read',
    input: z.strictObject({ what: z.string() }),
    output: z.looseObject({}),
    timeoutMs: 1_000,
    run: () => run((looks += 1)) as { seen: boolean },
  })
const paying = (fail?: () => unknown): Tool =>
  defineTool({
    name: 'desk/pay',
    effect: 'write',
    input: z.looseObject({}),
    output: z.object({ paid: z.string() }),
    timeoutMs: 1_000,
    run: (_args, { effectKey }) => {
      const failure = fail?.()
      if (failure instanceof Fault) throw failure
      effects.push(effectKey)
      if (failure !== undefined) throw failure
      return { paid: effectKey }
    },
  })

let runs = 0
const call = (tool: string, input: Json, { tools, key }: { tools: readonly Tool[]; key?: string }): Promise<WorkResult> => {
  const runId = `run_${(runs += 1)}`
  const path = 'desk/turn[1]/call[0]'
  const effectKey = key ?? `${runId}/${path}`
  // What the handler reads of a command.
  const command = { runId, tenant: 'default', flow: 'a/b', path, effectKey, call: { id: 'c1', tool } } as unknown as StepCommand
  const context = { plan, node, input, signal: new AbortController().signal, nowMs: () => 1_000, parts: {}, media: [], delivery: 1 }
  return toolCall({ platform, registry: createRegistry([fixedSource('test', tools)]) })(command, context)
}

describe('tool.call of an agent (C4, C6)', () => {
  it('X4: calls the tool with the arguments of the model, in the time of the tool, whatever the step returns', async () => {
    looks = 0
    expect(await call('desk/look', { what: 'door' }, { tools: [looking()] })).toMatchObject({
      status: 'answered',
      output: { seen: true },
      by: 'tool:desk/look',
      meter: { tool: 'desk/look', tries: 1 },
    })
  })

  it('refuses a tool that the agent does not have, and one that nobody has', async () => {
    await expect(call('bank/pay', {}, { tools: [looking()] })).rejects.toMatchObject({ code: 'tool.unknown', detail: { tool: 'bank/pay' } })
    await expect(call('desk/pay', {}, { tools: [looking()] })).rejects.toMatchObject({ code: 'tool.unknown' })
  })

  it('X1: arguments that do not fit are refused by field, and nothing is called', async () => {
    looks = 0
    const wrong = call('desk/look', { what: 7 }, { tools: [looking()] })
    await expect(wrong).rejects.toMatchObject({ code: 'tool.arguments_invalid', detail: { field: 'what' } })
    expect(looks).toBe(0)
  })

  it('X4: what failed for certain is tried once more, and told at once', async () => {
    looks = 0
    const broken = looking(() => {
      throw new Error('no light')
    })
    expect(await call('desk/look', { what: 'door' }, { tools: [broken] })).toMatchObject({
      status: 'failed',
      final: true,
      fault: { code: 'tool.failed', message: 'desk/look: no light' },
    })
    expect(looks).toBe(2)
  })

  it('C2: an effect is had once for its key, however often the command comes', async () => {
    effects = []
    const key = 'run_twice/desk/turn[1]/call[0]'
    const first = await call('desk/pay', { amount: 5 }, { tools: [paying()], key })
    expect(await call('desk/pay', { amount: 5 }, { tools: [paying()], key })).toMatchObject({ output: { paid: key } })
    expect(first).toMatchObject({ output: { paid: key } })
    expect(effects).toEqual([key])
  })

  it('C3, X4: an effect that may have happened is not told as failed but found out, and never had twice', async () => {
    effects = []
    const key = 'run_doubt/desk/turn[1]/call[0]'
    const tools = [paying(() => new Error('connection reset'))]
    await expect(call('desk/pay', {}, { tools, key })).rejects.toMatchObject({ code: 'tool.failed' })
    await expect(call('desk/pay', {}, { tools, key })).rejects.toMatchObject({ code: 'effect.uncertain' })
    expect(effects).toEqual([key])
  })

  it('C5: an effect that certainly did not happen may be asked for again', async () => {
    effects = []
    const tools = [paying(() => new Fault('tool.failed', 'the bank is closed'))]
    expect(await call('desk/pay', {}, { tools })).toMatchObject({ status: 'failed', final: true, fault: { code: 'tool.failed' } })
    expect(effects).toEqual([])
  })
})
