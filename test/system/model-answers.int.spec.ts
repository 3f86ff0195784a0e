// What models really answer, over real HTTP: mended, asked again, failed over, waited for, or handed to a person (slice 4, B5, B6, B15).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { commandTopic, type Event, type MessageOf } from '@baton/contracts'
import { startFakeProvider, type FakeProvider, type Reply, type Script } from './fake-provider.ts'
import { openSystem, until, type Published, type System } from './system.ts'

const MODELS = `
models:
  fake-a: { provider: openai, model: fake-a, price: { input: 1, output: 2 }, temperature: 0 }
  fake-b: { provider: openai, model: fake-b, price: { input: 1, output: 2 }, temperature: 0 }
`
/** Cost of one answer of 120 and 30 tokens. */
const ANSWER_MICRO_USD = 180

/** One model step on two models; `more` says what happens when both fail. */
const flow = (name: string, step: string, more = ''): string => `
flow: test/${name}@1.0.0
limits: { time: 30s }
input: { text: string }
steps:
  - sort:
      prompt: 'What does this customer want? {{ text }}'
      with: { text: =input.text }
      returns: { intent: refund | other, confidence: 0..1 }
${step.replaceAll(/^/gm, '      ')}
output: { intent: =sort.intent, confidence: =sort.confidence, by: =sort.by }
${more}
`
const BOTH = 'model: [fake-a, fake-b]'
const PERSON = `onError:
  human: { queue: support, sla: 10m, title: What does this customer want? }
  with: { text: =input.text, fault: =fault.code }
  then: next`

const FLOWS = {
  'once/flow.yaml': flow('once', `${BOTH}\ntimeout: 4s`),
  'tries/flow.yaml': flow('tries', `${BOTH}\ntimeout: 4s\nretry: { attempts: 3, backoff: fixed, delay: 20ms, jitter: false }`),
  'patient/flow.yaml': flow('patient', 'model: fake-a\ntimeout: 4s\nretry: { attempts: 3, backoff: fixed, delay: 20ms, jitter: false }'),
  'alone/flow.yaml': flow('alone', 'model: fake-a\ntimeout: 4s'),
  'person/flow.yaml': flow('person', `${BOTH}\ntimeout: 4s\n${PERSON}`),
  'gated/flow.yaml': flow(
    'gated',
    `${BOTH}\ntimeout: 4s\ngate:\n  - { when: it.confidence >= 0.8, then: next }\n  - { when: it.confidence >= 0.5, then: { retry: { model: fake-b, attempts: 1 } } }\n  - else: { human: { queue: support, sla: 10m }, with: { draft: =it } }`,
  ),
  'hurried/flow.yaml': flow('hurried', `${BOTH}\ntimeout: 1s`),
  'doomed/flow.yaml': flow(
    'doomed',
    `${BOTH}\ntimeout: 1s`,
    'onError: { tool: ops/log_error, with: { code: =fault.code, message: =fault.message } }',
  ).replace('time: 30s', 'time: 3s'),
}

const good = '{"intent":"refund","confidence":0.9}'
const fenced = `Sure! Here is the classification:\n\n\`\`\`json\n{\n  "intent": "refund",\n  "confidence": 0.9,\n}\n\`\`\`\nLet me know if you need more.`
const prose = `The customer wants money back, so: {"intent": "refund", "confidence": 0.9} That is my answer.`
const chatter: Reply = { text: 'I would say that this customer wants their money back, but I cannot be sure.' }
const limited = (seconds: string): Reply => ({ status: 429, headers: { 'retry-after': seconds } })
const busy: Reply = { status: 503 }

jest.setTimeout(60_000)
let provider: FakeProvider
jest.setTimeout(60_000)
let system: System
beforeAll(async () => {
  provider = await startFakeProvider()
  // Every story breaks something, and each is one of its own: breakers have stories of their own.
  system = await openSystem({
    flows: FLOWS,
    models: MODELS,
    limits: 'breakers: { failuresInRow: 1000, failedShare: 1 }\n',
    env: { OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: provider.apiKey },
  })
})
afterAll(async () => {
  await system.close()
  await provider.close()
})

type Story = Published & { readonly asked: readonly string[]; readonly meters: readonly MessageOf<'journal.step.completed'>['meter'][] }

