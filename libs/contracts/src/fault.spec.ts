import { describe, expect, it } from '@jest/globals'
import { Fault, FAULTS, isFaultCode, isRetryable, toFault } from './fault.ts'

describe('faults', () => {
  it('F1: travel as code, message and facts', () => {
    expect(new Fault('model.timed_out', 'no answer within 5000 ms', { model: 'large' }).data).toEqual({
      code: 'model.timed_out',
      message: 'no answer within 5000 ms',
      detail: { model: 'large' },
    })
    expect(new Fault('bus.draining', 'stopping').data).toEqual({ code: 'bus.draining', message: 'stopping' })
  })

  it('F1: whatever is thrown becomes one, with the original as its cause', () => {
    const fault = new Fault('disk.full', 'full')
    expect(toFault(fault)).toBe(fault)
    const cause = new TypeError('boom')
    expect(toFault(cause)).toMatchObject({ code: 'handler.failed', message: 'boom', cause })
    expect(toFault('text').message).toBe('text')
  })

  it('F1: a code is one of the table, and nothing inherited', () => {
    expect(isFaultCode('model.timed_out')).toBe(true)
    expect([isFaultCode('toString'), isFaultCode('model.tired'), isFaultCode(7), isFaultCode(undefined)]).toEqual([
      false,
      false,
      false,
      false,
    ])
  })

  it.each(Object.entries(FAULTS))(
    'F2: %s says what helps, whose fault it is and what HTTP answers',
    (code, { remedy, status, summary }) => {
      expect(code).toMatch(/^[a-z]+\.[a-z_]+$/)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(600)
      expect(summary).toMatch(/\.$/)
      expect(isFaultCode(code) && isRetryable(code)).toBe(remedy === 'retry')
    },
  )
})
