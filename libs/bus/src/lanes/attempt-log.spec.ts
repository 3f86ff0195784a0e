import { describe, expect, it } from '@jest/globals'
import { ATTEMPTS_KEPT_MAX, decodeAttempts, encodeAttempts, withAttempts, type AttemptNote } from './attempt-log.ts'

const tries = (count: number): readonly AttemptNote[] =>
  Array.from({ length: count }, (_, n) => ({ attempt: n + 1, atMs: 1_000 + n, code: 'tool.failed' }))

describe('attempt log', () => {
  it('reads back what was written', () => {
    expect(decodeAttempts(encodeAttempts(tries(3)))).toEqual(tries(3))
    expect(encodeAttempts(tries(ATTEMPTS_KEPT_MAX)).length).toBeLessThan(2_000)
  })

  it('A1: keeps the first try and the newest', () => {
    const log = tries(100).reduce<readonly AttemptNote[]>((sum, note) => withAttempts(sum, [note]), [])
    expect(log).toHaveLength(ATTEMPTS_KEPT_MAX)
    expect([log[0]?.attempt, log[1]?.attempt, log.at(-1)?.attempt]).toEqual([1, 100 - ATTEMPTS_KEPT_MAX + 2, 100])
  })

  it('leaves out what is none', () => {
    expect(decodeAttempts('1@5:tool.failed,x,2@6:no.such,-1@5:tool.failed,3@7:tool.timed_out')).toEqual([
      { attempt: 1, atMs: 5, code: 'tool.failed' },
      { attempt: 3, atMs: 7, code: 'tool.timed_out' },
    ])
    expect(decodeAttempts(undefined)).toEqual([])
    expect(decodeAttempts('1@5:tool.failed,'.repeat(10_000)).length).toBeLessThanOrEqual(ATTEMPTS_KEPT_MAX)
  })
})
