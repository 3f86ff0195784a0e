import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  allowedFor,
  decide,
  evolve,
  holderOf,
  type NewReview,
  type Review,
  type ReviewCommand,
  type ReviewEvent,
} from './review.decider.ts'

const ASKED: NewReview = {
  taskId: 'rev_1',
  tenant: 'default',
  runId: 'run_1',
  attemptId: 'run_1/answer/1',
  path: 'answer',
  flow: 'support/customer-support',
  queue: 'support',
  priority: 'normal',
  urgency: 50,
  title: 'Check the answer',
  input: { draft: { text: 'Your money comes back.', by: 'model:strong' } },
  fingerprint: 'f1',
  allowed: ['approve', 'edit', 'respond', 'reject'],
  slaMs: 1_000,
  onTimeout: 'fail',
  terms: { kind: 'edit', reasons: [] },
  answerPartition: 3,
  createdAtMs: 0,
  dueAtMs: 1_000,
}

const request = (more: Partial<NewReview> = {}): ReviewCommand => ({ type: 'review.request', review: { ...ASKED, ...more } })
const claim = (by: string, atMs = 10): ReviewCommand => ({ type: 'review.claim', by, leaseMs: 100, atMs })
const decision = (by: string, more: Partial<Extract<ReviewCommand, { type: 'review.decide' }>> = {}): ReviewCommand => ({
  type: 'review.decide',
  by,
  verdict: 'approve',
  atMs: 20,
  ...more,
})

const replay = (commands: readonly ReviewCommand[]): { review: Review | undefined; events: readonly ReviewEvent[] } => {
  let review: Review | undefined
  const events: ReviewEvent[] = []
  for (const command of commands) {
    for (const event of decide(command, review)) {
      events.push(event)
      review = evolve(review, event)
    }
  }
  return { review, events }
}

const given = (...history: readonly ReviewCommand[]) => ({
  when: (command: ReviewCommand) => ({
    emits: (...types: readonly unknown[]) => {
      const { review } = replay(history)
      const events = decide(command, review)
      expect(events).toEqual(types.map((type) => (typeof type === 'string' ? expect.objectContaining({ type }) : type)))
      return evolve(review, events[0] ?? { type: 'review.refused', fault: { code: 'handler.failed', message: '' } })
    },
  }),
})

const refused = (code: string, detail: object = {}): unknown => ({
  type: 'review.refused',
  fault: expect.objectContaining({ code, detail: expect.objectContaining(detail) }),
})

