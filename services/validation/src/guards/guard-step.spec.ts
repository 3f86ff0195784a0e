import { describe, expect, it } from '@jest/globals'
import { GuardVerdict, type Json, type JsonObject } from '@baton/contracts'
import type { GuardSpec, PlanNode } from '@baton/flow/plan'
import { contains, length } from '../checks/text.check.ts'
import { GUARDS } from './guards.ts'
import { guardStep, type On } from './guard-step.ts'

const heard: string[] = []
const guards = guardStep([...GUARDS, length, contains], ({ check }) => heard.push(check))
const stepOf = (specs: readonly GuardSpec[], more: Partial<PlanNode> = {}): PlanNode =>
  ({
    id: 'answer',
    name: 'answer',
    kind: 'model',
    models: ['m'],
    prompt: 'p',
    with: { lit: {} },
    effect: 'read',
    guard: specs,
    ...more,
  }) as PlanNode // a node of a model step
const spec = (guard: string, options: JsonObject = {}): GuardSpec => ({ guard, options })
const look = (specs: readonly GuardSpec[], content: Json, on: On = 'input', more: Partial<PlanNode> = {}) =>
  guards(stepOf(specs, more), on, content, new AbortController().signal)
const verdictOf = async (specs: readonly GuardSpec[], content: Json, on: On = 'input') => {
  const outcome = await look(specs, content, on)
  if ('ask' in outcome) throw new Error('a person is asked')
  return GuardVerdict.parse(outcome.verdict)
}

describe('guards of a step (D5)', () => {
  it('passes what nothing is found in, and gives no value', async () => {
    expect(await verdictOf([spec('pii'), spec('secrets'), spec('injection')], { text: 'Where is my card?' })).toEqual({
      ok: true,
      action: 'pass',
      score: expect.any(Number),
      findings: [],
      reasons: [],
    })
  })

  it('J1: of several actions the strongest counts', async () => {
    const specs = [spec('pii', { action: 'flag' }), spec('links', { action: 'block', deny: ['evil.test'] })]
    expect(await verdictOf(specs, 'a@b.example')).toMatchObject({ ok: true, action: 'flag', reasons: ['pii: found email'] })
    expect(await verdictOf(specs, 'a@b.example https://evil.test/x')).toMatchObject({
      ok: false,
      action: 'block',
      reasons: ['links: found link', 'pii: found email'],
    })
  })

  it('J2: redacts what any guard redacts, in a text and in a value', async () => {
    const specs = [spec('pii', { action: 'redact' }), spec('competitors', { action: 'redact', names: ['Globex'] })]
    expect(await verdictOf(specs, 'Globex wrote to a@b.example')).toMatchObject({
      ok: true,
      action: 'redact',
      value: '[COMPETITOR] wrote to [EMAIL]',
    })
    expect(await verdictOf(specs, { text: 'to a@b.example', tags: ['Globex'] })).toMatchObject({
      value: { text: 'to [EMAIL]', tags: ['[COMPETITOR]'] },
      findings: [
        { guard: 'pii', at: '/text' },
        { guard: 'competitors', at: '/tags/0' },
      ],
    })
  })

  it('J3: asks a person with the content, without what is redacted, and the reasons', async () => {
    const specs = [spec('pii', { action: 'redact' }), spec('competitors', { action: 'ask', names: ['Globex'], queue: 'brand' })]
    const returns = { type: 'object' }
    expect(await look(specs, { text: 'Globex, a@b.example' }, 'output', { returns })).toMatchObject({
      ask: {
        kind: 'edit',
        use: 'output',
        input: { draft: { text: 'Globex, [EMAIL]' }, on: 'output' },
        queue: 'brand',
        schema: returns,
        reasons: ['competitors: found competitor', 'pii: found email'],
      },
    })
  })

  it('on: a guard looks where its step says', async () => {
    const specs = [spec('pii', { on: 'output' }), spec('length', { max: 5, on: 'input' })]
    expect(await verdictOf(specs, 'a@b.example', 'input')).toMatchObject({ action: 'block', reasons: [expect.stringContaining('length')] })
    expect(await verdictOf(specs, 'a@b.example', 'output')).toMatchObject({ action: 'block', reasons: ['pii: found email'] })
    await expect(verdictOf([spec('pii', { on: 'sideways' })], 'x')).rejects.toMatchObject({ code: 'flow.invalid', detail: { field: 'on' } })
  })

  it('J4: a guard that could not run is named, and closed unless it is open', async () => {
    heard.length = 0
    expect(await verdictOf([spec('pii', { maxChars: 3 })], 'four')).toMatchObject({ ok: false, action: 'block', failed: ['pii'] })
    expect(await verdictOf([spec('pii', { maxChars: 3, onFailure: 'open' })], 'four')).toMatchObject({
      ok: true,
      action: 'flag',
      failed: ['pii'],
    })
    expect(heard).toEqual(['pii', 'pii'])
  })

  it('J5: any check guards; what does not pass is blocked unless the step says flag or ask', async () => {
    expect(await verdictOf([spec('contains', { words: ['yes'] })], 'no')).toMatchObject({
      action: 'block',
      reasons: ['contains: missing: yes'],
    })
    expect(await verdictOf([spec('contains', { words: ['yes'], action: 'flag' })], 'no')).toMatchObject({ ok: true, action: 'flag' })
    await expect(verdictOf([spec('none')], 'x')).rejects.toMatchObject({ code: 'flow.invalid' })
  })

  it('finds nothing that quotes the content', async () => {
    const { findings, reasons } = await verdictOf([spec('secrets'), spec('pii')], {
      'a@b.example': 'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
    })
    expect(JSON.stringify({ findings, reasons })).not.toMatch(/a@b|ghp_/)
  })
})
