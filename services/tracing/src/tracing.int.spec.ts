import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openEmbeddedBus, type Bus } from '@baton/bus'
import { deadLetterTopic, TOPICS, topicManifest } from '@baton/contracts'
import type { Platform, RunningService } from '@baton/service'
import { openPglite, openPostgres, openStore, type Database } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { describeWithPostgres } from '@baton/testing/suite'
import fc from 'fast-check'
import { eventsOf, recordsOf, runHistory } from './journal/journal.fixture.ts'
import { writeTrace } from './journal/trace.repository.ts'
import { traceRowsOf } from './journal/trace-rows.policy.ts'
import { start } from './start.ts'
import { dropOld, ensurePartitions } from './storage/partitions.ts'

jest.setTimeout(60_000)
const DAY_MS = 86_400_000

const suite = (open: () => Promise<Database>): void => {
  let [dir, lines]: [string, object[]] = ['', []]
  let bus: Bus
  let db: Database
  let platform: Platform
  let service: RunningService

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'baton-tracing-'))
    bus = await openEmbeddedBus({ dir: join(dir, 'bus'), topics: topicManifest({ eventsPartitions: 3 }) })
    db = await open()
    const telemetry = openTelemetry({ service: 'spec', level: 'silent' })
    const logger = { ...telemetry.logger, info: (fields: object) => lines.push(fields), child: () => logger }
    platform = {
      bus,
      db,
      stores: await openStore(db),
      telemetry: { ...telemetry, logger },
      config: {
        topicPrefix: '',
        flowsDir: '',
        configDir: '',
        dataDir: dir,
        embedded: true,
        drainMs: 1_000,
        requestBytesMax: 65_536,
        inlineBytesMax: 4_096,
      },
      nowMs: Date.now,
      call: () => Promise.reject(new Error('not used')),
    }
    service = await start(platform, {})
  })
  afterAll(async () => {
    await service?.close({ graceMs: 1_000 })
    await bus?.close()
    await db?.close()
    await rm(dir, { recursive: true, force: true })
  })

  const get = async (path: string, headers: Record<string, string> = {}) => {
    const { status, body } = await service.inject({ method: 'GET', path, headers })
    return { status, body: JSON.parse(body) }
  }
  /** Publishes and waits until the run is over in the trace; the jest timeout ends a wait in vain. */
  const told = async (runId: string, history = runHistory(runId)): Promise<void> => {
    await bus.publish(recordsOf(history))
    for (;;) {
      const { status, body } = await get(`/v1/runs/${runId}`)
      if (status === 200 && body.result !== undefined && body.endedAtMs !== null) return
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  it('G2: a run is shown with its figures and its result', async () => {
    await told('run_shown')
    expect((await get('/v1/runs/run_shown')).body).toMatchObject({
      runId: 'run_shown',
      flow: 'support/help',
      version: '1',
      status: 'completed',
      requestedAtMs: 995,
      startedAtMs: 1_000,
      endedAtMs: 2_060,
      latencyMs: 1_065,
      workingMs: 65,
      waitedMs: 1_000,
      costUsd: 0.00025,
      steps: 2,
      escalated: true,
      fault: null,
      waitingFor: null,
      result: { requestId: 'req-run_shown', output: { text: 'done' } },
    })
  })

  it('G2: the trace is a tree with times, makers, costs and the critical path', async () => {
    await told('run_traced')
    const { body } = await get('/v1/runs/run_traced/trace')
    expect(body.steps).toMatchObject([
      {
        path: 'classify',
        kind: 'model',
        status: 'completed',
        attempt: 2,
        by: 'model:gpt-large',
        chosen: 'else',
        confidence: 0.7,
        tries: 2,
        costUsd: 0.00015,
        latencyMs: 25,
        totalMs: 35,
        waitedMs: 10,
        critical: true,
        earlier: [{ attempt: 1, status: 'failed', error: 'step.lease_lost' }],
        children: [{ path: 'classify/human', kind: 'human', by: 'human:jane', latencyMs: 1_000, critical: true }],
      },
    ])
    expect(body.events.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['journal.step.decided', 'journal.answer.ignored', 'review.requested', 'review.claimed', 'review.decided']),
    )
    expect(JSON.stringify(body)).not.toContain('content of a person')
  })

  it('G1: one structured line a step', async () => {
    await told('run_logged')
    const line = lines.find(
      (fields) => 'runId' in fields && fields.runId === 'run_logged' && 'model' in fields && fields.model === 'gpt-large',
    )
    expect(line).toMatchObject({
      step: 'classify',
      attempt: 2,
      inputChars: 120,
      outputChars: 40,
      latencyMs: 25,
      confidence: 0.7,
      costMicroUsd: 150,
      error: null,
    })
  })

  it('says what an open run waits for', async () => {
    await bus.publish(recordsOf(runHistory('run_open').slice(0, 10)))
    await bus.publish(recordsOf(runHistory('run_busy').slice(0, 3)))
    for (;;) {
      const [open, busy] = [(await get('/v1/runs/run_open')).body, (await get('/v1/runs/run_busy')).body]
      if (open.waitingFor?.startsWith('a person') === true && busy.waitingFor?.includes('again') === true) break
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect((await get('/v1/runs/run_open')).body).toMatchObject({
      status: 'waiting',
      waitingFor: 'a person: classify/human',
      escalated: true,
    })
    expect((await get('/v1/runs/run_busy')).body).toMatchObject({
      status: 'running',
      waitingFor: 'classify, trying again after model.rate_limited',
    })
    expect((await get('/v1/runs?status=waiting')).body.items.map(({ runId }: { runId: string }) => runId)).toEqual(['run_open'])
    expect((await get('/v1/runs?status=running')).body.items.map(({ runId }: { runId: string }) => runId)).toEqual(['run_busy'])
    expect((await get('/v1/runs?status=open')).body.items).toHaveLength(2)
  })

  it('lists by flow and label, newest first, page by page', async () => {
    const flow = 'lists/flow'
    for (const n of [1, 2, 3, 4, 5])
      await told(
        `run_l${n}`,
        runHistory(`run_l${n}`, { flow, labels: { team: n % 2 === 0 ? 'even' : 'odd', 'a:b': 'c' }, atMs: 5_000 + n }),
      )
    const ids = async (query: string): Promise<readonly string[]> =>
      (await get(`/v1/runs?flow=${encodeURIComponent(flow)}${query}`)).body.items.map(({ runId }: { runId: string }) => runId)
    expect(await ids('')).toEqual(['run_l5', 'run_l4', 'run_l3', 'run_l2', 'run_l1'])
    expect(await ids('&label=team:even')).toEqual(['run_l4', 'run_l2'])
    expect(await ids('&label=team=odd&limit=2')).toEqual(['run_l5', 'run_l3'])
    expect(await ids('&status=failed')).toEqual([])
    const pages: string[][] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { body } = await get(`/v1/runs?flow=${encodeURIComponent(flow)}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      pages.push(body.items.map(({ runId }: { runId: string }) => runId))
      cursor = body.nextCursor
    }
    expect(pages).toEqual([['run_l5', 'run_l4'], ['run_l3', 'run_l2'], ['run_l1']])
  })

  it.each(['/v1/runs?limit=201', '/v1/runs?status=odd', '/v1/runs?cursor=x', '/v1/runs?label=none'])('refuses %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 400, body: { code: 'request.malformed' } })
  })

  it('tenants do not see each other', async () => {
    await bus.publish(recordsOf(runHistory('run_foreign', { tenant: 'acme' })))
    while ((await get('/v1/runs/run_foreign', { 'x-baton-tenant': 'acme' })).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await get('/v1/runs/run_foreign')).status).toBe(404)
    expect((await get('/v1/runs/run_foreign/trace')).status).toBe(404)
    expect((await get('/v1/runs')).body.items.some(({ tenant }: { tenant: string }) => tenant !== 'default')).toBe(false)
  })

  it('G4: figures of a flow are computed from its runs', async () => {
    const nowMs = Date.now()
    const flow = 'stats/flow'
    const done = runHistory('run_s1', { flow, atMs: nowMs })
    const failed = runHistory('run_s2', { flow, atMs: nowMs }).map((message) =>
      message.name === 'journal.run.ended'
        ? {
            ...message,
            data: {
              ...message.data,
              status: 'failed' as const,
              latencyMs: 65,
              escalated: false,
              fault: { code: 'tool.failed' as const, message: 'no' },
            },
          }
        : message,
    )
    await told('run_s1', done)
    await told('run_s2', failed)
    expect((await get(`/v1/stats?flow=${encodeURIComponent(flow)}`)).body.items).toEqual([
      {
        flow,
        runs: 2,
        completed: 1,
        failed: 1,
        cancelled: 0,
        open: 0,
        escalated: 1,
        completionRate: 0.5,
        escalationRate: 0.5,
        meanLatencyMs: 565,
        p95LatencyMs: expect.closeTo(1_015),
        meanWorkingMs: 65,
        costUsd: 0.0005,
        meanCostUsd: 0.00025,
      },
    ])
    expect((await get('/v1/runs/run_s2')).body).toMatchObject({ status: 'failed', fault: { code: 'tool.failed', message: 'no' } })
  })

  it('H5: a payload is read only through a run that refers to it', async () => {
    await told('run_paid')
    const content = Buffer.from('{"prompt":"redacted"}')
    const { sha256 } = await platform.stores.payloads.put({ tenant: 'default', content, mediaType: 'application/json' })
    expect((await get(`/v1/runs/run_paid/payloads/${sha256}`)).status).toBe(404)
    const history = runHistory('run_refers').map((message) =>
      message.name === 'run.completed'
        ? { ...message, data: { ...message.data, outputRef: { sha256, sizeBytes: 21, mediaType: 'application/json' } } }
        : message,
    )
    await told('run_refers', history)
    expect(await get(`/v1/runs/run_refers/payloads/${sha256}`)).toEqual({ status: 200, body: { prompt: 'redacted' } })
    expect((await get(`/v1/runs/run_refers/payloads/${'d'.repeat(64)}`)).body).toMatchObject({ code: 'payload.missing' })
  })

  it('C1, C2, J1, J2: whatever comes twice, late or in another order ends in the same trace', async () => {
    let n = 0
    const [expected] = [await viewOf('run_shown')]
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 15 }), async (chance, batch) => {
        const runId = `run_p${(n += 1)}`
        const random = (below: number): number => (chance.next().value ?? 0) % below
        const events = eventsOf(runHistory(runId))
        const twice = [...events, ...events.filter(() => random(2) === 0)].map((event) => ({ event, at: random(1_000) }))
        const mixed = twice.sort((a, b) => a.at - b.at).map(({ event }) => event)
        for (let at = 0; at < mixed.length; at += batch) await writeTrace(db, traceRowsOf(mixed.slice(at, at + batch)))
        expect(JSON.parse(JSON.stringify(await viewOf(runId)).replaceAll(runId, 'run_shown'))).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })
  const viewOf = async (runId: string): Promise<object> => {
    const [run, trace] = await Promise.all([get(`/v1/runs/${runId}`), get(`/v1/runs/${runId}/trace`)])
    return { run: run.body, steps: trace.body.steps, events: trace.body.events }
  }

  it('C4: what cannot be read or written goes to the dead letters alone, odd characters are no reason', async () => {
    const odd = runHistory('run_odd').map((message) =>
      message.name === 'journal.step.failed'
        ? { ...message, data: { ...message.data, fault: { code: 'tool.failed' as const, message: 'nul \u0000 half \ud83d' } } }
        : message,
    )
    const [sample] = recordsOf(odd)
    if (sample === undefined) throw new Error('no sample')
    await bus.publish([{ ...sample, value: Buffer.from('{"no":"run"}') }])
    await told('run_odd', odd)
    while ((await bus.describe(deadLetterTopic('tracing'))).partitions[0]?.next === 0)
      await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await get('/v1/runs/run_odd/trace')).body.steps[0].earlier[0].errorMessage).toBe('nul \ufffd half \ufffd')
    expect((await bus.describe(deadLetterTopic('tracing'))).partitions[0]?.next).toBe(1)
    expect((await bus.describe(TOPICS.journal)).partitions.length).toBe(3)
  })

  it('D1, D2: a day has partitions of its own, which retention drops whole', async () => {
    const old = Date.now() - 40 * DAY_MS
    await ensurePartitions(db, old)
    await ensurePartitions(db, old)
    await writeTrace(db, traceRowsOf(eventsOf(runHistory('run_old', { atMs: old }))))
    expect((await get('/v1/runs/run_old')).status).toBe(200)
    const dropped = await dropOld(db, { nowMs: Date.now(), keepMs: 30 * DAY_MS })
    expect(dropped).toHaveLength(6)
    expect((await get('/v1/runs/run_old')).status).toBe(404)
    // Runs of 1970, which only the default partition takes, are gone as well.
    expect((await get('/v1/runs/run_shown')).status).toBe(404)
  })
}

describe('tracing on PGlite', () => {
  suite(() => openPglite())
})

describeWithPostgres('tracing on PostgreSQL', (postgres) => {
  suite(async () => openPostgres({ url: await postgres.freshDatabase() }))
})
