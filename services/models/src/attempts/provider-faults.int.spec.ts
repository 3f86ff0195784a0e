// Every class of error as a provider really shows it, over both wire formats, to the remedy it gets (B5).
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { StepCommand } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { WorkContext, WorkResult } from '@baton/service'
import { startRig, type FaultRule, type Rig } from '@baton/testing/rig'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { invokeHandler } from '../invoke/invoke.ts'
import { attemptsOver } from './attempts.fixture.ts'

const QUESTION = 'Where is my card?'
const RECORDINGS = ['first', 'second', 'claude'].map((model) => ({
  model,
  id: 'a',
  asked: QUESTION,
  text: `It is on its way, says ${model}. `.repeat(3),
  inputTokens: 40,
  outputTokens: 20,
  latencyMs: 30,
}))
let dir: string
let rig: Rig
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-faults-'))
  rig = await startRig({ recordings: RECORDINGS, speed: 1 })
})
afterEach(async () => {
  await rig.close()
  await rm(dir, { recursive: true, force: true })
})

const modelsYaml = (): string => `
servers:
  one: { speaks: openai, url: ${rig.openAiUrl} }
  other: { speaks: openai, url: ${rig.openAiUrl} }
  two: { speaks: anthropic, url: ${rig.anthropicUrl}, keyFrom: RIG_API_KEY }
models:
  first: { provider: openai, server: one, model: first, price: { input: 1, output: 2 }, limits: { firstToken: 600ms, idle: 300ms } }
  second: { provider: openai, server: other, model: second, price: { input: 1, output: 2 } }
  claude: { provider: anthropic, server: two, model: claude, price: { input: 1, output: 2 }, limits: { firstToken: 600ms, idle: 300ms } }
`
const node = (models: readonly string[]): PlanNode => ({
  id: 'ask',
  name: 'ask',
  kind: 'model',
  models,
  prompt: 'p',
  with: { lit: null },
  effect: 'read',
  timeoutMs: 4_000,
})
let commands = 0
const ask = async (models: readonly string[], faults: readonly FaultRule[]): Promise<WorkResult> => {
  await writeFile(join(dir, 'models.yaml'), modelsYaml())
  rig.setFaults(faults)
  const catalogue = await loadCatalogue(dir, { flowsDir: dir, modelsDir: dir, env: { RIG_API_KEY: 'none' }, nowMs: Date.now })
  const plan = { prompts: { p: { parts: [{ slot: ['text'] }] } } } as unknown as Plan
  // The handler reads only these fields of a command.
  const command = {
    runId: 'r',
    tenant: 't',
    flow: 'a/b',
    nodeId: 'ask',
    attemptId: `a${++commands}`,
    priority: 'normal',
    deadlineMs: Date.now() + 5_000,
  } as StepCommand
  const context: WorkContext = {
    plan,
    node: node(models),
    input: { text: QUESTION },
    parts: {},
    media: [],
    signal: new AbortController().signal,
    nowMs: Date.now,
    delivery: 1,
  }
  return invokeHandler(attemptsOver(catalogue))(command, context)
}
const failing = (fault: FaultRule['fault'], model = 'first'): readonly FaultRule[] => [{ fault, model }]

describe('errors of providers (B5)', () => {
  const CASES: readonly (readonly [string, FaultRule['fault'], string])[] = [
    ['a rate limit', { kind: 'status', status: 429, retryAfterMs: 5_000 }, 'model.rate_limited'],
    ['an overload', { kind: 'status', status: 503 }, 'model.'],
    ['a wrong key', { kind: 'status', status: 401 }, 'model.unauthorized'],
    ['a connection that breaks', { kind: 'reset' }, 'model.unavailable'],
    ['no first token', { kind: 'hang' }, 'model.timed_out'],
    ['a stream that stops', { kind: 'stall', stallMs: 2_000 }, 'model.stalled'],
    ['a stream that is cut', { kind: 'cut' }, 'model.'],
  ]
  for (const [what, fault, code] of CASES) {
    it(`${what} goes to the next model, and nothing of it is in the answer`, async () => {
      const result = await ask(['first', 'second'], failing(fault))
      expect(result).toMatchObject({ status: 'answered', by: 'model:second', output: RECORDINGS[1]?.text })
      expect(result.status === 'answered' ? result.meter.failedOver?.[0] : '').toContain(`first: ${code}`)
    })
    it(`${what} over the messages interface goes to the next model`, async () => {
      const result = await ask(['claude', 'second'], failing(fault, 'claude'))
      expect(result).toMatchObject({ status: 'answered', by: 'model:second' })
    })
  }
  it('a body that is no JSON is tried elsewhere', async () => {
    expect(await ask(['second', 'first'], failing({ kind: 'malformed' }, 'second'))).toMatchObject({ by: 'model:first' })
  })
  it('a rate limit that ends before the deadline puts the command off until then', async () => {
    const result = await ask(['second'], failing({ kind: 'status', status: 429, retryAfterMs: 1_000 }, 'second'))
    expect(result).toMatchObject({ status: 'deferred' })
  })
  it('a question that is too long goes to the next model', async () => {
    const fault = { kind: 'status', status: 400, message: 'maximum context length is 10 tokens', code: 'context_length_exceeded' } as const
    const result = await ask(['first', 'second'], failing(fault))
    expect(result.status === 'answered' ? result.meter.failedOver : []).toEqual(['first: model.context_too_long'])
  })
  it('usage is billed by what the provider tells (B9)', async () => {
    expect(await ask(['second'], [])).toMatchObject({ meter: { inputTokens: 40, outputTokens: 20, costMicroUsd: 80 } })
    expect(await ask(['claude'], [])).toMatchObject({ meter: { inputTokens: 40, outputTokens: 20, costMicroUsd: 80 } })
  })
})
