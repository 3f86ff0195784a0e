import { describe, expect, it } from '@jest/globals'
import { decodeEvent } from '@baton/contracts'
import { rejectionRecord } from './rejection.ts'

const fault = { code: 'request.malformed', message: 'flow: is required', detail: { field: 'flow' } } as const
const recordOf = (value: string, headers: Record<string, string> = {}) => ({
  topic: 'baton.requests',
  partition: 3,
  offset: 17,
  key: 'k',
  value: Buffer.from(value),
  headers,
  timestampMs: 0,
})
const answerTo = (value: string, headers?: Record<string, string>) => decodeEvent(rejectionRecord(recordOf(value, headers), fault))

describe('rejection', () => {
  it('I1: answers with the correlation id and the reason, so that the sender can tell which of its requests it was', () => {
    expect(answerTo('{"id":"order-1","tenant":"acme","flow":"a/b","input":1}')).toMatchObject({
      name: 'run.rejected',
      correlationId: 'order-1',
      tenant: 'acme',
      data: { requestId: 'order-1', flow: 'a/b', status: 'rejected', fault },
    })
  })
  it('reads tenant and source from the header before the body, as with requests that are understood', () => {
    expect(answerTo('{"id":"body","tenant":"other"}', { ce_id: 'header', ce_tenant: 'acme' })).toMatchObject({
      correlationId: 'body',
      tenant: 'acme',
    })
  })
  it('names the place of the record where nothing else can be read', () => {
    expect(answerTo('{"id":"order-1"')).toMatchObject({ correlationId: 'baton.requests/3/17', tenant: 'default' })
  })
  it('has one id for repeats and another for another body', () => {
    expect(answerTo('{"id":"a"').subject).toBe(answerTo('{"id":"a"').subject)
    expect(answerTo('{"id":"a", "x":1}').subject).not.toBe(answerTo('{"id":"a", "x":2}').subject)
    expect(answerTo('{').id).toMatch(/^rej_[0-9a-f]{32}\/0$/)
  })
})