describe('a review', () => {
  it('A1: the first decision stands, and who comes later learns whose it was', () => {
    given(request(), decision('ann'))
      .when(decision('bob'))
      .emits(refused('review.closed', { by: 'ann', verdict: 'approve' }))
    given(request(), decision('ann')).when(claim('bob')).emits(refused('review.closed'))
    given(request(), { type: 'review.expire', atMs: 1_000 })
      .when(decision('ann'))
      .emits(refused('review.closed', { state: 'expired' }))
    given(request(), { type: 'review.cancel', by: 'ann', atMs: 5 })
      .when(decision('ann'))
      .emits(refused('review.closed', { state: 'cancelled' }))
  })

  it('A2: what is overdue expires, never sooner and never twice', () => {
    given(request()).when({ type: 'review.expire', atMs: 999 }).emits()
    given(request()).when({ type: 'review.expire', atMs: 1_000 }).emits({ type: 'review.expired', dueAtMs: 1_000, atMs: 1_000 })
    given(request(), claim('ann')).when({ type: 'review.expire', atMs: 1_000 }).emits('review.expired')
    given(request(), { type: 'review.expire', atMs: 1_000 }).when({ type: 'review.expire', atMs: 1_001 }).emits()
    given(request(), decision('ann')).when({ type: 'review.expire', atMs: 1_000 }).emits()
  })

  it('A2: an escalation raises the priority and gives the time once more, then it expires', () => {
    const asked = request({ onTimeout: 'escalate' })
    given(asked)
      .when({ type: 'review.expire', atMs: 1_200 })
      .emits(expect.objectContaining({ type: 'review.escalated', priority: 'high', dueAtMs: 2_200 }))
    given(asked, { type: 'review.expire', atMs: 1_200 }).when({ type: 'review.expire', atMs: 2_199 }).emits()
    given(asked, { type: 'review.expire', atMs: 1_200 }).when({ type: 'review.expire', atMs: 2_200 }).emits('review.expired')
  })

  it('A3: a claim holds others off until its lease is over', () => {
    given(request(), claim('ann'))
      .when(claim('bob', 50))
      .emits(refused('review.claimed', { by: 'ann' }))
    given(request(), claim('ann'))
      .when(decision('bob', { atMs: 50 }))
      .emits(refused('review.claimed'))
    given(request(), claim('ann')).when({ type: 'review.release', by: 'bob', atMs: 50 }).emits(refused('review.claimed'))
    given(request(), claim('ann')).when(claim('bob', 110)).emits({ type: 'review.claimed', by: 'bob', untilMs: 210, atMs: 110 })
    given(request(), claim('ann')).when(claim('ann', 50)).emits({ type: 'review.claimed', by: 'ann', untilMs: 150, atMs: 50 })
  })

  it('A3: what is released can be claimed by anybody, and releasing again changes nothing', () => {
    const release: ReviewCommand = { type: 'review.release', by: 'ann', atMs: 20 }
    const review = given(request(), claim('ann')).when(release).emits('review.released')
    expect(review).toMatchObject({ status: 'pending', claimedBy: null })
    given(request(), claim('ann'), release).when(claim('bob', 21)).emits('review.claimed')
    given(request(), claim('ann'), release).when(release).emits()
  })

  it('A4: a decision on something else than what is asked is refused', () => {
    given(request())
      .when(decision('ann', { fingerprint: 'f0' }))
      .emits(refused('review.changed', { fingerprint: 'f1' }))
    given(request())
      .when(decision('ann', { fingerprint: 'f1' }))
      .emits('review.decided')
  })

  it('A5: approving gives the draft, editing and responding what was written, rejecting null', () => {
    const outputOf = (command: ReviewCommand): unknown => {
      const [event] = decide(command, replay([request()]).review)
      return event?.type === 'review.decided' ? event.decision.output : event
    }
    expect(outputOf(decision('ann'))).toEqual({ text: 'Your money comes back.' })
    expect(outputOf(decision('ann', { verdict: 'edit', output: { text: 'Soon.' } }))).toEqual({ text: 'Soon.' })
    expect(outputOf(decision('ann', { verdict: 'respond', output: 'Call us.' }))).toBe('Call us.')
    expect(outputOf(decision('ann', { verdict: 'reject', reason: 'wrong' }))).toBeNull()
  })

  it('A5: a verdict that is not allowed, or that misses its output, does not count', () => {
    given(request({ allowed: allowedFor('no draft') }))
      .when(decision('ann', { verdict: 'edit', output: 1 }))
      .emits(refused('request.malformed', { field: 'verdict' }))
    given(request())
      .when(decision('ann', { verdict: 'respond' }))
      .emits(refused('request.malformed', { field: 'output' }))
  })

  it('A6: asking again changes nothing', () => {
    given(request()).when(request()).emits()
    given(request(), decision('ann')).when(request()).emits()
  })

  it('A1, A3: whatever people and clocks do, one event closes a review, and a change raises its epoch by one', () => {
    const people = fc.constantFrom('ann', 'bob', 'cyd')
    const atMs = fc.integer({ min: 0, max: 4_000 })
    const command: fc.Arbitrary<ReviewCommand> = fc.oneof(
      fc.record({ type: fc.constant('review.claim' as const), by: people, leaseMs: fc.constant(100), atMs }),
      fc.record({ type: fc.constant('review.release' as const), by: people, atMs }),
      fc.record({
        type: fc.constant('review.decide' as const),
        by: people,
        verdict: fc.constantFrom('approve' as const, 'reject' as const),
        atMs,
      }),
      fc.record({ type: fc.constant('review.expire' as const), atMs }),
      fc.record({ type: fc.constant('review.cancel' as const), by: people, atMs }),
      fc.constant(request()),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 30 }), fc.constantFrom('fail' as const, 'escalate' as const), (commands, onTimeout) => {
        const { review, events } = replay([request({ onTimeout }), ...commands])
        const closing = events.filter(({ type }) => type === 'review.decided' || type === 'review.expired' || type === 'review.cancelled')
        const changes = events.filter(({ type }) => type !== 'review.refused')
        expect(closing.length).toBeLessThanOrEqual(1)
        expect(review?.epoch).toBe(changes.length)
        expect(review?.status === 'pending' ? holderOf(review, 0) : null).toBeNull()
      }),
    )
  })
})
