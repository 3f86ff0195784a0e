// What starts a flow beside a request: topics of others, HTTP, schedules; over versions, pauses and restarts.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { MessageOf } from '@baton/contracts'
import { makeHome, openAt, until, type Home, type Published, type System } from './system.ts'

const TICKETS = `
flow: demo/tickets@1.0.0
input: { text: string, from: string? }
triggers:
  - topic: tickets
    when: event.kind == "ticket"
    key: =event.id
    input: { text: =event.text }
  - http: POST /tickets/{from}
    when: event.text != "spam"
    input: { text: =event.text, from: =event.from }
  - { http: GET /tickets, input: { text: =event.q } }
steps:
  - reply: { set: { text: =input.text } }
output: { text: =reply.text }
`
const clock = (trigger: string): string => `
flow: demo/clock@1.0.0
input: { at: string }
triggers:
  - { ${trigger}, input: { at: =event.time } }
steps:
  - reply: { set: { at: =input.at } }
output: =reply
`

jest.setTimeout(60_000)

type Trigger = { readonly id: string; readonly subject: string; readonly state: string } & Readonly<
  Partial<Record<'nextDueAt' | 'lastRunId' | 'lastError', string>>
>
type Problem = { readonly code: string; readonly detail: string }

let home: Home
let system: System
beforeAll(async () => {
  home = await makeHome({ flows: { 'tickets/flow.yaml': TICKETS } })
  system = await openAt(home)
})
afterAll(async () => {
  await system.close()
  await home.remove()
})

const emit = (event: unknown, headers: Readonly<Record<string, string>> = {}, topic = 'tickets') =>
  system.platform.bus.publish([{ topic, key: '', value: Buffer.from(typeof event === 'string' ? event : JSON.stringify(event)), headers }])
const list = async (flow: string): Promise<readonly Trigger[]> =>
  (await system.http<{ items: readonly Trigger[] }>('GET', `/v1/triggers?flow=${flow}`)).body.items
const trigger = async (flow: string, subject: string): Promise<Trigger> => {
  const found = (await list(flow)).find((item) => item.subject === subject)
  if (found === undefined) throw new Error(`no trigger ${subject}`)
  return found
}
const publish = <T = Record<string, unknown>>(flow: string, text: string) =>
  system.http<T>('PUT', `/v1/flows/${flow}`, { files: { 'flow.yaml': text } })
const outputs = (results: readonly Published[]): readonly unknown[] => results.map(({ result }) => result.output)

