import { describe, expect, it } from '@jest/globals'
import { fingerprintOf, messageShape } from './fingerprint.ts'

const frames = ['charge services/tools/src/http/http-tool.ts:41', 'call services/tools/src/tool.consumer.ts:12']
const fault = (message: string, code: 'tool.failed' | 'tool.timed_out' = 'tool.failed') => ({ code, message })

describe('fingerprint of a dead letter', () => {
  it.each([
    ['tool "billing" answered 503 after 1200ms', 'tool "crm" answered 502 after 7ms'],
    ['run run_0f3a9b2c77 has no order 4711', 'run run_9b1d2e3f44 has no order 12'],
    ['no user 0b5d4c9e-8f1a-4a55-9d0c-7b6f3a2e1d00', 'no user 1c5d4c9e-8f1a-4a55-9d0c-7b6f3a2e1dff'],
    ['connect ECONNREFUSED 127.0.0.1:9092', 'connect ECONNREFUSED 10.2.0.17:19092'],
    ['mail to ada@example.com failed', 'mail to bob@example.org failed'],
    ["Unexpected token 'x' at 12", "Unexpected token 'y'  at 9"],
  ])('P1: %s and %s are one trouble', (one, other) => {
    expect(messageShape(one)).toBe(messageShape(other))
    expect(fingerprintOf(fault(one), frames)).toBe(fingerprintOf(fault(other), frames))
  })

  it('P1: the line of a frame does not matter', () => {
    const moved = frames.map((frame) => frame.replace(/\d+$/, '99'))
    expect(fingerprintOf(fault('down'), moved)).toBe(fingerprintOf(fault('down'), frames))
  })

  it('code, words and place of the failure do', () => {
    const prints = [
      fingerprintOf(fault('down'), frames),
      fingerprintOf(fault('down', 'tool.timed_out'), frames),
      fingerprintOf(fault('refused'), frames),
      fingerprintOf(fault('down'), frames.toReversed()),
      fingerprintOf(undefined, []),
    ]
    expect(new Set(prints).size).toBe(prints.length)
    expect(prints.every((print) => /^[0-9a-f]{16}$/.test(print))).toBe(true)
  })

  it('takes a very long message in little time', () => {
    expect(messageShape('a'.repeat(1_000_000)).length).toBeLessThanOrEqual(300)
    expect(messageShape('"'.repeat(100_000)).length).toBeLessThanOrEqual(300)
  })
})
