// The service on an embedded bus and a database, with a flow of a few steps that ask people.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus, type Bus } from '@baton/bus'
import { decodeEvent, encodeEvent, TOPICS, topicManifest, type Event, type Json, type StepCommand } from '@baton/contracts'
import type { Platform, RunningService } from '@baton/service'
import { openStore, type Database } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { start } from './start.ts'

export const PLAN_HASH = 'a'.repeat(64)
export const ANSWER_PARTITION = 5
const HUMAN = { id: 'ask', name: 'ask', kind: 'human', with: { lit: {} }, effect: 'read' }
export const ANSWER_SCHEMA = {
  type: 'object',
  properties: { text: { type: 'string' } },
  required: ['text'],
  additionalProperties: false,
}
const human = (id: string, spec: object, more: object = {}): object => ({
  ...HUMAN,
  id,
  human: { queue: id, priority: 'normal', slaMs: 60_000, onTimeout: 'fail', ...spec },
  ...more,
})
const PLAN = {
  hash: PLAN_HASH,
  nodes: {
    ask: human('ask', { queue: 'support' }, { returns: ANSWER_SCHEMA }),
    senior: human('senior', { priority: 'emergency', title: 'Look at this' }),
    pay: { id: 'pay', name: 'pay', kind: 'tool', tools: ['pay'], with: { lit: {} }, effect: 'irreversible', returns: ANSWER_SCHEMA },
    quick: human('quick', { priority: 'low', slaMs: 1_000, onTimeout: 'escalate' }),
    chain: human('chain', {
      slaMs: 10_000,
      claimMs: 2_000,
      urgency: 40,
      chain: [
        { queue: 'leads', slaMs: 5_000, roles: ['lead'] },
        { queue: 'managers', slaMs: 5_000 },
      ],
      risk: 'reversible',
    }),
    advice: human('advice', { slaMs: 1_000, risk: 'advisory' }),
    money: human('money', {
      kind: 'approval',
      roles: ['finance', 'law'],
      quorum: { n: 2, of: 3, distinctRoles: true, excludeRequester: true },
      risk: 'irreversible',
      reasons: { too_much: 'The amount is too high.' },
    }),
    graced: human('graced', { kind: 'edit' }),
  },
}

export type Reply = { readonly status: number; readonly body: Record<string, unknown> }
type Asked = { nodeId?: string; input?: Json; attempt?: number; more?: Partial<StepCommand> }

/** Everything a suite of this service needs. */
export type Rig = Awaited<ReturnType<typeof openRig>>

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

export const eventually = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await look()
    if (found !== undefined) return found
    await pause(25)
  }
  throw new Error('it did not happen')
}

const priorityOf = (nodeId: string): StepCommand['priority'] => (nodeId === 'senior' ? 'emergency' : nodeId === 'quick' ? 'low' : 'normal')

export const commandOf = (
  run: string,
  { nodeId = 'ask', input = { draft: { text: 'Hello.' } }, attempt = 1, more = {} }: Asked = {},
): StepCommand => ({
  runId: run,
  rootRunId: run,
  tenant: 'default',
  flow: 'support/help',
  version: '1',
  planHash: PLAN_HASH,
  engineVersion: 1,
  nodeId,
  path: nodeId,
  kind: 'human',
  attempt,
  attemptId: `${run}/${nodeId}/${attempt}`,
  leaseUntilMs: Date.now() + 3_600_000,
  deadlineMs: Date.now() + 1e10,
  reservation: `${run}/${nodeId}/1`,
  effectKey: `${run}/${nodeId}/0`,
  priority: priorityOf(nodeId),
  answerPartition: ANSWER_PARTITION,
  input,
  ...more,
})

const makePlatform = async (db: Database, { dir, bus, nowMs }: { dir: string; bus: Bus; nowMs: () => number }): Promise<Platform> => {
  const stores = await openStore(db)
  const flow = { tenant: 'default', flow: 'support/help', version: '1', hash: PLAN_HASH, alias: 'stable', replace: false, by: 'test' }
  await stores.flows.publish({ ...flow, body: JSON.stringify(PLAN) })
  return {
    bus,
    db,
    stores,
    telemetry: openTelemetry({ service: 'test', level: 'error' }),
    config: {
      topicPrefix: '',
      flowsDir: dir,
      configDir: dir,
      dataDir: dir,
      embedded: true,
      drainMs: 1_000,
      requestBytesMax: 1e6,
      inlineBytesMax: 65_536,
    },
    nowMs,
    call: () => Promise.reject(new Error('no other service here')),
  }
}

/** Opens the service; `people` is the text of people.yaml. */
export const openRig = async (open: () => Promise<Database>, { people }: { people?: string } = {}) => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-hitl-'))
  if (people !== undefined) await writeFile(join(dir, 'people.yaml'), people)
  const bus = await openEmbeddedBus({ dir: join(dir, 'bus'), topics: topicManifest() })
  const db = await open()
  let shiftMs = 0
  const platform = await makePlatform(db, { dir, bus, nowMs: () => Date.now() + shiftMs })
  let service: RunningService = await start(platform, {})
  const http = async (
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const reply = await service.inject({ method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return {
      status: reply.status,
      body: (/application\/(?:problem\+)?json/.test(reply.contentType) ? JSON.parse(reply.body) : { text: reply.body }) as Record<
        string,
        unknown
      >,
    }
  }
  const eventsOf = async (topic: string, partition: number, run: string): Promise<readonly Event[]> =>
    (await bus.read({ topic, partition, offset: 0, limit: 1_000 })).filter(({ key }) => key === run).map(decodeEvent)
  return {
    bus,
    db,
    platform,
    http,
    eventsOf,
    /** Moves the clock of the service. */
    pass: (ms: number): void => void (shiftMs += ms),
    nowMs: () => Date.now() + shiftMs,
    stop: () => service.close({ graceMs: 1_000 }),
    start: async () => void (service = await start(platform, {})),
    ask: async (command: StepCommand): Promise<void> => {
      const event = encodeEvent({
        name: 'review.request',
        data: command,
        id: `${command.attemptId}/c`,
        source: '/test',
        subject: command.runId,
        tenant: 'default',
      })
      await bus.publish([{ ...event, topic: 'baton.hitl.commands' }])
    },
    opened: (id: string): Promise<Reply> =>
      eventually(async () => {
        const reply = await http('GET', `/v1/reviews/${id}`)
        return reply.status === 200 ? reply : undefined
      }),
    act: (id: string, action: string, body: object, headers: Record<string, string> = {}) =>
      http('POST', `/v1/reviews/${id}:${action}`, body, headers),
    /** What the engine is told. */
    told: (run: string, name: string): Promise<Event> =>
      eventually(async () => (await eventsOf(TOPICS.events, ANSWER_PARTITION, run)).find((event) => event.name === name)),
    close: async (): Promise<void> => {
      await service.close({ graceMs: 1_000 })
      await bus.close()
      await db.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
