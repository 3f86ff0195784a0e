// Turns of agents over the real services of models and tools: the suite plays the engine, one command after the other (A7).
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import {
  commandTopic,
  encodeEvent,
  TOPICS,
  type AgentCall,
  type AgentResult,
  type Event,
  type Json,
  type MessageOf,
  type StepCommand,
} from '@baton/contracts'
import { compileFlow } from '@baton/flow'
import { start as startModels } from '@baton/models'
import { inProcessServiceCall, type RunningService } from '@baton/service'
import { start as startTools } from '@baton/tools'
import { openTestPlatform, type TestPlatform } from '../../libs/service/src/platform.fixture.ts'
import { startFakeProvider, type FakeProvider, type Reply } from './fake-provider.ts'

const MODELS = `
models:
  fake-a: { provider: openai, model: fake-a, price: { input: 1, output: 2 }, temperature: 0 }
  fake-b: { provider: openai, model: fake-b, price: { input: 1, output: 2 }, temperature: 0 }
  told: { provider: scripted, script: desk/script.yaml, price: { input: 1, output: 2 } }
`
const SCRIPT = `
answers:
  - when: { use: check, contains: forty }
    answer: { verdict: 'It is 40.', confidence: 0.4 }
  - when: { use: check }
    answer: { verdict: It is 42., confidence: 0.9 }
  - when: { turn: 1 }
    calls: [{ tool: demo/no_op, arguments: { v: '{{ input.v }}' } }]
  - when: { turn: 2 }
    answer: { verdict: 'It is {{ result.v }}.', confidence: 0.7 }
    tokens: [100, 10]
`
const FLOW = `
flow: test/desk@1.0.0
limits: { time: 30s }
input: { topic: string }
agents:
  clerk:
    about: Adds one to numbers
    model: [fake-a, fake-b]
    prompt: 'You add one to a number. The case: {{ input.topic }}'
    tools: [demo/no_op, demo/echo]
    handoff: senior
    limits: { turns: 6, calls: 10 }
    returns: { verdict: string, confidence: 0..1 }
  senior:
    model: fake-a
    prompt: You look at what others could not do.
    limits: { turns: 6, calls: 10 }
    returns: { verdict: string, confidence: 0..1 }
  puppet:
    model: told
    prompt: You add one.
    tools: demo/no_op
    selfCheck: Is every number right?
    limits: { turns: 6, calls: 10 }
    returns: { verdict: string, confidence: 0..1 }
steps:
  - desk: { agent: clerk, with: { input: { topic: =input.topic } } }
  - stage: { agent: puppet, with: { v: 41 } }
output: =stage
`

jest.setTimeout(60_000)
let provider: FakeProvider
let platform: TestPlatform
let root = ''
let planHash = ''
const services = new Map<string, RunningService>()

const publishFlow = async (): Promise<string> => {
  const compiled = compileFlow({ files: new Map([['flow.yaml', FLOW]]), entry: 'flow.yaml' })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const { flow, version, hash } = compiled.plan
  const body = JSON.stringify(compiled.plan)
  await platform.stores.flows.publish({ tenant: 'default', flow, version, hash, body, alias: 'stable', replace: false, by: 'suite' })
  return hash
}

beforeAll(async () => {
  provider = await startFakeProvider()
  root = await mkdtemp(join(tmpdir(), 'baton-turns-'))
  await mkdir(join(root, 'flows/desk'), { recursive: true })
  await writeFile(join(root, 'flows/desk/script.yaml'), SCRIPT)
  await writeFile(join(root, 'models.yaml'), MODELS)
  const { baseUrl, apiKey } = provider
  const opened = await openTestPlatform({ configDir: root, flowsDir: join(root, 'flows'), openai: { baseUrl, apiKey } })
  platform = { ...opened, call: inProcessServiceCall(services) }
  services.set('tools', await startTools(platform, {}))
  services.set('models', await startModels(platform, {}))
  planHash = await publishFlow()
})
afterAll(async () => {
  await Promise.all([...services.values()].map((service) => service.close({ graceMs: 1_000 })))
  await platform.close()
  await provider.close()
  await rm(root, { recursive: true, force: true })
})

/** Waits until `probe` gives something; the jest timeout ends a wait in vain. */
const until = async <T>(probe: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    await sleep(10)
  }
}

