import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { attemptIdOf, engineEventId, partitionOf, rejectionIdOf, runIdOf, runIdOfAttempt, sha256, workerEventId } from './ids.ts'

describe('ids', () => {
  const request = { tenant: 'acme', source: '/shop', requestId: 'order-4711' }

  it('are derived: the same request is the same run, everywhere and for ever', () => {
    expect(runIdOf(request)).toBe('run_bb0e37e0ed47e8020983d3b65dc3e9f4')
    expect(runIdOf({ ...request })).toBe(runIdOf(request))
  })

  it('parts do not run into each other', () => {
    expect(runIdOf({ tenant: 'a', source: 'bc', requestId: 'd' })).not.toBe(runIdOf({ tenant: 'ab', source: 'c', requestId: 'd' }))
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string(), fc.string()), fc.tuple(fc.string(), fc.string(), fc.string()), (one, two) => {
        const idOf = ([tenant, source, requestId]: [string, string, string]): string => runIdOf({ tenant, source, requestId })
        expect(idOf(one) === idOf(two)).toBe(JSON.stringify(one) === JSON.stringify(two))
      }),
    )
  })

  it('a rejection is no run: its body takes part', () => {
    expect(rejectionIdOf({ ...request, body: '{' })).not.toBe(rejectionIdOf({ ...request, body: '[' }))
    expect(rejectionIdOf({ ...request, body: '{' })).toMatch(/^rej_[0-9a-f]{32}$/)
  })

  it('of attempts and events name their run, path and number', () => {
    const attemptId = attemptIdOf({ runId: 'run_1', path: 'loop[3]/answer', attempt: 2 })
    expect(attemptId).toBe('run_1/loop[3]/answer/2')
    expect(runIdOfAttempt(attemptId)).toBe('run_1')
    expect(engineEventId('run_1', 7)).toBe('run_1/7')
    expect(workerEventId({ attemptId, kind: 'completed', n: 1 })).toBe('run_1/loop[3]/answer/2/completed/1')
  })

  it('of content are its SHA-256', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(sha256(Buffer.from('abc'))).toBe(sha256('abc'))
  })
})

describe('partitions', () => {
  // Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2; partition = (hash & 0x7fffffff) % partitions.
  it.each([
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ])('the key %s goes where the Java client sends it', (key, hash) => {
    for (const partitions of [1, 2, 3, 6, 12, 100, 0x7fffffff]) expect(partitionOf(key, partitions)).toBe((hash & 0x7fffffff) % partitions)
  })

  it('exist for any key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 1_000 }), (key, partitions) => {
        const partition = partitionOf(key, partitions)
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true)
      }),
    )
  })
})
