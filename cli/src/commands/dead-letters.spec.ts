import { describe, expect, it } from '@jest/globals'
import { changeText, letterText, type Letter } from './dead-letters-view.ts'

const letter: Letter = {
  id: 'tools-17',
  key: 'run_1',
  tenant: 'acme',
  originTopic: 'baton.tools.commands',
  code: 'tool.failed',
  message: 'the office is closed',
  fingerprint: '3f9c0d51b2aa7e04',
  attempts: 2,
  redrives: 1,
  state: 'open',
  failedAtMs: 5_000,
  daysLeft: 29,
  headers: { ce_id: 'run_1/a/1' },
  origin: { topic: 'baton.tools.commands', partition: 1, offset: 9 },
  detail: { status: 503 },
  frames: ['charge services/tools/src/pay.ts:4'],
  first: { atMs: 1_000, code: 'tool.timed_out', message: 'no answer' },
  history: [
    { attempt: 1, atMs: 1_000, code: 'tool.timed_out' },
    { attempt: 1, atMs: 5_000, code: 'tool.failed' },
  ],
  actions: [{ action: 'redriven', atMs: 9_000, by: 'ada', reason: 'open again', changes: [{ at: 'body.n', before: '1', after: '2' }] }],
  decoded: { contract: 'tool.call', problem: 'runId: is missing', data: { n: 1 } },
  value: '{"n":1}',
}

describe('baton dlq show', () => {
  it('F4: says cause, place, tries, what was done with it, and the message', () => {
    const text = letterText(letter)
    for (const part of [
      'tools-17  open, kept for 29 more days',
      'tool.failed: the office is closed',
      'from baton.tools.commands/1/9, key run_1, tenant acme',
      'after 2 tries, redriven 1 times before',
      'charge services/tools/src/pay.ts:4',
      'status: 503',
      '1970-01-01T00:00:01.000Z  1  tool.timed_out',
      'tool.timed_out: no answer',
      'redriven by ada: open again',
      'body.n: 1 -> 2',
      'cannot be read: runId: is missing',
      '"n": 1',
    ])
      expect(text).toContain(part)
  })

  it('shows what is no JSON as text, and leaves out what there is none of', () => {
    const text = letterText({
      ...letter,
      value: 'no json',
      redrives: 0,
      attempts: 1,
      frames: [],
      actions: [],
      decoded: { contract: null, data: null },
    })
    expect(text).toContain('message:\n  no json')
    expect(text).toContain('after 1 try\n')
    expect(text).not.toMatch(/where:|done with it|first failure/)
  })

  it('says what an edit adds and takes away', () => {
    expect([changeText({ at: 'headers.a', after: 'x' }), changeText({ at: 'headers.b', before: 'y' })]).toEqual([
      'headers.a: (none) -> x',
      'headers.b: y -> (none)',
    ])
  })
})
