import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import type { Json, JsonObject, StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { WorkContext } from '@baton/service'
import { checkEvaluate, type OnFailed } from '../check-evaluate.consumer.ts'
import { COMMON_OPTIONS, guardCheck } from './guard.check.ts'
import { GUARDS } from './guards.ts'

type Checks = (PlanNode & { kind: 'check' })['checks']

const SECRET = 'what was read'
const broken = guardCheck('broken', z.strictObject(COMMON_OPTIONS), () => ({
  name: 'broken',
  inspect: () => {
    throw new Error(SECRET)
  },
  actionOf: () => 'block',
  placeholderOf: () => '',
}))

const evaluate = async (checks: Checks, input: Json, onFailed?: OnFailed): Promise<JsonObject> => {
  const node = { id: 'c', name: 'c', kind: 'check', with: { lit: {} }, effect: 'read', checks } as const
  const plan = {} as WorkContext['plan'] // the handler reads its node only
  const work: WorkContext = { plan, node, input, signal: new AbortController().signal, nowMs: () => 1, parts: {}, media: [], delivery: 1 }
  const result = await checkEvaluate([...GUARDS, broken], onFailed)({} as StepCommand, work)
  return result.status === 'answered' ? (result.output as JsonObject) : {}
}
const check = (name: string, options: JsonObject = {}): Checks[number] => ({ check: name, options })

const TEXT = '😀 write to anna@example.org or call +49 151 23456789'

describe('guards as checks (D4)', () => {
  it('give a verdict with findings at their places, for a gate to decide on', async () => {
    const output = await evaluate([check('pii')], TEXT)
    expect(output).toMatchObject({
      pass: false,
      ok: false,
      action: 'block',
      reason: 'found email, phone',
      findings: [
        { kind: 'email', start: 12, end: 28, action: 'block' },
        { kind: 'phone', start: 37, end: 53, action: 'block' },
      ],
    })
    expect(output['text']).toBeUndefined()
  })

  it('U2: what was found stands in no finding and no reason', async () => {
    const output = JSON.stringify(await evaluate([check('pii'), check('secrets'), check('injection')], TEXT))
    expect(output).not.toContain('anna')
    expect(output).not.toContain('23456789')
  })

  it('U3: redacting passes, and gives the text as it may go on', async () => {
    const options = { action: 'redact', placeholders: { phone: '<tel>' } }
    expect(await evaluate([check('pii', options)], TEXT)).toMatchObject({ pass: true, text: '😀 write to [EMAIL] or call <tel>' })
    expect(await evaluate([check('pii', options)], { text: TEXT })).toMatchObject({ text: '😀 write to [EMAIL] or call <tel>' })
  })

  it('U3, X1, X2: of a value every text and key is looked at, and stays where it was', async () => {
    const input = { from: 'anna@example.org', rows: [{ 'bob@example.org': 4_111_111_111_111_111, n: 3 }] }
    expect(await evaluate([check('pii', { action: 'redact' })], input)).toMatchObject({
      pass: true,
      findings: [{ at: '/from' }, { at: '/rows/0/#0' }, { at: '/rows/0/#0' }],
      value: { from: '[EMAIL]', rows: [{ '[EMAIL]': '[CARD]', n: 3 }] },
    })
  })

  it('E3: several that redact give one text without what any of them found', async () => {
    const password = 'password: Tr0ub4dor&3'
    const output = await evaluate([check('pii', { action: 'redact' }), check('secrets', { action: 'redact' })], `${TEXT} ${password}`)
    expect(output).toMatchObject({ pass: true, text: '😀 write to [EMAIL] or call [PHONE] password: [CREDENTIAL]' })
    const { text } = output
    expect(output).toMatchObject({
      checks: [
        { check: 'pii', text },
        { text, check: 'secrets', findings: [{ kind: 'credential' }] },
      ],
    })
  })

  it('flag lets pass and tells, ask does not let pass and says that a person is asked for', async () => {
    expect(await evaluate([check('pii', { action: 'flag' })], TEXT)).toMatchObject({ pass: true, action: 'flag' })
    expect(await evaluate([check('pii', { action: 'flag', actions: { phone: 'ask' } })], TEXT)).toMatchObject({
      pass: false,
      action: 'ask',
    })
  })

  it('may be listed as in a flow: `check: [pii, { toxicity: { max: 0.5 } }]`', async () => {
    const checks = [check('pii'), check('toxicity', { max: 0.5 })]
    expect(await evaluate(checks, 'Where is my card?')).toMatchObject({ pass: true, checks: [{ pass: true }, { pass: true }] })
    expect(await evaluate(checks, 'go fuck yourself')).toMatchObject({ pass: false, checks: [{ pass: true }, { pass: false }] })
  })

  it('refuse options that mean nothing, and patterns that are none', async () => {
    await expect(evaluate([check('pii', { kinds: ['shoe_size'] })], 'x')).rejects.toMatchObject({
      code: 'flow.invalid',
      detail: { field: 'kinds.0' },
    })
    await expect(evaluate([check('patterns', { patterns: { a: '(' } })], 'x')).rejects.toMatchObject({ code: 'flow.invalid' })
    await expect(evaluate([check('patterns', { patterns: { a: 'x'.repeat(1_001) } })], 'x')).rejects.toMatchObject({ code: 'flow.invalid' })
    await expect(evaluate([check('topic')], 'x')).rejects.toMatchObject({ code: 'flow.invalid' })
  })
})

describe('guards that cannot run', () => {
  it('U1: do not let pass, and E4: the operator hears of it', async () => {
    const heard: unknown[] = []
    const output = await evaluate([check('broken')], 'x', (failed) => heard.push(failed))
    expect(output).toMatchObject({ pass: false, ok: false, score: 0, failed: true })
    expect(heard).toMatchObject([{ check: 'broken', pass: false }])
    expect(JSON.stringify([output, heard])).not.toContain(SECRET)
  })

  it('U1: let pass where the step says open, and E4: the operator hears of that too', async () => {
    const heard: unknown[] = []
    expect(await evaluate([check('broken', { onFailure: 'open' })], 'x', (failed) => heard.push(failed))).toMatchObject({
      pass: true,
      failed: true,
    })
    expect(heard).toMatchObject([{ check: 'broken', pass: true }])
  })

  it('U1: an input longer than the guard may read, and time that is used up, are such failures', async () => {
    expect(await evaluate([check('pii', { maxChars: 10 })], TEXT)).toMatchObject({ pass: false, failed: true })
    const slow = 'Mr. Ohne Namen, '.repeat(60_000)
    expect(await evaluate([check('injection', { maxChars: 2_000_000, budgetMs: 1 })], slow)).toMatchObject({ pass: false, failed: true })
  })
})
