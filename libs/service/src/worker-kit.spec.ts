import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  commandTopic,
  deadLetterTopic,
  encodeEvent,
  Fault,
  retryTopic,
  TOPICS,
  type Event,
  type Meter,
  type StepCommand,
} from '@baton/contracts'
import type { Plan } from '@baton/flow/plan'
import { startHost } from './host.ts'
import { retryPolicyOf } from './lane-server.ts'
import { openTestPlatform, type TestPlatform } from './platform.fixture.ts'
import type { RunningService } from './platform.ts'
import { createWorker, retryDelayMs } from './worker-kit.ts'
import type { WorkHandler } from './worker.ts'

const PLAN_HASH = 'a'.repeat(64)
const plan = { flow: 'a/b', version: '1', hash: PLAN_HASH, nodes: { step: { id: 'step', kind: 'model' } } } as unknown as Plan // the part of a plan that a worker looks at
const meter: Meter = { startedAtMs: 0, latencyMs: 1, tries: 1, inputChars: 1, outputChars: 1, costMicroUsd: 0 }
const answered = (output: unknown): Awaited<ReturnType<WorkHandler>> => ({
  status: 'answered',
  output: output as string,
  by: 'model:x',
  meter,
})

let platform: TestPlatform
let service: RunningService
const work = new Map<string, WorkHandler>()
const calls: string[] = []

beforeAll(async () => {
  platform = await openTestPlatform()
  await platform.stores.flows.publish({
    tenant: 'default',
    flow: 'a/b',
    version: '1',
    hash: PLAN_HASH,
    body: JSON.stringify(plan),
    alias: 'stable',
    replace: false,
    by: 'spec',
  })
  const handler: WorkHandler = (command, context) => {
    calls.push(command.runId)
    const found = work.get(command.runId)
    return found === undefined ? Promise.resolve(answered('ok')) : found(command, context)
  }
  const worker = createWorker({
    platform,
    service: 'models',
    handlers: { 'model.invoke': handler },
    keepAnswer: (command) => command.runId.startsWith('run_kept'),
    lanes: { retry: { ...retryPolicyOf('models'), laneDelayMs: 1, retryTopics: retryPolicyOf('models').retryTopics.slice(1, 2) } },
  })
  service = await startHost({ name: 'models', platform, controllers: [worker] })
})
afterAll(async () => {
  await service.close({ graceMs: 1_000 })
  await platform.close()
})

