import { describe, expect, it } from '@jest/globals'
import { toFault } from './fault.ts'
import { decodeForeignEvent, decodeRequest } from './request.ts'

const place = { topic: 'baton.requests', partition: 2, offset: 40, key: '' }
const decode = (value: unknown, headers: Record<string, string> = {}) =>
  decodeRequest({ ...place, headers, value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) })
const refusal = (value: unknown, headers?: Record<string, string>) => {
  try {
    return decode(value, headers)
  } catch (error) {
    const { code, message, detail } = toFault(error)
    return { code, message, field: detail['field'] }
  }
}
const body = { id: 'order-4711', flow: 'support/customer-support', input: { text: 'hello' } }

describe('requests from any client', () => {
  it('I1, Q1: are plain JSON, named by their id', () => {
    expect(decode(body)).toEqual({ request: body, requestId: 'order-4711', tenant: 'default', source: 'kafka' })
  })
  it('Q1: without an id are named by their place', () => {
    expect(decode({ flow: 'a/b', input: 1 })).toMatchObject({ requestId: 'baton.requests/2/40' })
  })
  it('Q1: take tenant and source from the header before the body', () => {
    expect(decode({ ...body, tenant: 'body', source: 'body' }, { ce_tenant: 'acme', ce_source: '/shop' })).toMatchObject({
      tenant: 'acme',
      source: '/shop',
    })
    expect(decode({ ...body, tenant: 'acme', source: 'shop' })).toMatchObject({ tenant: 'acme', source: 'shop' })
  })
  it('I1: are CloudEvents in binary mode', () => {
    expect(
      decode({ flow: 'a/b', input: 1 }, { ce_specversion: '1.0', ce_id: 'e1', ce_type: 'baton.run.request.v1', ce_source: '/shop' }),
    ).toMatchObject({ requestId: 'e1', source: '/shop' })
  })
  it('I1: are CloudEvents in structured mode', () => {
    const event = {
      specversion: '1.0',
      id: 'e1',
      source: '/shop',
      type: 'baton.run.request.v1',
      tenant: 'acme',
      data: { flow: 'a/b', input: 1 },
    }
    expect(decode(event, { 'content-type': 'application/cloudevents+json; charset=utf-8' })).toEqual({
      request: { flow: 'a/b', input: 1 },
      requestId: 'e1',
      tenant: 'acme',
      source: '/shop',
    })
    expect(decode(event)).toMatchObject({ requestId: 'e1' })
  })
  it.each([
    ['{"flow":', '(root)'],
    ['[1]', '(root)'],
    [{ input: 1 }, 'flow'],
    [{ flow: 'a/b' }, 'input'],
    [{ flow: 'a/b', input: 1, priority: 'urgent' }, 'priority'],
    [{ flow: 'a/b', input: 1, tenant: 'A B' }, 'tenant'],
    [{ flow: 'a/b', input: 1, deadlineMs: -1 }, 'deadlineMs'],
  ])('Q2: name what is wrong with %j', (value, field) => {
    expect(refusal(value)).toMatchObject({ code: 'request.malformed', field })
  })
})

describe('events of other teams', () => {
  const read = (value: string, headers: Record<string, string> = {}) => decodeForeignEvent({ headers, value: Buffer.from(value) })

  it('Q1: are any JSON, with a tenant only where the sender names one', () => {
    expect(read('{"id":1,"tenant":"of the data"}')).toEqual({ data: { id: 1, tenant: 'of the data' } })
    expect(read('[1]')).toEqual({ data: [1] })
    expect(read('{"id":1}', { ce_tenant: 'acme', ce_type: 'ticket' })).toEqual({ data: { id: 1 }, tenant: 'acme' })
    expect(read('{"specversion":"1.0","tenant":"acme","data":{"id":1}}')).toEqual({ data: { id: 1 }, tenant: 'acme' })
  })

  it('Q2: what cannot be understood is request.malformed', () => {
    for (const [value, headers] of [
      ['no', {}],
      ['', {}],
      ['{"specversion":"1.0","id":"e"}', { 'content-type': 'application/cloudevents+json' }],
      ['{}', { ce_tenant: 'A B' }],
    ] as const)
      expect(() => read(value, headers)).toThrow(expect.objectContaining({ code: 'request.malformed' }))
  })
})
