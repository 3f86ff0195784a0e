import { describe, expect, it } from '@jest/globals'
import type { BusRecord } from '@baton/bus/bus'
import type { FaultData } from '@baton/contracts'
import { FOREIGN_ANSWER_BYTES_MAX } from './foreign-answers.ts'
import { deadLetterOf, readLogRecord } from './log-records.ts'

const RUN = 'run_8eba'
const ATTEMPT = `${RUN}/convert/1`
const COMPLETED = 'baton.step.completed.v1'
const FAILED = 'baton.step.failed.v1'
const AT_MS = 1_795_266_721_879

const record = (value: unknown, headers: Record<string, string> = {}): BusRecord => ({
  topic: 'baton.events',
  partition: 8,
  offset: 17,
  key: RUN,
  headers,
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  timestampMs: AT_MS,
})
const read = (value: unknown, headers?: Record<string, string>) => readLogRecord(record(value, headers))
const input = (name: string, data: object) => ({ message: { name, data }, atMs: AT_MS, partition: 8, offset: 17 })
const answer = { runId: RUN, attemptId: ATTEMPT, output: { text: 'x' } }
const failure = (fault: unknown) => ({ message: { name: 'step.failed', data: { runId: RUN, attemptId: ATTEMPT, fault } } })

describe('an answer of another team', () => {
  it.each([
    ['binary mode, one header', answer, { ce_type: COMPLETED }],
    ['binary mode, headers as HTTP writes them', answer, { 'ce-type': COMPLETED }],
    [
      'structured mode',
      { specversion: '1.0', id: '1', source: '/convert', type: COMPLETED, data: answer },
      { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    ],
    ['structured mode without a content type', { specversion: '1.0', id: '1', source: '/convert', type: COMPLETED, data: answer }, {}],
    [
      'structured mode with data in base64',
      {
        specversion: '1.0',
        id: '1',
        source: '/c',
        type: COMPLETED,
        data_base64: Buffer.from(JSON.stringify(answer)).toString('base64'),
      },
      {},
    ],
    ['plain JSON with its data inside', { type: COMPLETED, data: answer }, {}],
  ])('T1: %s', (_how, value, headers) => {
    expect(read(value, headers)).toEqual(input('step.completed', answer))
  })

  it('T1: plain JSON with a type', () => {
    expect(read({ type: COMPLETED, ...answer })).toMatchObject(input('step.completed', answer))
  })

  it('T1: other events of the log too', () => {
    const event = { runId: RUN, by: 'shop', reason: 'order withdrawn' }
    expect(read({ specversion: '1.0', id: '1', source: '/shop', type: 'baton.run.cancel.v1', data: event })).toEqual(
      input('run.cancel', event),
    )
  })

  it('T2: needs no run id', () => {
    expect(read({ attemptId: ATTEMPT, output: 1 }, { ce_type: COMPLETED })).toEqual(
      input('step.completed', { runId: RUN, attemptId: ATTEMPT, output: 1 }),
    )
  })

  it.each([
    ['a code of its own', { code: 'PDF-17', message: 'no text' }, { code: 'tool.failed', message: 'no text', detail: { code: 'PDF-17' } }],
    ['a number as code', { code: 422, message: 'no text' }, { code: 'tool.failed', message: 'no text', detail: { code: '422' } }],
    ['text', 'no text in it', { code: 'tool.failed', message: 'no text in it' }],
    ['nothing', undefined, { code: 'tool.failed', message: 'the worker gave no reason' }],
    [
      'a known code with details of any shape',
      { code: 'tool.timed_out', message: 'slow', detail: { page: 3, trace: ['a'], why: 'w'.repeat(9_000) } },
      { code: 'tool.timed_out', message: 'slow', detail: { page: 3, why: 'w'.repeat(500) } },
    ],
    ['a stack of any length', { code: 'x', message: 'm'.repeat(9_000) }, { code: 'tool.failed', message: 'm'.repeat(4_000) }],
  ])('T3: fails with %s', (_what, fault, known) => {
    expect(read({ attemptId: ATTEMPT, fault }, { ce_type: FAILED })).toMatchObject(failure(known))
  })

  it('T3: may call its fault an error', () => {
    expect(read({ attemptId: ATTEMPT, error: 'no text' }, { ce_type: FAILED })).toMatchObject(
      failure({ code: 'tool.failed', message: 'no text' }),
    )
  })

  it('T4: that is too large fails its step, whoever is billed', () => {
    const large = { ...answer, output: 'x'.repeat(FOREIGN_ANSWER_BYTES_MAX), meter: { costMicroUsd: 7 } }
    const found = read(large, { ce_type: COMPLETED })
    expect(found).toMatchObject(failure({ code: 'step.output_too_large' }))
    expect(found).toMatchObject({ message: { data: { meter: { costMicroUsd: 7 } } } })
    expect(JSON.stringify(found).length).toBeLessThan(1_000)
    expect(read(large, { ce_type: COMPLETED, ce_source: '/baton/tools' })).toMatchObject({ message: { name: 'step.completed' } })
  })

  it('T5: may bill what it knows', () => {
    expect(read({ ...answer, meter: { costMicroUsd: 1_200, latencyMs: 879 } }, { ce_type: COMPLETED })).toMatchObject({
      message: { data: { meter: { costMicroUsd: 1_200, latencyMs: 879, startedAtMs: AT_MS - 879, tries: 1 } } },
    })
  })

  it.each([
    [1_795_266_781_879.25, 1_795_266_781_879],
    ['2026-11-21T20:00:00Z', Date.parse('2026-11-21T20:00:00Z')],
  ])('T5: extends its lease until %p', (untilMs, known) => {
    expect(read({ attemptId: ATTEMPT, untilMs }, { ce_type: 'baton.step.extended.v1' })).toEqual(
      input('step.extended', { runId: RUN, attemptId: ATTEMPT, untilMs: known }),
    )
  })

  it.each([
    ['no JSON', '{', { ce_type: COMPLETED }, 'the value is not JSON'],
    ['no object', '7', { ce_type: COMPLETED }, 'baton.step.completed.v1: (root)'],
    ['no type', answer, {}, 'no event type'],
    ['an unknown type', answer, { ce_type: 'step.done' }, 'unknown event type step.done'],
    ['no attempt', { runId: RUN, output: 1 }, { ce_type: COMPLETED }, 'attemptId'],
    ['no output', { attemptId: ATTEMPT, result: 1 }, { ce_type: COMPLETED }, 'output'],
    ['a time that is none', { attemptId: ATTEMPT, untilMs: 'soon' }, { ce_type: 'baton.step.extended.v1' }, 'untilMs'],
    ['a command', answer, { ce_type: 'baton.tool.call.v1' }, 'baton.tool.call.v1'],
  ])('T6, R8: %s becomes a dead letter with its bytes and the reason', (_what, value, headers: Record<string, string>, reason) => {
    const sent = record(value, headers)
    const fault = readLogRecord(sent)
    expect(fault).toMatchObject({ code: 'message.undecodable' })
    const letter = deadLetterOf(sent, fault as FaultData) // no input, so a fault
    expect(letter).toMatchObject({ topic: 'baton.routing.dlt', key: RUN, value: sent.value })
    expect(letter.headers['x-fault-message']).toContain(reason)
  })
})
