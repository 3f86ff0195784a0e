import { describe, expect, it } from '@jest/globals'
import type { TriggerSpec } from '@baton/flow'
import { serves, triggersOf } from './trigger.ts'

const of = (triggers: readonly TriggerSpec[], { tenant = 'default', flow = 'demo/desk', hash = 'h' } = {}) =>
  triggersOf(tenant, { flow, hash, triggers })
const tickets: TriggerSpec = { kind: 'topic', topic: 'tickets' }

describe('triggers of a plan', () => {
  it('I1: keep their id over versions, as long as they listen to the same', () => {
    const [before] = of([tickets])
    const [moved, after] = of(
      [
        { kind: 'schedule', everyMs: 60_000, zone: 'UTC' },
        { ...tickets, when: 'event.ok', key: 'event.id' },
      ],
      { hash: 'h2' },
    )
    expect(after?.id).toBe(before?.id)
    expect(moved?.id).not.toBe(before?.id)
    const others = [of([{ kind: 'topic', topic: 'mails' }]), of([tickets], { tenant: 'acme' }), of([tickets], { flow: 'demo/other' })]
    expect(new Set([before, ...others.flat()].map((trigger) => trigger?.id)).size).toBe(4)
  })

  it('I2: two on one topic are two, with runs of their own', () => {
    const two = of([tickets, { ...tickets, when: 'event.urgent' }])
    expect(two.map(({ source }) => source)).toEqual(['topic:tickets/demo/desk', 'topic:tickets/demo/desk#2'])
    expect(new Set(two.map(({ id }) => id)).size).toBe(2)
  })

  it('say what they listen to', () => {
    const subjects = of([
      { kind: 'http', method: 'POST', path: '/tickets/{id}/notes' },
      { kind: 'schedule', cron: '0 6 * * 1-5', zone: 'Europe/Berlin' },
      { kind: 'schedule', everyMs: 5_400_000, zone: 'UTC' },
      { kind: 'schedule', everyMs: 86_400_000, zone: 'UTC' },
      { kind: 'schedule', everyMs: 1_500, zone: 'UTC' },
    ]).map(({ name }) => name)
    expect(subjects).toEqual([
      'http POST /tickets/{}/notes',
      'schedule 0 6 * * 1-5 Europe/Berlin',
      'schedule every 90m',
      'schedule every 1d',
      'schedule every 1500ms',
    ])
  })

  it('of the default tenant stand in for tenants without a flow of their own; others are for their tenant alone', () => {
    const [shared] = of([tickets])
    const [own] = of([tickets], { tenant: 'acme' })
    if (shared === undefined || own === undefined) throw new Error('there is one each')
    const hasOwn = (tenant: string): boolean => tenant === 'acme' || tenant === 'default'
    expect(['default', 'bit', 'acme'].map((tenant) => serves(shared, tenant, hasOwn))).toEqual([true, true, false])
    expect(['default', 'bit', 'acme'].map((tenant) => serves(own, tenant, hasOwn))).toEqual([false, false, true])
  })
})