const events = async (runId: string): Promise<readonly Event[]> =>
  (await platform.events(TOPICS.events)).filter(({ subject }) => subject === runId)

type Ask = {
  readonly topic: string
  readonly agent?: string
  readonly turn?: number
  readonly more?: Partial<NonNullable<StepCommand['turn']>>
  readonly command?: Partial<StepCommand>
}
const runOf = (topic: string): string => `run_${topic}`

const commandOf = ({ topic, agent = 'clerk', turn = 1, more = {}, command = {} }: Ask): StepCommand => {
  const runId = runOf(topic)
  const path = `desk/turn[${turn}]`
  return {
    runId,
    rootRunId: runId,
    tenant: 'default',
    flow: 'test/desk',
    version: '1.0.0',
    planHash,
    engineVersion: 1,
    nodeId: agent === 'puppet' ? 'stage' : 'desk',
    path,
    kind: 'model',
    attempt: 1,
    attemptId: `${runId}/${path}/1/${more.use ?? 'turn'}`,
    leaseUntilMs: Date.now() + 30_000,
    deadlineMs: Date.now() + 30_000,
    reservation: '',
    effectKey: `${runId}/${path}/0`,
    priority: 'normal',
    answerPartition: 0,
    input: { input: { topic } },
    turn: { agent, turn, use: 'turn', results: [], tools: ['demo/no_op', 'demo/echo', 'handoff/senior'], ...more },
    ...command,
  }
}

const publish = async (name: 'model.invoke' | 'tool.call', data: StepCommand): Promise<void> => {
  const service = name === 'tool.call' ? 'tools' : 'models'
  const wire = encodeEvent({ id: data.attemptId, source: '/baton/suite', subject: data.runId, tenant: 'default', name, data })
  await platform.bus.publish([{ topic: commandTopic(service), ...wire }])
}

type Answer = MessageOf<'step.completed'> | MessageOf<'step.failed'>
const answersTo = async (data: StepCommand): Promise<readonly Answer[]> =>
  (await events(data.runId)).flatMap((event) =>
    (event.name === 'step.completed' || event.name === 'step.failed') && event.data.attemptId === data.attemptId ? [event.data] : [],
  )

const send = async (name: 'model.invoke' | 'tool.call', data: StepCommand, count = 1): Promise<Answer> => {
  await publish(name, data)
  return until(async () => (await answersTo(data))[count - 1])
}
const completed = (answer: Answer): MessageOf<'step.completed'> => {
  if ('fault' in answer) throw new Error(`${String((answer.fault as { code: string }).code)}`)
  return answer as MessageOf<'step.completed'>
}
const turn = async (ask: Ask): Promise<MessageOf<'step.completed'>> => completed(await send('model.invoke', commandOf(ask)))

/** Calls as the engine would: one command each. */
const callAll = (ask: Ask, calls: readonly AgentCall[]): Promise<readonly AgentResult[]> =>
  Promise.all(
    calls.map(async ({ id, tool, arguments: args }, at) => {
      const { turn: _turn, ...base } = commandOf(ask)
      const path = `${base.path}/call[${at}]`
      const command: StepCommand = {
        ...base,
        path,
        kind: 'tool',
        input: args,
        call: { id, tool },
        attemptId: `${base.runId}/${path}/1`,
        effectKey: `${base.runId}/${path}`,
      }
      const answer = await send('tool.call', command)
      return 'fault' in answer
        ? { id, tool, fault: answer.fault as NonNullable<AgentResult['fault']> }
        : { id, tool, output: completed(answer).output }
    }),
  )

/** The conversation as it is after a turn. */
const toldBy = ({ turn: told }: MessageOf<'step.completed'>) => (told?.transcript === undefined ? {} : { transcript: told.transcript })

const script = (topic: string, replies: readonly Reply[], other: readonly Reply[] = []): void =>
  provider.script(topic, { 'fake-a': replies, 'fake-b': other })
const adding = (v: Json): Reply => ({ text: 'I add.', calls: [{ id: 'add', name: 'demo_no_op', arguments: { v } }] })
const final: Reply = { text: '{"verdict":"42","confidence":0.9}' }
const piecesOf = async (ref: { sha256: string } | undefined): Promise<readonly { previous: unknown; messages: readonly object[] }[]> => {
  if (ref === undefined) return []
  const { content } = await platform.stores.payloads.get({ tenant: 'default', sha256: ref.sha256 })
  const piece = JSON.parse(content.toString()) as { previous: { sha256: string } | null; messages: readonly object[] } // written by the service
  return [...(await piecesOf(piece.previous ?? undefined)), piece]
}

