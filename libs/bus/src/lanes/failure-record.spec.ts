import { describe, expect, it } from '@jest/globals'
import type { BusRecord } from '../bus.ts'
import { asOriginal, decodeFailure, encodeFailure, HEADER, withoutFailure, type FailureRecord } from './failure-record.ts'

const original: BusRecord = {
  topic: 'commands',
  partition: 3,
  offset: 17,
  timestampMs: 1_000,
  key: 'run_1',
  value: Buffer.from([0, 255, 1]),
  headers: { ce_id: 'run_1/a/1', 'x-own': 'ä' },
}
const failure: FailureRecord = {
  origin: { topic: 'commands', partition: 3, offset: 17, timestampMs: 1_000 },
  firstFailedAtMs: 2_000,
  fault: { code: 'model.unavailable', message: 'no answer', detail: { status: 503, host: 'a' } },
  attempts: 2,
  stage: 1,
  notBeforeMs: 7_000,
}
const arrived = (topic: string, headers: BusRecord['headers']): BusRecord => ({
  ...original,
  topic,
  partition: 0,
  offset: 5,
  timestampMs: 2_100,
  headers,
})

describe('failure record', () => {
  it('lanes/H1: keeps key, value and own headers, and reads back what was written', () => {
    const sent = encodeFailure('retry.5s', original, failure)
    expect(sent).toMatchObject({ topic: 'retry.5s', key: 'run_1' })
    expect(sent.value).toBe(original.value)
    expect(sent.headers).toMatchObject({ ...original.headers, [HEADER.attempt]: '3', [HEADER.attempts]: '2', [HEADER.originOffset]: '17' })
    expect(decodeFailure(sent)).toEqual(failure)
    expect(withoutFailure(sent.headers)).toEqual(original.headers)
  })

  it('lanes/H2: shows the message as it was first read', () => {
    const record = arrived('retry.5s', encodeFailure('retry.5s', original, failure).headers)
    expect(asOriginal(record, failure)).toEqual(original)
  })

  it('drops the waiting headers on the way to the dead letters', () => {
    const { notBeforeMs: _, ...final } = failure
    const waited = arrived('retry.5s', encodeFailure('retry.5s', original, failure).headers)
    const { headers } = encodeFailure('dlt', waited, final)
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining([HEADER.notBeforeMs]))
    expect(headers[HEADER.attempt]).toBeUndefined()
    expect(decodeFailure({ headers })?.notBeforeMs).toBeUndefined()
  })

  it('cuts a very long reason, and survives headers that make no sense', () => {
    const long = encodeFailure('dlt', original, { ...failure, fault: { code: 'tool.failed', message: 'x'.repeat(9_000) } })
    expect(long.headers[HEADER.faultMessage]).toHaveLength(2_000)
    expect(
      decodeFailure({
        headers: { [HEADER.originTopic]: 't', [HEADER.originOffset]: '-1', [HEADER.faultCode]: 'no.such', [HEADER.faultDetail]: '{' },
      }),
    ).toEqual({
      origin: { topic: 't', partition: 0, offset: 0, timestampMs: 0 },
      attempts: 0,
      stage: 0,
    })
    expect(decodeFailure({ headers: {} })).toBeUndefined()
  })
})
