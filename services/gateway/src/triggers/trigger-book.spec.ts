import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Plan, TriggerSpec } from '@baton/flow'
import { openPglite, openStore, type Database, type Stores } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { TriggerBook } from './trigger-book.ts'

const telemetry = openTelemetry({ service: 'spec', level: 'silent' })
let db: Database
let stores: Stores
beforeAll(async () => {
  db = await openPglite()
  stores = await openStore(db)
}, 30_000)
afterAll(() => db.close())
beforeEach(async () => {
  for (const table of ['flow_aliases', 'flow_triggers']) await db.query(`delete from ${table}`)
})

let published = 0
const publish = async (flow: string, triggers: readonly TriggerSpec[], tenant = 'default'): Promise<void> => {
  const version = `1.0.${++published}`
  const hash = `${flow}@${version}`
  const plan: Pick<Plan, 'flow' | 'version' | 'hash' | 'triggers'> = { flow, version, hash, triggers }
  await stores.flows.publish({ tenant, flow, version, hash, body: JSON.stringify(plan), alias: 'stable', replace: false, by: 'ada' })
}
const topic = (name: string): TriggerSpec => ({ kind: 'topic', topic: name })
const post = (path: string): TriggerSpec => ({ kind: 'http', method: 'POST', path })
const read = async (): Promise<TriggerBook> => {
  const book = new TriggerBook({ stores, telemetry })
  await book.refresh()
  return book
}
const known = (book: TriggerBook): readonly string[] => book.known.map(({ trigger }) => `${trigger.flow} ${trigger.subject}`).toSorted()

describe('the triggers in force', () => {
  it('K1: are those of the versions that stable points to, each with its row', async () => {
    await publish('demo/a', [topic('tickets'), topic('mails')])
    await publish('demo/b', [])
    const book = await read()
    expect(known(book)).toEqual(['demo/a mails', 'demo/a tickets'])
    await publish('demo/a', [topic('tickets')])
    await publish('demo/b', [topic('orders')])
    await book.refresh()
    expect(known(book)).toEqual(['demo/a tickets', 'demo/b orders'])
    expect(book.known.every(({ trigger, row }) => trigger.id === row.id && trigger.planHash === row.planHash)).toBe(true)
    expect([book.hasOwn('default', 'demo/a'), book.hasOwn('acme', 'demo/a')]).toEqual([true, false])
  })

  it('K2: what is remembered stays over a version that says the same, and goes with one that does not', async () => {
    await publish('demo/a', [topic('tickets')])
    const book = await read()
    const id = book.known[0]?.trigger.id ?? ''
    await stores.triggers.pause({ id, tenant: 'default', paused: true, by: 'ada' })
    await publish('demo/a', [topic('mails'), { kind: 'topic', topic: 'tickets', when: 'event.ok' }])
    await book.refresh()
    expect(book.get(id)?.row.paused).toBe(true)
    await db.query(`delete from flow_aliases where flow = 'demo/a'`)
    await book.refresh()
    expect([known(book), await stores.triggers.list()]).toEqual([[], []])
  })

  it('K3: a method and path stay with the flow that had them first, until it lets go', async () => {
    await publish('demo/a', [post('/tickets/{id}')])
    const book = await read()
    await publish('demo/b', [post('/tickets/{number}')])
    await book.refresh()
    expect([known(book), book.refused.map(({ flow }) => flow)]).toEqual([['demo/a POST /tickets/{}'], ['demo/b']])
    await publish('demo/a', [])
    await book.refresh()
    expect([known(book), book.refused]).toEqual([['demo/b POST /tickets/{}'], []])
  })

  it('a path is found with its variables, one without them first, of its tenant and method only', async () => {
    await publish('demo/a', [post('/tickets/{id}'), post('/tickets/new'), post('/tickets/{id}/notes/{note}')])
    await publish('demo/a', [post('/own')], 'acme')
    const book = await read()
    const found = (path: string, method = 'POST', tenant = 'default') => {
      const match = book.hook(tenant, method, path)
      return match === undefined ? undefined : [match.trigger.spec.path, match.variables]
    }
    expect(found('/tickets/7')).toEqual(['/tickets/{id}', { id: '7' }])
    expect(found('/tickets/new')).toEqual(['/tickets/new', {}])
    expect(found('/tickets/7/notes/x')).toEqual(['/tickets/{id}/notes/{note}', { id: '7', note: 'x' }])
    expect([found('/tickets'), found('/tickets/'), found('/tickets/7', 'GET'), found('/own'), found('/own', 'POST', 'acme')?.[0]]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      '/own',
    ])
  })

  it('a plan whose expressions cannot be read is left out, and keeps nobody else from running', async () => {
    await publish('demo/broken', [{ kind: 'topic', topic: 'tickets', when: 'event.' }])
    await publish('demo/a', [topic('tickets')])
    expect(known(await read())).toEqual(['demo/a tickets'])
  })
})