describe('a turn over HTTP (A7, B1)', () => {
  it('U1, U3: calls a tool by its schema, hears what it gave, and answers', async () => {
    script('plain', [adding(41), final])
    const first = await turn({ topic: 'plain' })
    expect(first).toMatchObject({
      output: null,
      by: 'model:fake-a',
      turn: { calls: [{ id: 'add', tool: 'demo/no_op', arguments: { v: 41 } }] },
      meter: { inputTokens: 120, outputTokens: 30, costMicroUsd: 180, model: 'fake-a' },
    })
    const results = await callAll({ topic: 'plain' }, first.turn?.calls ?? [])
    expect(results).toEqual([{ id: 'add', tool: 'demo/no_op', output: { v: 42 } }])
    const more = {
      results: [...results],
      note: 'Two turns are left.',
      ...toldBy(first),
    }
    const second = await turn({ topic: 'plain', turn: 2, more })
    expect(second).toMatchObject({ output: { verdict: '42', confidence: 0.9 }, turn: { calls: [], confidence: 0.9 } })

    const [asked, again] = provider.calls('plain')
    expect(asked?.tools).toMatchObject([
      { name: 'demo_no_op', description: 'Gives back v + 1.', parameters: { properties: { v: { type: 'number' } } } },
      { name: 'demo_echo', parameters: { type: 'object' } },
      { name: 'handoff_senior', parameters: { required: ['task'] } },
    ])
    expect(asked?.system).toContain('"verdict"')
    expect(again?.messages.slice(2)).toMatchObject([
      { role: 'assistant', content: 'I add.', tool_calls: [{ id: 'add', function: { name: 'demo_no_op', arguments: '{"v":41}' } }] },
      { role: 'tool', tool_call_id: 'add', content: '{"v":42}' },
      { role: 'user', content: 'Two turns are left.' },
    ])
    const pieces = await piecesOf(second.turn?.transcript)
    expect(pieces.map(({ messages }) => messages.length)).toEqual([1, 3])
  })

  it('a call that failed is told to the model, which can do something else', async () => {
    script('failing', [adding('many'), final])
    const first = await turn({ topic: 'failing' })
    const results = await callAll({ topic: 'failing' }, first.turn?.calls ?? [])
    expect(results).toMatchObject([{ fault: { code: 'tool.arguments_invalid' } }])
    await turn({
      topic: 'failing',
      turn: 2,
      more: { results: [...results], ...toldBy(first) },
    })
    expect(provider.calls('failing')[1]?.messages.at(-1)).toMatchObject({
      role: 'tool',
      content: expect.stringMatching(/^The call failed: .*\(tool\.arguments_invalid\)$/),
    })
  })

  it('a hand-over is a call; the next agent reads the conversation, and has its own prompt', async () => {
    const handing: Reply = { text: '', calls: [{ id: 'h', name: 'handoff_senior', arguments: { task: 'Please add.' } }] }
    script('handing', [handing])
    const first = await turn({ topic: 'handing' })
    expect(first.turn?.calls).toEqual([{ id: 'h', tool: 'handoff/senior', arguments: { task: 'Please add.' } }])
    script('handing-on', [final])
    const more = {
      tools: [],
      note: 'clerk handed over: handing-on',
      ...toldBy(first),
    }
    expect(await turn({ topic: 'handing', agent: 'senior', turn: 2, more })).toMatchObject({ output: { verdict: '42' } })
    const [asked] = provider.calls('handing-on')
    expect(asked?.system).toContain('You look at what others could not do.')
    expect(asked?.prompt).toContain('topic: handing')
    expect(asked?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user'])
  })

  it('B15, T3: arguments are mended; those that cannot be are asked for again, then of the other model', async () => {
    const torn: Reply = { text: '', calls: [{ id: 'add', name: 'demo_no_op', arguments: "{'v': 41,}" }] }
    script('torn', [torn])
    expect(await turn({ topic: 'torn' })).toMatchObject({ turn: { calls: [{ arguments: { v: 41 } }] }, meter: { repaired: true } })
    const nonsense: Reply = { text: '', calls: [{ id: 'add', name: 'demo_no_op', arguments: 'forty-one' }] }
    script('nonsense', [nonsense], [adding(41)])
    expect(await turn({ topic: 'nonsense' })).toMatchObject({
      by: 'model:fake-b',
      meter: { costMicroUsd: 540, failedOver: ['fake-a: output.malformed'] },
    })
    expect(provider.calls('nonsense')[1]?.prompt).toContain('the arguments of the call of demo/no_op are no JSON object')
    script('invented', [{ text: '', calls: [{ name: 'format_disk', arguments: {} }] }, adding(1)])
    expect(await turn({ topic: 'invented' })).toMatchObject({ turn: { calls: [{ tool: 'demo/no_op' }] } })
  })

  it('an answer that does not fit what the agent returns is a fault when nobody mends it, and is paid', async () => {
    script('unfit', [{ text: '{"verdict":7}' }], [{ text: 'no' }])
    expect(await send('model.invoke', commandOf({ topic: 'unfit' }))).toMatchObject({
      fault: { code: 'output.malformed' },
      meter: { costMicroUsd: 720 },
    })
  })

  it('B5: another model goes on where one failed, with the same conversation', async () => {
    script('failover', [adding(1), { status: 503 }], [final])
    const first = await turn({ topic: 'failover' })
    const results = await callAll({ topic: 'failover' }, first.turn?.calls ?? [])
    const second = await turn({
      topic: 'failover',
      turn: 2,
      more: { results: [...results], ...toldBy(first) },
    })
    expect(second).toMatchObject({ by: 'model:fake-b', meter: { failedOver: ['fake-a: model.unavailable'] } })
    const [, a, b] = provider.calls('failover')
    expect(b?.messages).toEqual(a?.messages)
  })

  it('L9: a turn that is delivered again is answered from the store, and not bought twice', async () => {
    script('again', [adding(1), final])
    const command = commandOf({ topic: 'again' })
    const first = await send('model.invoke', command)
    expect(await send('model.invoke', command, 2)).toEqual(first)
    expect(provider.calls('again')).toHaveLength(1)
  })

  it('a tool that the agent does not have is refused, and an agent that the flow does not have', async () => {
    const calls = [{ id: 'x', tool: 'support/create_ticket', arguments: { text: 'hello' } }]
    expect(await callAll({ topic: 'foreign' }, calls)).toMatchObject([{ fault: { code: 'tool.unknown' } }])
    expect(await send('model.invoke', commandOf({ topic: 'nobody', agent: 'nobody' }))).toMatchObject({ fault: { code: 'agent.unknown' } })
  })

  it('no conversation was sent that a provider would refuse', () => {
    expect(provider.unexpected()).toEqual([])
  })
})

describe('a scripted agent', () => {
  const puppet = { topic: 'puppet', agent: 'puppet', command: { input: { v: 41 } } }

  it('calls tools and answers as the script says, and is paid as it says', async () => {
    const first = await turn({ ...puppet, more: { tools: ['demo/no_op'] } })
    expect(first.turn?.calls).toEqual([{ id: 'call_1_0', tool: 'demo/no_op', arguments: { v: 41 } }])
    const results = await callAll(puppet, first.turn?.calls ?? [])
    const more = { results: [...results], ...toldBy(first) }
    expect(await turn({ ...puppet, turn: 2, more })).toMatchObject({
      output: { verdict: 'It is 42.', confidence: 0.7 },
      turn: { calls: [], confidence: 0.7 },
      meter: { provider: 'scripted', inputTokens: 100, outputTokens: 10, costMicroUsd: 120 },
    })
  })

  it('S2: checks its own answer, and the conversation stays as it is', async () => {
    const transcript = { sha256: 'a'.repeat(64), sizeBytes: 1, mediaType: 'application/json' }
    const check = (n: number, answer: Json): Ask => ({ ...puppet, turn: n, more: { use: 'check', answer, transcript, tools: [] } })
    expect(await turn(check(3, { verdict: 'It is 42.' }))).toMatchObject({ output: { confidence: 0.9 }, turn: { calls: [], transcript } })
    expect(await turn(check(4, { verdict: 'It is forty.' }))).toMatchObject({ output: { verdict: 'It is 40.', confidence: 0.4 } })
  })
})