describe('a topic of somebody else', () => {
  it('starts a run for each event that is meant, named by its key, and says who started it', async () => {
    await emit({ kind: 'mail', id: 'M-1' })
    await emit({ kind: 'ticket', id: 'T-1', text: 'my order' })
    const [result] = await system.results('T-1')
    expect(result?.result).toMatchObject({ flow: 'demo/tickets', status: 'completed', output: { text: 'my order' } })
    const runId = result?.result.runId ?? ''
    const { runs } = await startedRuns('topic:tickets/demo/tickets')
    expect(runs).toMatchObject([{ requestId: 'T-1', runId, trigger: 'topic tickets', tenant: 'default' }])
  })

  it('hears CloudEvents of both kinds, of the tenant they name', async () => {
    await emit(
      { kind: 'ticket', id: 'T-2', text: 'binary' },
      { ce_specversion: '1.0', ce_id: 'x', ce_source: '/shop', ce_type: 't', ce_tenant: 'acme' },
    )
    await emit({ specversion: '1.0', id: 'y', source: '/shop', type: 't', data: { kind: 'ticket', id: 3, text: 'structured' } })
    expect(outputs(await system.results('T-2'))).toEqual([{ text: 'binary' }])
    expect(outputs(await system.results('3'))).toEqual([{ text: 'structured' }])
    const { runs } = await startedRuns('topic:tickets/demo/tickets')
    expect(runs.find(({ requestId }) => requestId === 'T-2')?.tenant).toBe('acme')
  })

  it('E1: the same event twice starts one run, also when it was changed since', async () => {
    await emit({ kind: 'ticket', id: 'T-4', text: 'once' })
    await emit({ kind: 'ticket', id: 'T-4', text: 'once' })
    await emit({ kind: 'ticket', id: 'T-4', text: 'other words' })
    await emit({ kind: 'ticket', id: 'T-5', text: 'after' })
    await system.results('T-5')
    await until('the last event', async () => ((await trigger('demo/tickets', 'tickets')).lastRunId === undefined ? undefined : true))
    expect(
      new Set((await startedRuns('topic:tickets/demo/tickets')).runs.filter((run) => run.requestId === 'T-4').map((run) => run.runId)).size,
    ).toBe(1)
    expect(new Set((await system.results('T-4')).map(({ result }) => JSON.stringify(result.output)))).toEqual(new Set(['{"text":"once"}']))
  })

  it('E2: what cannot start a run goes to the dead letters with its reason', async () => {
    await emit('not JSON')
    await emit({ kind: 'ticket', id: 'T-6', text: 7 })
    await emit({ kind: 'ticket', id: 'T-7' })
    await emit({ kind: 'ticket', id: 'T-8', text: 'goes on' })
    await system.results('T-8')
    const codes = await until('three dead letters', async () => {
      const letters = (await system.deadLetters('gateway')).filter(({ failure }) => failure.origin.topic === 'tickets')
      return letters.length < 3 ? undefined : letters.map(({ failure }) => String(failure.fault?.code)).sort()
    })
    expect(codes).toEqual(['expression.failed', 'input.invalid', 'request.malformed'])
    expect((await trigger('demo/tickets', 'tickets')).lastError).toMatch(/^(expression.failed|input.invalid|request.malformed): /)
  })

  it('E3: a paused one starts nothing, and catches up when it goes on, also over a restart', async () => {
    const { id } = await trigger('demo/tickets', 'tickets')
    expect((await system.http('POST', `/v1/triggers/${id}:pause`)).body).toMatchObject({ id, state: 'paused' })
    await emit({ kind: 'ticket', id: 'T-9', text: 'waits' })
    await system.close()
    system = await openAt(home)
    expect(await trigger('demo/tickets', 'tickets')).toMatchObject({ state: 'paused' })
    expect((await startedRuns('topic:tickets/demo/tickets')).runs.filter((run) => run.requestId === 'T-9')).toEqual([])
    await system.http('POST', `/v1/triggers/${id}:resume`)
    expect(outputs(await system.results('T-9'))).toEqual([{ text: 'waits' }])
    expect((await system.http('POST', '/v1/triggers/trg_none:pause')).status).toBe(404)
  })

  it('E3: a new trigger does not go through what was there before', async () => {
    await publish('demo/late', TICKETS.replace('demo/tickets', 'demo/late').replaceAll('/tickets', '/late'))
    await emit({ kind: 'ticket', id: 'T-10', text: 'for both' })
    const both = await system.results('T-10', 2)
    expect(both.map(({ result }) => result.flow).toSorted()).toEqual(['demo/late', 'demo/tickets'])
    expect((await startedRuns('topic:tickets/demo/late')).runs.map((run) => run.requestId)).toEqual(['T-10'])
  })
})

describe('flows among themselves', () => {
  it('what one emits starts the other, also in one process, where nobody else makes the topic', async () => {
    await publish(
      'demo/first',
      `flow: demo/first@1.0.0
triggers: [{ http: POST /first }]
input: { id: string }
steps:
  - told: { emit: { topic: firsts, type: demo.first }, with: { id: =input.id, text: hello } }
output: { ok: true }
`,
    )
    await publish(
      'demo/second',
      `flow: demo/second@1.0.0
triggers: [{ topic: firsts, key: '="second-" + event.id', input: { text: =event.text } }]
input: { text: string }
steps:
  - reply: { set: { text: =input.text } }
output: { text: =reply.text }
`,
    )
    expect((await system.http('POST', '/hooks/first', { id: '1' })).status).toBe(202)
    expect(outputs(await system.results('second-1'))).toEqual([{ text: 'hello' }])
  })
})

