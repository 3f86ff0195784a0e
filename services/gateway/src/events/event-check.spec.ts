import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { openEmbeddedBus } from '@baton/bus'
import { topicManifest, TOPICS, type Json } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow'
import { openPglite, openStore } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { refuseUnfitEvent } from './event-check.ts'
import { createEventDelivery } from './event-delivery.ts'

const waitFor = (id: string, event: string, returns?: PlanNode['returns']): PlanNode => ({
  id,
  name: id,
  kind: 'event',
  event,
  with: { lit: null },
  effect: 'read',
  ...(returns === undefined ? {} : { returns }),
})
const planOf = (...nodes: readonly PlanNode[]): Pick<Plan, 'flow' | 'nodes'> => ({
  flow: 'shop/desk',
  nodes: Object.fromEntries(nodes.map((node) => [node.id, node])),
})
const AMOUNT = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] }
const plan = planOf(waitFor('paid', 'paid', AMOUNT), waitFor('signed', 'signed'))

describe('data of events', () => {
  it.each<[Json, string]>([
    [{ amount: 'much' }, 'data.amount'],
    [{}, 'data.amount'],
    [null, 'data'],
  ])('V5: %j is refused with its field', (data, field) => {
    let fault: unknown
    try {
      refuseUnfitEvent(plan, { event: 'paid', data })
    } catch (error) {
      fault = error
    }
    expect(fault).toMatchObject({ code: 'input.invalid', detail: { field, event: 'paid' } })
  })

  it('V5: what fits, what nobody described and what nobody waits for is told to the run', () => {
    expect(() => refuseUnfitEvent(plan, { event: 'paid', data: { amount: 1, note: 'x' } })).not.toThrow()
    expect(() => refuseUnfitEvent(plan, { event: 'signed', data: 'yes' })).not.toThrow()
    expect(() => refuseUnfitEvent(plan, { event: 'other', data: 'yes' })).not.toThrow()
  })

  it('V6: of several steps that wait for it, it has to fit one', () => {
    const two = planOf(waitFor('a', 'paid', AMOUNT), waitFor('b', 'paid', { type: 'string' }))
    expect(() => refuseUnfitEvent(two, { event: 'paid', data: 'by bill' })).not.toThrow()
    expect(() => refuseUnfitEvent(two, { event: 'paid', data: 7 })).toThrow('data must be object')
  })

  it('V5: one with a key is refused like one with a run, and looked after no more', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'baton-events-'))
    const db = await openPglite()
    const bus = await openEmbeddedBus({ dir, topics: topicManifest({ eventsPartitions: 1 }) })
    const told = async (): Promise<number> => (await bus.read({ topic: TOPICS.events, partition: 0, offset: 0, limit: 10 })).length
    const body = JSON.stringify({ items: [{ runId: 'run_1', rootRunId: 'run_1' }] })
    const needs = {
      bus,
      stores: await openStore(db),
      telemetry: openTelemetry({ service: 'spec', level: 'silent' }),
      call: () => Promise.resolve({ status: 200, body, contentType: 'application/json' }),
    }
    const events = createEventDelivery(needs, (_run, { event, data }) => Promise.resolve(refuseUnfitEvent(plan, { event, data })))
    const sent = { tenant: 'default', event: 'paid', key: 'T-1', by: 'shop' }
    await expect(events.send({ ...sent, id: 'e1', data: { amount: 'much' } })).rejects.toMatchObject({ code: 'input.invalid' })
    expect(await needs.stores.eventInbox.claim({ limit: 10, pauseMs: 0 })).toEqual([])
    expect(await told()).toBe(0)
    expect(await events.send({ ...sent, id: 'e2', data: { amount: 3 } })).toEqual({ eventId: 'e2', runId: 'run_1' })
    expect(await events.send({ ...sent, id: 'e2', data: { amount: 3 } })).toEqual({ eventId: 'e2', runId: 'run_1' })
    expect(await told()).toBe(1)
    await bus.close()
    await db.close()
    await rm(dir, { recursive: true, force: true })
  }, 60_000)
})
