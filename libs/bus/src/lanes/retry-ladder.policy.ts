// Where a message goes that could not be handled.
//   P1. First the lane, then each retry topic at most once and in order, then the dead letters.
//   P2. A wait of a second or more is no matter for a lane: it goes to the first retry topic that is long enough, or the longest.
//   P3. A deferral uses up neither an attempt nor a retry topic.
import type { RetryPolicy } from '../bus.ts'

/** Waits from here on leave the lane. */
const LANE_WAIT_MAX_MS = 1_000

/** How far up the ladder a message is: tries made, this one included, and retry topics used. */
export type Rung = { readonly attempt: number; readonly stage: number }

export type Hop =
  | { readonly to: 'lane'; readonly delayMs: number }
  | { readonly to: 'topic'; readonly topic: string; readonly delayMs: number; readonly stage: number }
  | { readonly to: 'dead-letters' }

/** What a `retry` leads to. `delayMs` of a topic is fixed, so that in each retry topic the head is the next one due. */
export const nextHop = (policy: RetryPolicy, { attempt, stage }: Rung, afterMs = 0): Hop => {
  const { retryTopics } = policy
  const short = afterMs < LANE_WAIT_MAX_MS || retryTopics.length === 0 // P2
  if (stage === 0 && attempt < policy.laneAttemptsMax && short) return { to: 'lane', delayMs: Math.max(policy.laneDelayMs, afterMs) }
  const longEnough = retryTopics.findIndex((topic, index) => index >= stage && topic.delayMs >= afterMs)
  const index = longEnough === -1 ? retryTopics.length - 1 : longEnough
  const chosen = retryTopics[index]
  if (chosen === undefined || index < stage) return { to: 'dead-letters' } // P1
  return { to: 'topic', topic: chosen.topic, delayMs: chosen.delayMs, stage: index + 1 }
}

/** Where a deferred message waits: the shortest retry topic that is long enough, or the longest; none when the policy has none. */
export const deferTopic = (policy: RetryPolicy, waitMs: number): { readonly topic: string; readonly delayMs: number } | undefined =>
  policy.retryTopics.find((topic) => topic.delayMs >= waitMs) ?? policy.retryTopics.at(-1)
