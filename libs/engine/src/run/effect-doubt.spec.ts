import { describe, expect, it } from '@jest/globals'
import { askedFor, failed, given, programOf, requested, resultIn } from '../testing.ts'

describe('another way behind an effect that nobody knows the end of (C4)', () => {
  const now = requested({ text: 'a' }, { engineVersion: 4 })
  const uncertain = failed('pay/1', 'effect.uncertain')
  const pays = (failover: string) =>
    programOf(`steps:\n  - pay: { tool: bank/pay, failover: ${failover}, onError: { set: lost, then: next } }\n`)

  it('is none that may have it again: the handler decides', () => {
    const program = pays('[{ tool: other/pay }, { parallel: { a: { tool: other/pay }, b: { set: 1 } } }]')
    expect(resultIn(given(program, now).when(uncertain).outputs)?.result.output).toBe('lost')
    expect(askedFor(given(program, now).when(failed('pay/1')).outputs, 'pay/failover[0]')?.nodeId).toBe('pay/failover[0]')
  })

  it('is none either where it was done and says nothing of use', () => {
    const unusable = failed('pay/1', 'output.schema_invalid')
    expect(resultIn(given(pays('[{ tool: other/pay }]'), now).when(unusable).outputs)?.result.output).toBe('lost')
    const looks = programOf(`steps:\n  - look: { tool: bank/look, effect: read, failover: [{ tool: other/look, effect: read }] }\n`)
    expect(askedFor(given(looks, now).when(failed('look/1', 'output.schema_invalid')).outputs, 'look/failover[0]')?.kind).toBe('tool')
  })

  it('may be one that only looks or asks', () => {
    const program = pays('[{ tool: other/pay }, { human: finance, returns: { paid: boolean } }]')
    expect(askedFor(given(program, now).when(uncertain).outputs, 'pay/failover[1]')?.kind).toBe('human')
  })

  it('L2: engines before the fourth took the next one', () => {
    const old = requested({ text: 'a' }, { engineVersion: 3 })
    expect(askedFor(given(pays('[{ tool: other/pay }]'), old).when(uncertain).outputs, 'pay/failover[0]')?.kind).toBe('tool')
  })
})