const commandOf = (runId: string, more: Partial<StepCommand> = {}): StepCommand => ({
  runId,
  rootRunId: runId,
  tenant: 'default',
  flow: 'a/b',
  version: '1',
  planHash: PLAN_HASH,
  engineVersion: 1,
  nodeId: 'step',
  path: 'step',
  kind: 'model',
  attempt: 1,
  attemptId: `${runId}/step/1`,
  leaseUntilMs: Date.now() + 60_000,
  deadlineMs: Date.now() + 60_000,
  reservation: '',
  effectKey: `${runId}/step/0`,
  priority: 'normal',
  answerPartition: 1,
  input: { text: 'hello' },
  ...more,
})
const send = async (runId: string, more: Partial<StepCommand> = {}, work_?: WorkHandler): Promise<void> => {
  if (work_ !== undefined) work.set(runId, work_)
  const wire = encodeEvent({
    id: `${runId}/1`,
    source: '/baton/routing',
    subject: runId,
    tenant: 'default',
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    name: 'model.invoke',
    data: commandOf(runId, more),
  })
  await platform.bus.publish([{ topic: commandTopic('models'), ...wire }])
}
const answersOf = async (runId: string, count = 1): Promise<readonly Event[]> => {
  for (;;) {
    const found = (await platform.events(TOPICS.events)).filter((event) => event.subject === runId)
    if (found.length >= count) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
const deadLettersOf = async (key: string): Promise<number> =>
  (await platform.records(deadLetterTopic('models'))).filter((record) => record.key === key).length
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}

describe('worker kit', () => {
  it('answers on the partition that the command names, under the id of the attempt, with the trace context', async () => {
    await send('run_plain')
    const [answer] = await answersOf('run_plain')
    expect(answer).toMatchObject({
      id: 'run_plain/step/1/completed/1',
      name: 'step.completed',
      source: '/baton/models',
      traceparent: expect.stringContaining('1111'),
      data: { output: 'ok', by: 'model:x', meter },
    })
    expect((await platform.records(TOPICS.events)).find((record) => record.key === 'run_plain')?.partition).toBe(1)
  })

  it('W1: keeps what it cannot read in the dead letters and tells the run when it can tell which', async () => {
    await send('run_garbled', { attempt: 'first' as unknown as number })
    const [answer] = await answersOf('run_garbled')
    expect(answer).toMatchObject({ name: 'step.failed', data: { deadLettered: true, fault: { code: 'message.undecodable' } } })
    await until(async () => (await deadLettersOf('run_garbled')) === 1)
    expect(calls).not.toContain('run_garbled')
  })

  it('W2: does not start work after the deadline', async () => {
    await send('run_late', { deadlineMs: Date.now() - 1 })
    expect(await answersOf('run_late')).toMatchObject([{ name: 'step.expired' }])
    expect(calls).not.toContain('run_late')
  })

  it('W3, B12: answers a redelivered command from the store instead of buying the work again', async () => {
    await send('run_kept_1')
    await answersOf('run_kept_1')
    await send('run_kept_1')
    const answers = await answersOf('run_kept_1', 2)
    expect(answers[0]).toEqual({ ...answers[1], time: answers[0]?.time })
    expect(calls.filter((runId) => runId === 'run_kept_1')).toHaveLength(1)
  })

  it('W3: does not buy again what was paid for and of no use', async () => {
    const loss = { ...meter, costMicroUsd: 9 }
    const useless: WorkHandler = () => Promise.resolve({ status: 'failed', fault: new Fault('output.malformed', 'prose'), meter: loss })
    await send('run_kept_useless', {}, useless)
    await answersOf('run_kept_useless')
    await send('run_kept_useless')
    expect(await answersOf('run_kept_useless', 2)).toMatchObject([
      { name: 'step.failed', data: { fault: { code: 'output.malformed' }, meter: loss } },
      { name: 'step.failed', data: { fault: { code: 'output.malformed' }, meter: loss } },
    ])
    expect(calls.filter((runId) => runId === 'run_kept_useless')).toHaveLength(1)
  })

  it('W3: simply does cheap work again', async () => {
    await send('run_cheap')
    await answersOf('run_cheap')
    await send('run_cheap')
    await answersOf('run_cheap', 2)
    expect(calls.filter((runId) => runId === 'run_cheap')).toHaveLength(2)
  })

  it('W4, F4: announces the wait in a retry topic', async () => {
    await send('run_busy', {}, () => Promise.reject(new Fault('model.unavailable', 'down')))
    const [answer] = await answersOf('run_busy')
    expect(answer).toMatchObject({
      id: 'run_busy/step/1/retrying/1',
      name: 'step.retrying',
      data: { tries: 1, fault: { code: 'model.unavailable' } },
    })
    await until(async () => (await platform.records(retryTopic('models', '5s'))).some((record) => record.key === 'run_busy'))
  })

  it('W4: gives up when the wait would end after the deadline', async () => {
    await send('run_short', { deadlineMs: Date.now() + 2_000 }, () => Promise.reject(new Fault('model.rate_limited', 'slow down')))
    expect(await answersOf('run_short')).toMatchObject([
      { name: 'step.failed', data: { deadLettered: true, fault: { code: 'model.rate_limited' } } },
    ])
    await until(async () => (await deadLettersOf('run_short')) === 1)
  })

  it('W4: answers a fault that no retry helps at once, and keeps no dead letter', async () => {
    await send('run_refused', {}, () => Promise.reject(new Fault('model.refused', 'never')))
    expect(await answersOf('run_refused')).toMatchObject([{ name: 'step.failed', data: { fault: { code: 'model.refused' } } }])
    expect(await deadLettersOf('run_refused')).toBe(0)
  })

  it('W4: answers at once what the handler calls final, whatever the code says', async () => {
    const final: WorkHandler = () => Promise.resolve({ status: 'failed', fault: new Fault('tool.failed', 'no'), meter, final: true })
    await send('run_final', {}, final)
    expect(await answersOf('run_final')).toMatchObject([{ name: 'step.failed', data: { fault: { code: 'tool.failed' }, meter } }])
    expect(await deadLettersOf('run_final')).toBe(0)
  })

  it('A7: passes on the calls of a turn, inline however large, and keeps them for a redelivery', async () => {
    const calls = [{ id: 'c', tool: 'a/b', arguments: { text: 'x'.repeat(10_000) } }]
    const turn: WorkHandler = () =>
      Promise.resolve({ ...answered(null), turn: { calls, confidence: 0.5 } } as Awaited<ReturnType<WorkHandler>>)
    await send('run_kept_turn', {}, turn)
    await answersOf('run_kept_turn')
    await send('run_kept_turn')
    const answers = await answersOf('run_kept_turn', 2)
    expect(answers).toMatchObject([{ data: { output: null, turn: { calls, confidence: 0.5 } } }, { data: { turn: { calls } } }])
  })

  it('W4: tries an error nobody foresaw again in the lane', async () => {
    let failures = 0
    await send('run_flaky', {}, () => (failures++ === 0 ? Promise.reject(new TypeError('oops')) : Promise.resolve(answered('second'))))
    expect(await answersOf('run_flaky')).toMatchObject([{ name: 'step.completed', data: { output: 'second' } }])
  })

  it('W4: waits for a dependency that is down without using up a try', async () => {
    await send('run_down', {}, () => Promise.reject(new Fault('store.unavailable', 'restarting')))
    expect(await answersOf('run_down')).toMatchObject([{ name: 'step.deferred', data: { reason: 'store.unavailable' } }])
  })

  it('says that long work still goes on', async () => {
    const untilMs = Date.now() + 90_000
    await send('run_long', {}, async (_command, { extend }) => {
      await extend?.(untilMs)
      return answered('late')
    })
    expect(await answersOf('run_long', 2)).toMatchObject([{ name: 'step.extended', data: { untilMs } }, { name: 'step.completed' }])
  })

  it('lets a handler leave the answer to somebody else', async () => {
    await send('run_pending', {}, () => Promise.resolve({ status: 'pending' }))
    await until(async () => calls.includes('run_pending'))
    expect((await platform.events(TOPICS.events)).filter((event) => event.subject === 'run_pending')).toEqual([])
  })

  it('W5, F8: keeps a large output in the payload store and its small fields inline', async () => {
    const output = { intent: 'refund', text: 'x'.repeat(10_000) }
    await send('run_large', {}, () => Promise.resolve(answered(output)))
    const [answer] = await answersOf('run_large')
    const data = answer?.name === 'step.completed' ? answer.data : undefined
    expect(data?.output).toEqual({ intent: 'refund' })
    const { content } = await platform.stores.payloads.get({ tenant: 'default', sha256: data?.outputRef?.sha256 ?? '' })
    expect(JSON.parse(content.toString())).toEqual(output)
  })

  it('F8: gives the handler the content behind a reference', async () => {
    const ref = await platform.stores.payloads.put({
      tenant: 'default',
      content: Buffer.from('{"pages":["one","two"]}'),
      mediaType: 'application/json',
    })
    await send('run_reference', { input: { page: { $payload: ref.sha256, at: ['pages', '1'] } } }, (_command, { input }) =>
      Promise.resolve(answered(input)),
    )
    expect(await answersOf('run_reference')).toMatchObject([{ data: { output: { page: 'two' } } }])
  })

  it('W5, H5: stores content redacted, by reference', async () => {
    await send('run_content', {}, () =>
      Promise.resolve({ ...answered('ok'), content: { prompt: 'write to jane@mail.example' } } as Awaited<ReturnType<WorkHandler>>),
    )
    const [answer] = await answersOf('run_content')
    const ref = answer?.name === 'step.completed' ? answer.data.meter?.contentRef : undefined
    const { content } = await platform.stores.payloads.get({ tenant: 'default', sha256: ref?.sha256 ?? '' })
    expect(JSON.parse(content.toString())).toEqual({ prompt: 'write to [email]' })
  })

  it('F3: aborts the signal at the deadline', async () => {
    const aborted = new Promise<string>((resolve) => {
      work.set('run_slow', (_command, { signal }) => {
        signal.addEventListener('abort', () => resolve('aborted'))
        return Promise.resolve({ status: 'pending' })
      })
    })
    await send('run_slow', { deadlineMs: Date.now() + 300 })
    expect(await aborted).toBe('aborted')
  })
})

describe('wait before a retry', () => {
  it.each([
    ['a fault of ours', new Fault('handler.failed', ''), 0, 0],
    ['a provider that failed', new Fault('model.unavailable', ''), 0, 5_000],
    ['a provider that says how long', new Fault('model.rate_limited', '', { retryAfterMs: 12_000 }), 0, 12_000],
    ['a provider that asks for too much', new Fault('model.rate_limited', '', { retryAfterMs: 9_000_000 }), 0, 3_600_000],
    ['a later rung', new Fault('model.unavailable', ''), 30_000, 30_000],
  ])('W4: %s', (_case, fault, nextDelayMs, expected) => {
    expect(retryDelayMs(fault, { nextDelayMs })).toBe(expected)
  })
})
