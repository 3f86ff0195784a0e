// Rules at the end of the work of a step: a worker with them, on a real bus and database.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandTopic, encodeEvent, TOPICS, type Meter, type StepCommand } from '@baton/contracts'
import { startHost } from './host.ts'
import { openTestPlatform, type TestPlatform } from './platform.fixture.ts'
import type { RunningService } from './platform.ts'
import { createWorker } from './worker-kit.ts'

const PLAN_HASH = 'a'.repeat(64)
const RULES = `review:
  - { rule: unsure, confidenceBelow: 0.7, need: { queue: support, sla: 1h } }
  - { rule: first, flow: new/*, firstOfVersion: 2, need: { queue: support } }
  - { rule: labels, sample: 100%, need: { queue: labels } }
`
const meter: Meter = { startedAtMs: 0, latencyMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: 5 }
const returns = { type: 'object', properties: { text: { type: 'string' } } }

let platform: TestPlatform
let service: RunningService
let calls = 0
beforeAll(async () => {
  platform = await openTestPlatform()
  await mkdir(platform.config.configDir, { recursive: true })
  await writeFile(join(platform.config.configDir, 'policies.yaml'), RULES)
  const body = JSON.stringify({ hash: PLAN_HASH, nodes: { answer: { id: 'answer', kind: 'model', effect: 'read', returns } } })
  await platform.stores.flows.publish({
    tenant: 'default',
    flow: 'a/b',
    version: '1',
    hash: PLAN_HASH,
    body,
    alias: 'stable',
    replace: false,
    by: 'spec',
  })
  const worker = createWorker({
    platform,
    service: 'models',
    handlers: {
      'model.invoke': ({ input, override }) => {
        calls += 1
        const text = override?.feedback === 'large' ? 'x'.repeat(300_000) : 'Hello.'
        const confidence = typeof input === 'number' ? { confidence: input } : {}
        return Promise.resolve({ status: 'answered', output: { text }, by: 'model:x', meter: { ...meter, ...confidence } })
      },
    },
    keepAnswer: () => true,
  })
  service = await startHost({ name: 'models', platform, controllers: [worker] })
})
afterAll(async () => {
  await service.close({ graceMs: 1_000 })
  await platform.close()
})

const ask = async (runId: string, input: StepCommand['input'], more: Partial<StepCommand> = {}): Promise<void> => {
  const data: StepCommand = {
    runId,
    rootRunId: runId,
    tenant: 'default',
    flow: 'a/b',
    version: '1',
    planHash: PLAN_HASH,
    engineVersion: 1,
    nodeId: 'answer',
    path: 'answer',
    kind: 'model',
    attempt: 1,
    attemptId: `${runId}/answer/1`,
    leaseUntilMs: Date.now() + 60_000,
    deadlineMs: Date.now() + 60_000,
    reservation: runId,
    effectKey: runId,
    priority: 'normal',
    answerPartition: 0,
    input,
    ...more,
  }
  const event = encodeEvent({ name: 'model.invoke', data, id: `${data.attemptId}/c`, source: '/spec', subject: runId, tenant: 'default' })
  await platform.bus.publish([{ topic: commandTopic('models'), ...event }])
}
const answerOf = async (runId: string) => {
  for (;;) {
    const found = (await platform.events(TOPICS.events)).find(({ subject }) => subject === runId)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('rules that bring people in, in a worker (E2)', () => {
  it('what it is not sure of goes to a person, with the output as the draft, the reasons and what was measured', async () => {
    await ask('run_unsure', 0.4)
    const { name, data } = await answerOf('run_unsure')
    expect(name).toBe('step.asks')
    expect(data).toMatchObject({
      meter: { costMicroUsd: 5 },
      ask: {
        kind: 'edit',
        use: 'output',
        queue: 'support',
        slaMs: 3_600_000,
        risk: 'reversible',
        input: { question: 0.4, draft: { text: 'Hello.' }, confidence: 0.4, madeBy: 'model:x' },
        reasons: ['unsure: confidence 0.4 is below 0.7'],
        measured: { confidence: 0.4, route: 'model:x', rule: 'unsure' },
        schema: returns,
      },
    })
  })

  it('W3: asking is kept as any answer: the work is not done again', async () => {
    const before = calls
    await ask('run_unsure', 0.4)
    await ask('run_last', 0.9)
    await answerOf('run_last')
    expect(calls).toBe(before + 1)
  })

  it('V3, V4: what is sure goes on and is looked at afterwards; what a person answered is not asked again', async () => {
    await ask('run_sure', 0.9)
    expect((await answerOf('run_sure')).name).toBe('step.completed')
    const samples = await platform.waitForEvents(commandTopic('hitl', 'bulk'), 2)
    expect(samples.find(({ subject }) => subject === 'run_sure')?.data).toMatchObject({
      path: 'answer',
      ask: { kind: 'label', queue: 'labels', measured: { confidence: 0.9, share: 1, rule: 'labels' } },
    })
    const answered = { taskId: 't', verdict: 'approve' as const, output: null, by: 'ann', fingerprint: 'f', decidedAtMs: 1 }
    await ask('run_answered', 0.1, { answered })
    expect((await answerOf('run_answered')).name).toBe('step.completed')
  })

  it('V5: what is too large to be looked at does not pass by the rule', async () => {
    await ask('run_large', 0.2, { override: { feedback: 'large' } })
    expect(await answerOf('run_large')).toMatchObject({ name: 'step.failed', data: { fault: { code: 'step.output_too_large' } } })
  })

  it('V6: the first runs of a version are looked at, as many as the rule says', async () => {
    const names: string[] = []
    for (const run of ['run_n1', 'run_n2', 'run_n3']) {
      await ask(run, null, { flow: 'new/flow' })
      names.push((await answerOf(run)).name)
    }
    expect(names).toEqual(['step.asks', 'step.asks', 'step.completed'])
    await ask('run_n4', null, { flow: 'new/flow', version: '2' })
    expect((await answerOf('run_n4')).name).toBe('step.asks')
  })
})
