import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openEmbeddedBus } from '@baton/bus'
import { encodeEvent, TOPICS, topicManifest } from '@baton/contracts'
import type { Platform, RunningService } from '@baton/service'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { start } from '../gateway.ts'

let dataDir: string
let platform: Platform
let gateway: RunningService
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baton-stream-'))
  const db = await openPglite()
  platform = {
    bus: await openEmbeddedBus({ dir: join(dataDir, 'log'), topics: topicManifest({ eventsPartitions: 3 }) }),
    db,
    stores: await openStore(db),
    telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
    config: {
      topicPrefix: '',
      flowsDir: dataDir,
      configDir: dataDir,
      dataDir,
      embedded: true,
      drainMs: 1_000,
      requestBytesMax: 65_536,
      inlineBytesMax: 4_096,
    },
    nowMs: Date.now,
    // Tracing knows of one run that is over.
    call: ({ path }) =>
      Promise.resolve({
        contentType: 'application/json',
        status: 200,
        body: JSON.stringify({ endedAtMs: path.endsWith('/run_over') ? 1 : null }),
      }),
  }
  gateway = await start(platform, {})
}, 30_000)
afterAll(async () => {
  await gateway.close({ graceMs: 1_000 })
  await platform.bus.close()
  await platform.db.close()
  await rm(dataDir, { recursive: true, force: true })
})

const piece = (runId: string, { call = 1, seq, text, end }: { call?: number; seq: number; text: string; end?: 'done' | 'broken' }) => ({
  topic: TOPICS.stream,
  ...encodeEvent({
    id: `${runId}/${call}/${seq}`,
    source: '/baton/models',
    subject: runId,
    tenant: 'default',
    name: 'stream.piece',
    data: { runId, tenant: 'default', path: 'answer', attempt: 1, attemptId: 'a', call, seq, text, ...(end === undefined ? {} : { end }) },
  }),
})
const read = (runId: string, last?: string) =>
  gateway.inject({ method: 'GET', path: `/v1/runs/${runId}/stream`, ...(last === undefined ? {} : { headers: { 'last-event-id': last } }) })
const textsIn = (body: string): readonly string[] =>
  [...body.matchAll(/^data: (\{"path".*)$/gm)].map((match) => (JSON.parse(match[1] ?? '{}') as { text: string }).text)

describe('GET /v1/runs/{id}/stream (B11)', () => {
  it('T2: gives what is there and ends, when the run is over', async () => {
    await platform.bus.publish([piece('run_over', { seq: 0, text: 'Your ' }), piece('run_over', { seq: 1, text: 'card', end: 'done' })])
    const { body, contentType } = await read('run_over')
    expect(contentType).toBe('text/event-stream')
    expect(textsIn(body).join('')).toBe('Your card')
    expect(body).toContain('event: end')
  })
  it('E1: a call that stands in for one that broke begins anew', async () => {
    await platform.bus.publish([
      piece('run_over', { call: 2, seq: 0, text: 'It' }),
      piece('run_over', { call: 1, seq: 2, text: 'late' }),
      piece('run_over', { call: 2, seq: 1, text: ' is', end: 'done' }),
    ])
    const texts = textsIn((await read('run_over')).body)
    expect(texts.join('')).toBe('Your cardIt is')
  })
  it('T1: goes on behind the last event that was seen', async () => {
    const { body } = await read('run_over')
    const ids = [...body.matchAll(/^id: (\d+)$/gm)].map((match) => match[1] ?? '')
    const resumed = await read('run_over', ids[0])
    expect(textsIn(resumed.body).join('')).toBe(textsIn(body).slice(1).join(''))
  })
})
