import { describe, expect, it } from '@jest/globals'
import type { RetryPolicy } from '../bus.ts'
import { deferTopic, nextHop } from './retry-ladder.policy.ts'

const policy: RetryPolicy = {
  laneAttemptsMax: 2,
  laneDelayMs: 100,
  retryTopics: [
    { topic: 'retry.5s', delayMs: 5_000 },
    { topic: 'retry.1m', delayMs: 60_000 },
  ],
  deadLetterTopic: 'dlt',
}
const bare: RetryPolicy = { ...policy, retryTopics: [] }

describe('retry ladder', () => {
  it('lanes/P1: lane, then each rung once, then the dead letters', () => {
    expect(nextHop(policy, { attempt: 1, stage: 0 })).toEqual({ to: 'lane', delayMs: 100 })
    expect(nextHop(policy, { attempt: 2, stage: 0 })).toEqual({ to: 'topic', topic: 'retry.5s', delayMs: 5_000, stage: 1 })
    expect(nextHop(policy, { attempt: 3, stage: 1 })).toEqual({ to: 'topic', topic: 'retry.1m', delayMs: 60_000, stage: 2 })
    expect(nextHop(policy, { attempt: 4, stage: 2 })).toEqual({ to: 'dead-letters' })
    expect(nextHop(bare, { attempt: 2, stage: 0 })).toEqual({ to: 'dead-letters' })
  })

  it.each([
    [900, { to: 'lane', delayMs: 900 }],
    [1_000, { to: 'topic', topic: 'retry.5s', delayMs: 1_000, stage: 1 }],
    [5_001, { to: 'topic', topic: 'retry.1m', delayMs: 5_001, stage: 1 }],
    [3_600_000, { to: 'topic', topic: 'retry.1m', delayMs: 60_000, stage: 1 }],
  ] as const)('lanes/P2: a wish for %d ms is kept where it fits', (afterMs, hop) => {
    expect(nextHop(policy, { attempt: 1, stage: 0 }, afterMs)).toEqual(hop)
  })

  it('lanes/P1, P2: the rungs of a policy are waited in the topics there are, a longer wish on any of them', () => {
    const own: RetryPolicy = { ...policy, rungsMs: [5_000, 5_000, 30_000] }
    const hops = [0, 1, 2, 3].map((stage) => nextHop(own, { attempt: 2 + stage, stage }))
    expect(hops.map((hop) => (hop.to === 'topic' ? [hop.topic, hop.delayMs, hop.stage] : hop.to))).toEqual([
      ['retry.5s', 5_000, 1],
      ['retry.5s', 5_000, 2],
      ['retry.1m', 30_000, 3],
      'dead-letters',
    ])
    expect(nextHop(own, { attempt: 3, stage: 1 }, 45_000)).toEqual({ to: 'topic', topic: 'retry.1m', delayMs: 45_000, stage: 2 })
  })

  it('lanes/P2: without retry topics even a long wait is the lane’s', () => {
    expect(nextHop(bare, { attempt: 1, stage: 0 }, 2_000)).toEqual({ to: 'lane', delayMs: 2_000 })
  })

  it('lanes/P3: a deferral takes the shortest topic that is long enough, or the longest', () => {
    expect([0, 5_000, 5_001, 900_000].map((waitMs) => deferTopic(policy, waitMs)?.topic)).toEqual([
      'retry.5s',
      'retry.5s',
      'retry.1m',
      'retry.1m',
    ])
    expect(deferTopic(bare, 0)).toBeUndefined()
  })
})
