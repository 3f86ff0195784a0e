import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedBus, type Bus } from '@baton/bus'
import { decodeEvent, encodeEvent, TOPICS, topicManifest, type Event, type StepCommand } from '@baton/contracts'
import type { RunningService } from '@baton/service'
import { openPglite, openStore, type Database } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { start } from './start.ts'

const PLAN_HASH = 'b'.repeat(64)
const NODE = { name: 'x', with: { lit: {} }, effect: 'read' }
const PLAN = {
  hash: PLAN_HASH,
  nodes: {
    ticket: { ...NODE, id: 'ticket', kind: 'tool', tools: ['support/create_ticket'], effect: 'write' },
    docs: { ...NODE, id: 'docs', kind: 'retrieve', index: 'help', top: 2 },
    lost: { ...NODE, id: 'lost', kind: 'retrieve', index: 'none', top: 2 },
  },
}

let dir: string
let bus: Bus
let db: Database
let service: RunningService

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'baton-tools-'))
  bus = await openEmbeddedBus({ dir: join(dir, 'bus'), topics: topicManifest() })
  db = await openPglite()
  const stores = await openStore(db)
  await stores.flows.publish({
    tenant: 'default',
    flow: 'test/flow',
    version: '1',
    hash: PLAN_HASH,
    body: JSON.stringify(PLAN),
    alias: 'stable',
    replace: false,
    by: 'test',
  })
  const config = {
    topicPrefix: '',
    flowsDir: join(dir, 'flows'),
    configDir: dir,
    dataDir: dir,
    embedded: true,
    drainMs: 1_000,
    requestBytesMax: 1e6,
    inlineBytesMax: 65_536,
  }
  const telemetry = openTelemetry({ service: 'test', level: 'error' })
  service = await start(
    { bus, db, stores, telemetry, config, nowMs: Date.now, call: () => Promise.reject(new Error('no other service here')) },
    {},
  )
}, 60_000)
afterAll(async () => {
  await service.close({ graceMs: 1_000 })
  await bus.close()
  await db.close()
  await rm(dir, { recursive: true, force: true })
})

const ask = async (
  name: 'tool.call' | 'retrieval.search',
  { run, nodeId, input }: { run: string; nodeId: string; input: StepCommand['input'] },
): Promise<void> => {
  const attemptId = `${run}/${nodeId}/1`
  const laterMs = Date.now() + 60_000
  const data: StepCommand = {
    runId: run,
    rootRunId: run,
    tenant: 'default',
    flow: 'test/flow',
    version: '1',
    planHash: PLAN_HASH,
    engineVersion: 1,
    nodeId,
    path: nodeId,
    kind: name === 'tool.call' ? 'tool' : 'retrieve',
    attempt: 1,
    attemptId,
    leaseUntilMs: laterMs,
    deadlineMs: laterMs,
    reservation: attemptId,
    effectKey: `${run}/${nodeId}/0`,
    priority: 'normal',
    answerPartition: 1,
    input,
  }
  await bus.publish([
    {
      ...encodeEvent({ name, data, id: `${attemptId}/c`, source: '/test', subject: run, tenant: 'default' }),
      topic: 'baton.tools.commands',
    },
  ])
}

const answers = async (run: string, count: number): Promise<readonly Event[]> => {
  for (let tries = 0; tries < 400; tries += 1) {
    const events = (await bus.read({ topic: TOPICS.events, partition: 1, offset: 0, limit: 1_000 }))
      .filter(({ key }) => key === run)
      .map(decodeEvent)
    if (events.length >= count) return events
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error(`${run} has not ${count} answers`)
}

const get = async (path: string): Promise<unknown> => JSON.parse((await service.inject({ method: 'GET', path })).body)

describe('the tools service', () => {
  it('C4: a command that comes three times makes one ticket and three equal answers', async () => {
    const command = { run: 'run_a', nodeId: 'ticket', input: { text: 'My card was declined.', intent: 'technical' } }
    for (let n = 0; n < 3; n += 1) await ask('tool.call', command)
    const events = await answers('run_a', 3)
    expect(events.map(({ name }) => name)).toEqual(['step.completed', 'step.completed', 'step.completed'])
    const outputs = events.map(({ data }) => JSON.stringify('output' in data ? data.output : null))
    expect(new Set(outputs).size).toBe(1)
    expect(await get('/v1/tickets')).toMatchObject({ total: 1, runs: 1, items: [{ runId: 'run_a', intent: 'technical', status: 'open' }] })
  })

  it('C7: what was added to an index is found by a step and over HTTP', async () => {
    const documents = [
      { id: 'd1', title: 'Refunds', text: 'Money comes back within five working days.' },
      { id: 'd2', title: 'Cards', text: 'A new card is posted within two days.' },
    ]
    const added = await service.inject({ method: 'POST', path: '/v1/indexes/help/documents', body: JSON.stringify({ documents }) })
    expect(JSON.parse(added.body)).toEqual({ added: 2, unchanged: 0, chunks: 2 })
    expect(await get('/v1/indexes/help/search?query=when%20is%20my%20money%20back&top=1')).toMatchObject({ items: [{ id: 'd1', rank: 1 }] })
    await ask('retrieval.search', { run: 'run_b', nodeId: 'docs', input: { query: 'new card' } })
    const [found] = await answers('run_b', 1)
    expect(found).toMatchObject({ name: 'step.completed', data: { by: 'index:help', output: { items: [{ id: 'd2', title: 'Cards' }] } } })
  })

  it('answers a mistake of the flow as a failed step that names it', async () => {
    await ask('tool.call', { run: 'run_c', nodeId: 'ticket', input: { txt: 'x' } })
    expect(await answers('run_c', 1)).toMatchObject([
      { name: 'step.failed', data: { fault: { code: 'tool.arguments_invalid', detail: { field: 'text' } } } },
    ])
    await ask('retrieval.search', { run: 'run_d', nodeId: 'lost', input: { query: 'x' } })
    expect(await answers('run_d', 1)).toMatchObject([{ name: 'step.failed', data: { fault: { code: 'index.unknown' } } }])
    await ask('retrieval.search', { run: 'run_e', nodeId: 'docs', input: { question: 'x' } })
    expect(await answers('run_e', 1)).toMatchObject([
      { name: 'step.failed', data: { fault: { code: 'tool.arguments_invalid', detail: { field: 'query' } } } },
    ])
  })

  it('lists its tools with their schemas, and refuses documents by field', async () => {
    const { items } = (await get('/v1/tools')) as { items: readonly { name: string; input: { properties?: object } }[] }
    expect(items.find(({ name }) => name === 'support/create_ticket')?.input.properties).toHaveProperty('text')
    const reply = await service.inject({
      method: 'POST',
      path: '/v1/indexes/help/documents',
      body: JSON.stringify({ documents: [{ id: 'd3', text: 7 }] }),
    })
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([400, { field: 'documents.0.text' }])
    expect((await service.inject({ method: 'GET', path: '/v1/indexes/none/search?query=x' })).status).toBe(422)
  })
})
