import { describe, expect, it } from '@jest/globals'
import type { DeadLetter } from '@baton/bus'
import { applyEdit } from './letter-edit.ts'
import { EditBody } from './letter-edit-body.ts'

const COMMAND = { runId: 'run_1', effectKey: 'run_1/pay/0', input: { amount: 5, mail: 'ada@example.com' }, apiKey: 'k-123', note: 'x' }
const letter = (value: unknown, more: { topic?: string; headers?: Record<string, string> } = {}): DeadLetter => ({
  partition: 0,
  offset: 3,
  key: 'run_1',
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  headers: { ce_id: 'run_1/a/1', authorization: 'Bearer abc', 'x-own': 'a', ...more.headers },
  failure: {
    origin: { topic: more.topic ?? 'baton.tools.commands', partition: 1, offset: 9, timestampMs: 1 },
    attempts: 1,
    stage: 0,
    fault: { code: 'tool.failed', message: 'down' },
  },
  deadAtMs: 1,
  fingerprint: '0'.repeat(16),
  history: [],
  first: { atMs: 1, code: 'tool.failed', message: 'down' },
  redrives: 0,
  state: 'open',
  redriven: false,
  actions: [],
})
const apply = (of: DeadLetter, edit: unknown) => applyEdit(of, EditBody.parse(edit))
const bodyOf = (of: DeadLetter, edit: unknown): unknown => JSON.parse(apply(of, edit).value.toString())
const refusal = (of: DeadLetter, edit: unknown): unknown => {
  try {
    return apply(of, edit)
  } catch (error) {
    return error
  }
}

describe('an edit of a dead letter', () => {
  it('E3: changes body and headers, and says what from what to what', () => {
    const edit = { headers: { 'x-own': 'b', 'x-new': 'n' }, patch: { input: { amount: 7 }, note: null } }
    const { value, headers, changes } = apply(letter(COMMAND), edit)
    const { note: _, ...rest } = COMMAND
    expect(JSON.parse(value.toString())).toEqual({ ...rest, input: { ...COMMAND.input, amount: 7 } })
    expect(headers).toEqual({ ...letter(COMMAND).headers, 'x-own': 'b', 'x-new': 'n' })
    expect(changes).toEqual([
      { at: 'headers.x-own', before: 'a', after: 'b' },
      { at: 'headers.x-new', after: 'n' },
      { at: 'body.input.amount', before: '5', after: '7' },
      { at: 'body.note', before: '"x"' },
    ])
  })

  it.each([
    ['the run', { patch: { runId: 'run_2' } }, 'edit.body.runId'],
    ['the key of the effect', { patch: { effectKey: null } }, 'edit.body.effectKey'],
    ['an id where there was none', { patch: { id: 'order-1' } }, 'edit.body.id'],
    ['the id of the event', { headers: { ce_id: 'other' } }, 'edit.headers.ce_id'],
    ['its absence', { headers: { ce_id: null } }, 'edit.headers.ce_id'],
    ['an id in another spelling', { headers: { CE_ID: 'other' } }, 'edit.headers.CE_ID'],
    ['its own past', { headers: { 'x-redrive-history': '{}' } }, 'edit.headers.x-redrive-history'],
  ])('E1: does not change %s', (_what, edit, field) => {
    expect(refusal(letter(COMMAND), edit)).toMatchObject({ code: 'request.malformed', detail: { field } })
  })

  it('E1: an id that cannot be one, and the content of a foreign topic, may be mended', () => {
    expect(bodyOf(letter({ id: { no: 1 }, flow: 'a' }), { patch: { id: { no: null } } })).toEqual({ id: {}, flow: 'a' })
    expect(bodyOf(letter({ id: 'a', type: 'x' }, { topic: 'tickets' }), { body: { id: 'b', type: 'y' } })).toEqual({ id: 'b', type: 'y' })
  })

  it('E2: what was shown masked is sent as it was', () => {
    const shown = { ...COMMAND, apiKey: '[secret]', input: { amount: 7, mail: '[email]' } }
    const { value, changes } = apply(letter(COMMAND), { body: shown, headers: { authorization: '[secret]' } })
    expect(JSON.parse(value.toString())).toEqual({ ...COMMAND, input: { amount: 7, mail: 'ada@example.com' } })
    expect(changes.map(({ at }) => at)).toEqual(['body.input.amount'])
  })

  it.each([
    [{ patch: { note: 'to [email]' } }, 'edit.patch.note'],
    [{ text: '{"a":"[secret]"}' }, 'edit.text'],
    [{ headers: { 'x-own': '[secret]' } }, 'edit.headers.x-own'],
  ])('E2: a mask where nothing was masked is refused: %j', (edit, field) => {
    expect(refusal(letter(COMMAND), edit)).toMatchObject({ code: 'request.malformed', detail: { field } })
  })

  it('E3: keeps no secret', () => {
    const { changes } = apply(letter(COMMAND), { patch: { apiKey: 'k-999' }, headers: { authorization: 'Bearer new' } })
    expect(JSON.stringify(changes)).not.toMatch(/k-123|k-999|abc|new/)
    expect(changes.map(({ at }) => at)).toEqual(['headers.authorization', 'body.apiKey'])
  })

  it('mends what is no JSON as text or bytes', () => {
    expect(apply(letter('{"id":"r1",'), { text: '{"id":"r1"}' }).value.toString()).toBe('{"id":"r1"}')
    expect([...apply(letter('x'), { base64: '/wA=' }).value]).toEqual([255, 0])
    expect(refusal(letter('x'), { patch: { a: 1 } })).toMatchObject({ detail: { field: 'edit.patch' } })
  })

  it('a patch takes away and adds as RFC 7396 says, and cannot reach a prototype', () => {
    const patch: unknown = JSON.parse('{"a":{"b":null,"c":[1]},"__proto__":{"evil":true}}')
    const { value } = apply(letter({ a: { b: 1, d: 2 } }, { topic: 't' }), { patch })
    expect(JSON.parse(value.toString())['a']).toEqual({ d: 2, c: [1] })
    expect(Reflect.get({}, 'evil')).toBeUndefined()
  })

  it('one that changes nothing is refused', () => {
    expect(refusal(letter(COMMAND), { body: COMMAND })).toMatchObject({ code: 'request.malformed' })
    expect(EditBody.safeParse({}).success).toBe(false)
    expect(EditBody.safeParse({ body: 1, text: '1' }).success).toBe(false)
  })
})