describe('tenants', () => {
  const own = TICKETS.replace('@1.0.0', '@2.0.0').replace('text: =input.text', 'text: =input.text + " of acme"')

  it('one with a flow of its own has triggers of its own, and nobody else hears its events', async () => {
    const acme = { 'x-baton-tenant': 'acme' }
    await system.http('PUT', '/v1/flows/demo/tickets', { files: { 'flow.yaml': own } }, acme)
    await emit({ kind: 'ticket', id: 'A-1', text: 'hello' }, { ce_tenant: 'acme' })
    await emit({ kind: 'ticket', id: 'A-2', text: 'hello' }, { ce_tenant: 'default' })
    expect(outputs(await system.results('A-1', 2))).toContainEqual({ text: 'hello of acme' })
    const flows = async (id: string) =>
      (await startedRuns('topic:tickets/demo/tickets')).runs
        .filter((run) => run.requestId === id)
        .map(({ tenant, version }) => `${tenant} ${version}`)
    expect(await flows('A-1')).toEqual(['acme 2.0.0'])
    await system.results('A-2', 2)
    expect(await flows('A-2')).toEqual(['default 1.0.0'])
    const begun = await system.http<{ runId: string }>('POST', '/hooks/tickets/bob', { text: 'hi' }, { ...acme, 'idempotency-key': 'A-3' })
    expect(begun.status).toBe(202)
    expect(outputs(await system.results('A-3'))).toEqual([{ text: 'hi of acme' }])
  })

  it('a flow without its alias is started by nothing any more', async () => {
    await system.platform.db.query(`delete from flow_aliases where tenant = 'acme'`)
    const { body } = await system.http<{ items: readonly Trigger[] }>('GET', '/v1/triggers', undefined, { 'x-baton-tenant': 'acme' })
    expect(body.items).toEqual([])
    await emit({ kind: 'ticket', id: 'A-4', text: 'hello' }, { ce_tenant: 'acme' })
    expect(outputs(await system.results('A-4', 2))).toEqual([{ text: 'hello' }, { text: 'hello' }]) // demo/late hears of it too
  })
})

describe('HTTP', () => {
  const post = <T = { runId: string; repeat: boolean; started: boolean }>(path: string, body: unknown, headers = {}) =>
    system.http<T>('POST', path, body, headers)

  it('O1: the body with the variables of the path, or the query, is the event', async () => {
    const begun = await post('/hooks/tickets/ada', { text: 'hello' }, { 'idempotency-key': 'h-1' })
    expect(begun).toMatchObject({ status: 202, body: { started: true, repeat: false, requestId: 'h-1' } })
    expect(outputs(await system.results('h-1'))).toEqual([{ text: 'hello' }])
    expect((await system.http('GET', '/hooks/tickets?q=words', undefined, { 'idempotency-key': 'h-2' })).status).toBe(202)
    expect(outputs(await system.results('h-2'))).toEqual([{ text: 'words' }])
    const { runs } = await startedRuns('http:POST /tickets/{}')
    expect(runs.filter(({ requestId }) => requestId === 'h-1')).toMatchObject([
      { input: { text: 'hello', from: 'ada' }, trigger: 'http POST /tickets/{}' },
    ])
  })

  it('O2: the same key is the same run; another body under it is refused; an event nobody wants starts none', async () => {
    const [first, again] = [
      await post('/hooks/tickets/ada', { text: 'a' }, { 'idempotency-key': 'h-3' }),
      await post('/hooks/tickets/ada', { text: 'a' }, { 'idempotency-key': 'h-3' }),
    ]
    expect(again.body).toMatchObject({ runId: first.body.runId, repeat: true })
    expect((await post('/hooks/tickets/ada', { text: 'b' }, { 'idempotency-key': 'h-3' })).status).toBe(409)
    expect(await post('/hooks/tickets/ada', { text: 'spam' })).toMatchObject({ status: 200, body: { started: false } })
    expect(await post('/hooks/nobody', {})).toMatchObject({ status: 404, body: { code: 'request.not_found' } })
    expect(await post('/hooks/tickets/ada', { text: 5 })).toMatchObject({ status: 422, body: { code: 'input.invalid' } })
  })

  it('a second flow with the same method and path is refused when it is published', async () => {
    const other = TICKETS.replace('demo/tickets', 'demo/other').replace('{from}', '{sender}').replace('GET /tickets', 'GET /other')
    const refused = await publish<Problem>('demo/other', other)
    expect(refused).toMatchObject({ status: 409, body: { code: 'request.conflicting' } })
    expect(refused.body.detail).toContain('POST /tickets/{} starts demo/tickets already')
    expect(await list('demo/other')).toEqual([])
  })
})

