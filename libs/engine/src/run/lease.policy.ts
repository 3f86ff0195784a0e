// How long one dispatch may take at most before its attempt counts as lost.
import { peopleMs, type RetrySpec } from '@baton/flow/plan'
import type { WorkNode } from './work-node.ts'

/** Time of one try where the step names none, in milliseconds. */
export const TRY_TIMEOUT_MS = { model: 60_000, tool: 30_000, retrieve: 10_000, check: 30_000, task: 300_000 } as const
/** Added to every lease: time in the topic, and clocks that disagree. */
export const LEASE_SLACK_MS = 30_000
/** Added to the terms of a person before the review counts as lost without word from hitl, which counts them from when it took it. */
export const REVIEW_SLACK_MS = 600_000
/** Attempts of one visit that may lose their lease before the step fails with `step.lease_lost`. */
export const LEASES_MAX = 3

/** Sum of the longest pauses between the tries of one dispatch. */
const pausesMs = (retry: RetrySpec): number => {
  let sum = 0
  for (let pause = 0; pause < retry.attempts - 1; pause += 1) {
    sum +=
      retry.backoff === 'fixed'
        ? Math.min(retry.delayMs, retry.maxDelayMs)
        : Math.min(retry.delayMs * 2 ** Math.min(pause, 30), retry.maxDelayMs)
  }
  return sum
}

const candidates = (node: WorkNode, models: readonly string[] | undefined): number => {
  if (node.kind === 'model') return Math.max(1, (models ?? node.models).length)
  return node.kind === 'tool' ? Math.max(1, node.tools.length) : 1
}

/** Longest time one dispatch of a step may take: tries times candidates times the time of one try, the pauses, and slack. */
export const dispatchBoundMs = (node: WorkNode, models?: readonly string[]): number => {
  // An escalating review is asked for twice, by hitl.
  if (node.kind === 'human') return peopleMs(node.human) + REVIEW_SLACK_MS
  const tries = Math.max(1, node.retry?.attempts ?? 1)
  const tryMs = node.timeoutMs ?? TRY_TIMEOUT_MS[node.kind]
  return tries * candidates(node, models) * tryMs + (node.retry === undefined ? 0 : pausesMs(node.retry)) + LEASE_SLACK_MS
}