const completions = (events: readonly Event[]): readonly MessageOf<'journal.step.completed'>[] =>
  events.flatMap((event) => (event.name === 'journal.step.completed' ? [event.data] : []))
const failures = (events: readonly Event[]): readonly MessageOf<'journal.step.failed'>[] =>
  events.flatMap((event) => (event.name === 'journal.step.failed' ? [event.data] : []))

const asked = (topic: string): readonly string[] => provider.calls(topic).map(({ model }) => model)

/** Runs a flow about a topic whose answers are scripted. */
const play = async (name: string, topic: string, script: Script): Promise<Story> => {
  provider.script(topic, script)
  const published = await system.request({ id: topic, flow: `test/${name}`, input: { text: topic } })
  await ended(published.result.runId)
  return { ...published, asked: asked(topic), meters: completions(system.journal(published.result.runId)).map(({ meter }) => meter) }
}
const ended = (runId: string): Promise<true> =>
  until('the end of the run in the journal', () =>
    system.journal(runId).some(({ name }) => name === 'journal.run.ended') ? true : undefined,
  )

const refund = (by: string, confidence = 0.9) => ({ status: 'completed', output: { intent: 'refund', confidence, by: `model:${by}` } })

describe('answers that can be mended (B15)', () => {
  it('S2: fenced JSON with a trailing comma is mended, marked and trusted a little less', async () => {
    const story = await play('once', 'fenced', { 'fake-a': [{ text: fenced }] })
    expect(story.result).toMatchObject(refund('fake-a', 0.81))
    expect(story.meters).toMatchObject([{ model: 'fake-a', repaired: true, confidence: 0.81, tries: 1 }])
    expect(story.asked).toEqual(['fake-a'])
  })

  it('S2: JSON in the middle of prose is found, one call', async () => {
    const story = await play('once', 'prose', { 'fake-a': [{ text: prose }] })
    expect(story.result).toMatchObject({ status: 'completed', output: { intent: 'refund', by: 'model:fake-a' } })
    expect(story.meters).toMatchObject([{ repaired: true }])
    expect(story.asked).toEqual(['fake-a'])
  })

  it('an answer that is right is neither marked nor trusted less, and costs what its usage says (B13)', async () => {
    const story = await play('once', 'right', { 'fake-a': [{ text: good, tokens: [1_000, 100] }] })
    expect(story.result).toMatchObject({ ...refund('fake-a'), metrics: { costUsd: 0.0012 } })
    expect(story.meters).toMatchObject([{ inputTokens: 1_000, outputTokens: 100, costMicroUsd: 1_200 }])
    expect(story.meters[0]).not.toHaveProperty('repaired')
  })
})

