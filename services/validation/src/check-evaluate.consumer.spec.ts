import { describe, expect, it } from '@jest/globals'
import type { Json, StepCommand } from '@baton/contracts'
import type { PlanNode } from '@baton/flow/plan'
import type { WorkContext } from '@baton/service'
import { checkEvaluate } from './check-evaluate.consumer.ts'
import { contains, forbidden, length } from './checks/text.check.ts'

type Checks = (PlanNode & { kind: 'check' })['checks']

const evaluate = async (checks: Checks, input: Json): Promise<unknown> => {
  const node = { id: 'c', name: 'c', kind: 'check', with: { lit: {} }, effect: 'read', checks } as const
  const work: WorkContext = {
    plan: {} as WorkContext['plan'],
    node,
    input,
    signal: new AbortController().signal,
    nowMs: () => 1,
    parts: {},
    media: [],
    delivery: 1,
  } // the handler reads its node only
  const result = await checkEvaluate([length, contains, forbidden])({} as StepCommand, work)
  return result.status === 'answered' ? result.output : result.status
}

describe('check.evaluate', () => {
  it('gives verdict, score and reason of one check at the top, for the gate to decide on', async () => {
    const output = await evaluate([{ check: 'forbidden', options: { words: ['never'] } }], 'never again')
    expect(output).toMatchObject({
      pass: false,
      score: 0,
      reason: 'found: never',
      found: ['never'],
      checks: [{ check: 'forbidden', pass: false }],
    })
  })

  it('E1: of several, one that fails makes the whole fail, with its reason and the lowest score', async () => {
    const checks: Checks = [
      { check: 'length', options: { max: 100 } },
      { check: 'contains', options: { words: ['a', 'b'] } },
      { check: 'forbidden', options: { words: ['c'] } },
    ]
    expect(await evaluate(checks, 'a c')).toMatchObject({
      pass: false,
      score: 0,
      reason: 'missing: b',
      checks: [{ pass: true }, { pass: false }, { pass: false }],
    })
    expect(await evaluate(checks, 'a b')).toMatchObject({ pass: true, score: 1 })
  })

  it('E2: a check that must pass and does not ends the step', async () => {
    const checks: Checks = [{ check: 'length', options: { max: 1, must: true } }]
    await expect(evaluate(checks, 'long')).rejects.toMatchObject({ code: 'check.failed', detail: { check: 'length' } })
    expect(await evaluate(checks, 'x')).toMatchObject({ pass: true })
  })

  it('names the checks there are when one is unknown', async () => {
    await expect(evaluate([{ check: 'lenght', options: {} }], 'x')).rejects.toMatchObject({
      code: 'flow.invalid',
      message: 'no check is called lenght; there are length, contains, forbidden',
    })
  })

  it('E5: a command that carries `guard` is answered with one verdict, or with a question for a person', async () => {
    const guard = (action: string): WorkContext => ({
      plan: {} as WorkContext['plan'],
      node: {
        id: 'a',
        name: 'a',
        kind: 'set',
        with: { lit: {} },
        effect: 'read',
        value: { lit: 1 },
        guard: [{ guard: 'forbidden', options: { words: ['never'], action } }],
      },
      input: 'never again',
      signal: new AbortController().signal,
      nowMs: () => 1,
      parts: {},
      media: [],
      delivery: 1,
    })
    const command = { guard: { on: 'output' } } as StepCommand // the handler reads nothing else of it
    expect(await checkEvaluate([forbidden])(command, guard('block'))).toMatchObject({
      status: 'answered',
      output: { ok: false, action: 'block' },
    })
    expect(await checkEvaluate([forbidden])(command, guard('ask'))).toMatchObject({
      status: 'asks',
      ask: { input: { draft: 'never again' } },
    })
  })
})