describe('schedules', () => {
  it('C1: each due time is one run, over a restart too, and the list says when the next one is', async () => {
    await publish('demo/clock', clock('every: 1s'))
    const due = (await trigger('demo/clock', 'every 1s')).nextDueAt
    expect(typeof due).toBe('string')
    await until('two runs', async () => ((await clockRuns()).length >= 2 ? true : undefined))
    await system.close()
    await sleep(2_500)
    system = await openAt(home)
    const before = (await clockRuns()).length
    await until('two more', async () => ((await clockRuns()).length >= before + 2 ? true : undefined))
    const ids = (await clockRuns()).map((run) => run.requestId)
    expect(new Set(ids).size).toBe(ids.length)
    const times = ids.map((id) => Date.parse(id.slice(id.lastIndexOf('/') + 1))).toSorted((a, b) => a - b)
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(gaps.every((gap) => gap >= 1_000 && gap % 1_000 === 0)).toBe(true)
    expect(Math.max(...gaps)).toBeGreaterThan(1_000) // C2: what was missed is made up for once
  })

  it('another version replaces them, and a rollback brings them back', async () => {
    await publish('demo/clock', clock('schedule: "0 6 * * 1-5", zone: Europe/Berlin').replace('@1.0.0', '@1.1.0'))
    expect((await list('demo/clock')).map(({ subject }) => subject)).toEqual(['0 6 * * 1-5 Europe/Berlin'])
    const last = (await clockRuns()).length
    await sleep(1_500)
    expect((await clockRuns()).length).toBeLessThanOrEqual(last + 1)
    await system.http('POST', '/v1/aliases/demo/clock:rollback', {})
    expect((await list('demo/clock')).map(({ subject }) => subject)).toEqual(['every 1s'])
    await until('a run again', async () => ((await clockRuns()).length > last + 1 ? true : undefined))
  })

  it('C3: an input that does not fit is told, and the next due time comes', async () => {
    await publish('demo/clock', clock('every: 1s').replace('=event.time', '=event.nothing').replace('@1.0.0', '@1.2.0'))
    const failed = await until('an error', async () => {
      const found = await trigger('demo/clock', 'every 1s')
      return found.lastError === undefined ? undefined : found
    })
    expect(failed.lastError).toContain('expression.failed')
    expect(Date.parse(failed.nextDueAt ?? '')).toBeGreaterThan(0)
  })
})

/** Runs that a source asked for, from the log. */
const startedRuns = async (source: string): Promise<{ readonly runs: readonly MessageOf<'run.requested'>[] }> => {
  const { decodeEvent, TOPICS } = await import('@baton/contracts')
  const { partitions } = await system.platform.bus.describe(TOPICS.events)
  const records = await Promise.all(
    partitions.map(({ partition, first }) => system.platform.bus.read({ topic: TOPICS.events, partition, offset: first, limit: 5_000 })),
  )
  const events = records.flat().map(decodeEvent)
  return {
    runs: events.flatMap((event) =>
      event.name === 'run.requested' && event.data.source === source && !event.data.repeat ? [event.data] : [],
    ),
  }
}
const clockRuns = async (): Promise<readonly MessageOf<'run.requested'>[]> => (await startedRuns('schedule:demo/clock')).runs
