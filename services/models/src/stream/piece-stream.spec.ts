import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { OutgoingRecord } from '@baton/bus/bus'
import type { StepCommand, StreamPiece } from '@baton/contracts'
import { openPieces, PIECE_EVERY_MS } from './piece-stream.ts'
import { isStreamed } from './stream-rule.policy.ts'

const command = { runId: 'r', tenant: 't', path: 'answer', attempt: 1, attemptId: 'a' } as StepCommand
/** A topic that takes its time. */
const slowTopic = (delayMs = 0) => {
  const pieces: StreamPiece[] = []
  const publish = async (records: readonly OutgoingRecord[]) => {
    await pause(delayMs)
    for (const { value } of records) pieces.push(JSON.parse(value.toString('utf8')) as StreamPiece)
    return records.map(() => ({ partition: 0, offset: 0 }))
  }
  return { pieces, publish }
}

describe('pieces of an answer (B11)', () => {
  it('P1, P3: are numbered, and put together while one is on its way', async () => {
    const topic = slowTopic(20)
    const sink = openPieces({ bus: topic, command, delivery: 1 })
    for (const word of 'Your card is on its way to you'.split(' ')) {
      sink.piece(1, `${word} `)
      await pause(15)
    }
    sink.end(1, 'done')
    while (topic.pieces.at(-1)?.end !== 'done') await pause(PIECE_EVERY_MS)
    expect(topic.pieces.map(({ text }) => text).join('')).toBe('Your card is on its way to you ')
    expect(topic.pieces.map(({ seq }) => seq)).toEqual(topic.pieces.map((_, at) => at))
    expect(topic.pieces.length).toBeLessThan(8)
    expect(topic.pieces.at(-1)?.end).toBe('done')
  })
  it('P2: a second call is shown when the first is void, from its beginning', async () => {
    const topic = slowTopic()
    const sink = openPieces({ bus: topic, command, delivery: 2 })
    sink.piece(1, 'Your c')
    sink.piece(2, 'It is ')
    sink.piece(2, 'here')
    sink.end(2, 'done')
    sink.end(1, 'broken')
    while (topic.pieces.at(-1)?.end !== 'done') await pause(5)
    expect(topic.pieces).toMatchObject([
      { call: 101, seq: 0, text: 'Your c', end: 'broken' },
      { call: 102, seq: 0, text: 'It is here', end: 'done' },
    ])
  })
  it('P4: a topic that takes nothing holds nothing up', async () => {
    const sink = openPieces({ bus: { publish: () => Promise.reject(new Error('the topic is away')) }, command, delivery: 1 })
    sink.piece(1, 'Your card')
    sink.end(1, 'done')
    await pause(PIECE_EVERY_MS)
    expect(() => sink.piece(2, 'again')).not.toThrow()
  })
  it('Q1: free text is streamed, JSON and work in bulk is not', () => {
    expect(isStreamed('text', { priority: 'normal' }, undefined)).toBe(true)
    expect(isStreamed('text', { priority: 'bulk' }, undefined)).toBe(false)
    expect(isStreamed('text', { priority: 'normal' }, { type: 'object' })).toBe(false)
    expect(isStreamed('never', { priority: 'normal' }, undefined)).toBe(false)
  })
})