describe('answers that cannot (B5, B15)', () => {
  it('O3: one that was cut is not asked for again but failed over, and both are paid', async () => {
    const story = await play('once', 'truncated', {
      'fake-a': [{ text: '{"intent":"refund","confi', finish: 'length' }],
      'fake-b': [{ text: good }],
    })
    expect(story.result).toMatchObject({ ...refund('fake-b'), metrics: { costUsd: (2 * ANSWER_MICRO_USD) / 1e6 } })
    expect(story.meters).toMatchObject([{ model: 'fake-b', failedOver: ['fake-a: output.truncated'], tries: 1 }])
    expect(story.asked).toEqual(['fake-a', 'fake-b'])
  })

  it('T3: one that is no JSON is asked for again with the reason', async () => {
    const story = await play('once', 'chatter-once', { 'fake-a': [chatter, { text: good }] })
    expect(story.result).toMatchObject(refund('fake-a'))
    expect(story.asked).toEqual(['fake-a', 'fake-a'])
    const [first, second] = provider.calls('chatter-once')
    expect(first?.prompt).not.toContain('could not be used')
    expect(second?.prompt).toContain('could not be used')
  })

  it('T3: one that does not fit the schema is told the place, and is right then', async () => {
    const story = await play('once', 'misfit', { 'fake-a': [{ text: '{"intent":"complaint","confidence":0.9}' }, { text: good }] })
    expect(story.result).toMatchObject({ ...refund('fake-a'), metrics: { costUsd: (2 * ANSWER_MICRO_USD) / 1e6 } })
    expect(provider.calls('misfit')[1]?.prompt).toMatch(/intent/)
  })

  it('T3: asked again and still no JSON, the other model answers', async () => {
    const story = await play('once', 'chatter-twice', { 'fake-a': [chatter], 'fake-b': [{ text: good }] })
    expect(story.result).toMatchObject(refund('fake-b'))
    expect(story.meters).toMatchObject([{ failedOver: ['fake-a: output.malformed'] }])
    expect(story.asked).toEqual(['fake-a', 'fake-a', 'fake-b'])
  })

  it('E1: when nobody gives JSON the handler of the step asks a person, and the run goes on with that', async () => {
    const topic = 'chatter-only'
    provider.script(topic, { 'fake-a': [chatter], 'fake-b': [chatter] })
    await system.send(JSON.stringify({ id: topic, flow: 'test/person', input: { text: topic } }))
    const review = await until('a review', async () => {
      const { body } = await system.http<{ items: readonly { taskId: string; runId: string }[] }>('GET', '/v1/reviews?queue=support')
      return body.items.find(({ runId }) => failures(system.journal(runId)).some(({ fault }) => fault.code === 'output.malformed'))
    })
    const decided = await system.http('POST', `/v1/reviews/${review.taskId}:decide`, {
      by: 'ada',
      verdict: 'respond',
      output: { intent: 'refund', confidence: 1 },
    })
    expect(decided.status).toBe(200)
    const [answer] = await system.results(topic)
    expect(answer?.result).toMatchObject({
      status: 'completed',
      output: { intent: 'refund', by: 'human:ada' },
      metrics: { escalated: true, costUsd: (4 * ANSWER_MICRO_USD) / 1e6 },
    })
    expect(asked(topic)).toEqual(['fake-a', 'fake-a', 'fake-b', 'fake-b'])
  })

  it('D8: a gate asks another model when the first is unsure', async () => {
    const story = await play('gated', 'unsure', { 'fake-a': [{ text: '{"intent":"other","confidence":0.6}' }], 'fake-b': [{ text: good }] })
    expect(story.result).toMatchObject(refund('fake-b'))
    expect(story.asked).toEqual(['fake-a', 'fake-b'])
  })
})

