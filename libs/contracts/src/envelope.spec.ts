import { describe, expect, it } from '@jest/globals'
import { CloudEvent, Kafka, type KafkaMessage } from 'cloudevents'
import fc from 'fast-check'
import { decodeEvent, encodeEvent, parseJson } from './envelope.ts'
import { EXAMPLES } from './examples.ts'
import { contractNames, wireSchema, wireType } from './registry.ts'
import { decodeRequest } from './request.ts'

const attributes = { source: '/baton/models', subject: 'run_1', tenant: 'acme', time: '2026-01-01T00:00:00.000Z', correlationId: 'order-1' }

/** The SDK takes header values as text; a client gives Buffers. */
const readBySdk = (headers: Readonly<Record<string, string>>, value: Buffer): unknown => {
  const text = value.toString('utf8')
  const message: KafkaMessage<string> = { headers: { ...headers }, key: '', value: text, body: text }
  return Kafka.toEvent(message)
}

describe('events on Kafka, against the official CloudEvents SDK', () => {
  it.each(contractNames())('%s: what we write, the SDK reads', (name) => {
    // Each example belongs to the contract of its name, which is what the union pairs.
    const event = { ...attributes, id: 'e1', name, data: EXAMPLES[name] } as Parameters<typeof encodeEvent>[0]
    const { headers, value, key } = encodeEvent(event)
    expect(key).toBe('run_1')
    const read = readBySdk(headers, value)
    expect(JSON.parse(JSON.stringify(read))).toMatchObject({
      specversion: '1.0',
      id: 'e1',
      type: wireType(name),
      source: '/baton/models',
      subject: 'run_1',
      time: '2026-01-01T00:00:00.000Z',
      dataschema: wireSchema(name),
      tenant: 'acme',
      correlationid: 'order-1',
      datacontenttype: 'application/json',
      data: JSON.parse(JSON.stringify(EXAMPLES[name])),
    })
  })

  it.each(contractNames())('%s: what the SDK writes, we read', (name) => {
    const { correlationId, ...plain } = attributes
    const data: unknown = JSON.parse(JSON.stringify(EXAMPLES[name]))
    const event = new CloudEvent({
      ...plain,
      id: 'e1',
      type: wireType(name),
      dataschema: wireSchema(name),
      datacontenttype: 'application/json',
      correlationid: correlationId,
      data,
    })
    const { headers, value } = Kafka.binary(event)
    // The SDK writes undefined for what is not set; a client sends no such header.
    const sent = Object.fromEntries(
      Object.entries(headers).flatMap(([key, header]) => (header === undefined ? [] : [[key, String(header)]])),
    )
    expect(decodeEvent({ headers: sent, value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) })).toEqual({
      ...attributes,
      id: 'e1',
      name,
      data,
    })
  })
})

describe('requests, written by the official CloudEvents SDK', () => {
  const event = new CloudEvent({
    id: 'e1',
    source: '/shop',
    type: wireType('run.request'),
    tenant: 'acme',
    datacontenttype: 'application/json',
    data: { flow: 'a/b', input: { n: 1 } },
  })
  const expected = { request: { flow: 'a/b', input: { n: 1 } }, requestId: 'e1', tenant: 'acme', source: '/shop' }

  it.each(['binary', 'structured'] as const)('I1: in %s mode are read', (mode) => {
    const { headers, value } = Kafka[mode](event)
    const sent = Object.fromEntries(
      Object.entries(headers).flatMap(([key, header]) => (header === undefined ? [] : [[key, String(header)]])),
    )
    const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
    expect(decodeRequest({ topic: 'baton.requests', partition: 0, offset: 0, key: '', headers: sent, value: bytes })).toEqual(expected)
  })
})

describe('our own codec', () => {
  it('gives back any text unchanged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (id, reason) => {
        const event = { ...attributes, id, name: 'run.cancel' as const, data: { runId: 'run_1', by: 'ada', reason } }
        expect(decodeEvent(encodeEvent(event))).toEqual(event)
      }),
    )
  })

  it.each<[string, Record<string, string>, string, string]>([
    ['an unknown type', { ce_type: 'com.example.other.v1' }, '{}', 'ce_type'],
    ['a record that is no event', {}, '{}', 'ce_type'],
    ['a broken value', { ce_type: 'baton.run.cancel.v1' }, '{"runId":', '(root)'],
    ['a missing field', { ce_type: 'baton.run.cancel.v1' }, '{"runId":"run_1","by":"ada"}', 'reason'],
    [
      'a wrong field deep inside',
      { ce_type: 'baton.step.failed.v1' },
      '{"runId":"r","attemptId":"a","fault":{"code":"no.such","message":""}}',
      'fault.code',
    ],
  ])('F1: %s is message.undecodable and names the field', (_, headers, value, field) => {
    expect(() => decodeEvent({ headers, value: Buffer.from(value) })).toThrow(
      expect.objectContaining({ code: 'message.undecodable', detail: { field } }),
    )
  })

  it('reads JSON from a view into a larger buffer', () => {
    expect(parseJson(Buffer.from('xx{"a":1}yy').subarray(2, 9))).toEqual({ a: 1 })
  })
})
