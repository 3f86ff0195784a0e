// Where a message goes that could not be handled.
//   P1. First the lane, then as many waits as the policy has rungs, in order, then the dead letters.
//   P2. A wait of a second or more is no matter for a lane. It is spent in the first retry topic that is long enough, or the longest, for as
//       long as was asked: what the fault asks for, and no less than the rung once the tries in the lane are used up.
//   P3. A deferral uses up neither an attempt nor a rung.
import type { RetryPolicy } from '../bus.ts'

/** Waits from here on leave the lane. */
const LANE_WAIT_MAX_MS = 1_000

/** How far up the ladder a message is: tries made, this one included, and rungs used. */
export type Rung = { readonly attempt: number; readonly stage: number }

export type Hop =
  | { readonly to: 'lane'; readonly delayMs: number }
  | { readonly to: 'topic'; readonly topic: string; readonly delayMs: number; readonly stage: number }
  | { readonly to: 'dead-letters' }

const DEAD: Hop = { to: 'dead-letters' }

/** What a `retry` leads to. */
export const nextHop = (policy: RetryPolicy, { attempt, stage }: Rung, afterMs = 0): Hop => {
  const { retryTopics, rungsMs } = policy
  const short = afterMs < LANE_WAIT_MAX_MS || retryTopics.length === 0
  const inLane = stage === 0 && attempt < policy.laneAttemptsMax
  if (inLane && short) return { to: 'lane', delayMs: Math.max(policy.laneDelayMs, afterMs) } // P2
  const rungMs = rungsMs === undefined ? retryTopics[stage]?.delayMs : rungsMs[stage]
  if (rungMs === undefined) return DEAD // P1
  const wantedMs = inLane ? afterMs : Math.max(rungMs, afterMs)
  const chosen = deferTopic(policy, wantedMs)
  if (chosen === undefined) return DEAD
  return { to: 'topic', topic: chosen.topic, delayMs: Math.min(wantedMs, chosen.delayMs), stage: stage + 1 }
}

/** Where a message waits: the shortest retry topic that is long enough, or the longest; none when the policy has none. */
export const deferTopic = (policy: RetryPolicy, waitMs: number): { readonly topic: string; readonly delayMs: number } | undefined =>
  policy.retryTopics.find((topic) => topic.delayMs >= waitMs) ?? policy.retryTopics.at(-1)