describe('providers that fail (B6)', () => {
  it('W1: 429 with Retry-After is not asked before that time', async () => {
    const story = await play('patient', 'limited', { 'fake-a': [limited('1'), { text: good }] })
    expect(story.result).toMatchObject(refund('fake-a'))
    expect(story.meters).toMatchObject([{ tries: 2 }])
    const [first, second] = provider.calls('limited')
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(990) // Retry-After, not a timing of ours
    expect(story.asked).toEqual(['fake-a', 'fake-a'])
  })

  it('429 of one model is no reason to wait while another answers', async () => {
    const story = await play('tries', 'limited-elsewhere', { 'fake-a': [limited('1')], 'fake-b': [{ text: good }] })
    expect(story.result).toMatchObject(refund('fake-b'))
    expect(story.asked).toEqual(['fake-a', 'fake-b'])
  })

  it('503 twice, then right: three tries of one dispatch', async () => {
    const story = await play('patient', 'busy-twice', { 'fake-a': [busy, busy, { text: good }] })
    expect(story.result).toMatchObject(refund('fake-a'))
    expect(story.meters).toMatchObject([{ tries: 3 }])
    expect(story.asked).toEqual(['fake-a', 'fake-a', 'fake-a'])
  })

  it('T4: one that hangs is left after its share of the try, and the other answers', async () => {
    const story = await play('hurried', 'hanging', { 'fake-a': ['hang'], 'fake-b': [{ text: good, delayMs: 50 }] })
    expect(story.result).toMatchObject(refund('fake-b'))
    expect(story.meters).toMatchObject([{ failedOver: ['fake-a: model.timed_out'] }])
  })

  it('a connection that breaks in the middle, and a page of some proxy, are failed over', async () => {
    const dropped = await play('once', 'dropped', { 'fake-a': ['drop'], 'fake-b': [{ text: good }] })
    expect(dropped.result).toMatchObject(refund('fake-b'))
    expect(dropped.meters).toMatchObject([{ failedOver: ['fake-a: model.unavailable'] }])
    const proxied = await play('once', 'proxied', { 'fake-a': ['html'], 'fake-b': [{ text: good }] })
    expect(proxied.result).toMatchObject(refund('fake-b'))
    expect([...dropped.asked, ...proxied.asked]).toEqual(['fake-a', 'fake-b', 'fake-a', 'fake-b'])
  })

  it('T1: one that refuses for good is not asked again in the later tries', async () => {
    const story = await play('tries', 'refused', { 'fake-a': [{ status: 401 }], 'fake-b': [busy, { text: good }] })
    expect(story.result).toMatchObject(refund('fake-b'))
    expect(story.asked).toEqual(['fake-a', 'fake-b', 'fake-b'])
  })

  it('W4: a dispatch whose tries are used up rests in a retry topic, announced, and goes on', async () => {
    const story = await play('alone', 'resting', { 'fake-a': [busy, { text: good }] })
    expect(story.result).toMatchObject(refund('fake-a'))
    expect(system.journal(story.result.runId)).toContainEqual(
      expect.objectContaining({
        name: 'journal.step.waiting',
        data: expect.objectContaining({ reason: 'retrying', fault: expect.objectContaining({ code: 'model.unavailable' }) }),
      }),
    )
    expect(story.asked).toEqual(['fake-a', 'fake-a'])
  })

  it('R8: when all are dead the step fails, its command is a dead letter, the flow reports it and the run fails with it', async () => {
    const story = await play('doomed', 'all-dead', { 'fake-a': [busy], 'fake-b': ['drop'] })
    const { runId } = story.result
    expect(story).toMatchObject({ type: 'baton.run.failed.v1', result: { status: 'failed', fault: { code: 'model.unavailable' } } })
    expect(failures(system.journal(runId))).toMatchObject([
      {
        path: 'sort',
        deadLettered: true,
        fault: { code: 'model.unavailable', detail: { trail: 'fake-a: model.unavailable, fake-b: model.unavailable' } },
      },
    ])
    expect(completions(system.journal(runId))).toMatchObject([{ by: 'tool:ops/log_error' }])
    const letters = (await system.deadLetters('models')).filter(({ headers }) => headers['ce_subject'] === runId)
    expect(letters).toMatchObject([{ failure: { fault: { code: 'model.unavailable' } } }])
    expect(story.asked).toEqual(['fake-a', 'fake-b'])
  })
})

describe('what people see of it (G1, G6)', () => {
  it('the trace of a run names model, tries, cost, who stood in for whom, and what was mended', async () => {
    const { result } = await play('once', 'traced', { 'fake-a': [busy], 'fake-b': [{ text: fenced }] })
    const trace = await until('the whole trace', async () => {
      const { body } = await system.http<{ run: { status: string }; steps: readonly Record<string, unknown>[] }>(
        'GET',
        `/v1/runs/${result.runId}/trace`,
      )
      return body.run.status === 'completed' ? body : undefined
    })
    expect(trace.steps).toMatchObject([
      {
        path: 'sort',
        kind: 'model',
        status: 'completed',
        model: 'fake-b',
        by: 'model:fake-b',
        attempt: 1,
        tries: 1,
        repaired: true,
        confidence: 0.81,
        failedOver: ['fake-a: model.unavailable'],
        costUsd: ANSWER_MICRO_USD / 1e6,
      },
    ])
  })
})

describe('what was bought (L9)', () => {
  it('W3: a command that is delivered again after its answer answers from the store and buys nothing', async () => {
    const { result } = await play('once', 'delivered-again', { 'fake-a': [{ text: good }] })
    const topic = commandTopic('models')
    const { partitions } = await system.platform.bus.describe(topic)
    const records = await Promise.all(
      partitions.map(({ partition, first }) => system.platform.bus.read({ topic, partition, offset: first, limit: 1_000 })),
    )
    const command = records.flat().find(({ headers }) => headers['ce_subject'] === result.runId)
    if (command === undefined) throw new Error('no command')
    await system.platform.bus.publish([{ topic, key: command.key, value: command.value, headers: command.headers }])
    await until('the repeated answer', () => system.journal(result.runId).find(({ name }) => name === 'journal.answer.ignored'))
    expect(asked('delivered-again')).toEqual(['fake-a'])
    expect(await system.results('delivered-again')).toHaveLength(1)
  })

  it('no call was made that no script expected', () => {
    expect(provider.unexpected()).toEqual([])
  })
})
