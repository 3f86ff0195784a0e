import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { differences } from './diff.policy.ts'
import { scoreOf } from './learning/score.policy.ts'
import { noticeName, noticePauseMs, noticesOf } from './reach/notice.policy.ts'
import { readPeople } from './people/people.config.ts'
import { personIn } from './people/person.ts'
import { nextAtMs, ring } from './review-clock.policy.ts'
import { barred, outcomeOf, rolesOf } from './review-people.policy.ts'
import { decide, evolve } from './review.decider.ts'
import { publishes } from './review.messages.ts'
import type { NewReview, Review, ReviewCommand, ReviewEvent, ReviewTerms, Vote } from './review.ts'
import { levelOf, raised, URGENCY } from './urgency.policy.ts'

const ASKED: NewReview = {
  taskId: 'rev_1',
  tenant: 'default',
  runId: 'run_1',
  attemptId: 'run_1/pay/1',
  path: 'pay',
  flow: 'shop/pay',
  queue: 'finance',
  priority: 'normal',
  urgency: 50,
  title: 'Pay?',
  input: { draft: { amount: 10, by: 'model:x' } },
  fingerprint: 'f1',
  allowed: ['approve', 'reject'],
  slaMs: 1_000,
  onTimeout: 'fail',
  terms: { kind: 'approval', reasons: [] },
  answerPartition: 0,
  createdAtMs: 0,
  dueAtMs: 1_000,
}
const opened = (terms: Partial<ReviewTerms> = {}, more: Partial<NewReview> = {}): Review => {
  const review = evolve(undefined, { type: 'review.requested', review: { ...ASKED, ...more, terms: { ...ASKED.terms, ...terms } } })
  if (review === undefined) throw new Error('a request opens')
  return review
}
const after = (review: Review, ...commands: readonly ReviewCommand[]): Review =>
  commands.reduce((at, command) => decide(command, at).reduce((now, event) => evolve(now, event) ?? now, at), review)
const expire = (atMs: number, epoch?: number): ReviewCommand => ({ type: 'review.expire', atMs, epoch })
const yes = (by: string, roles: readonly string[] = [], atMs = 10): ReviewCommand => ({
  type: 'review.decide',
  by,
  roles,
  verdict: 'approve',
  atMs,
})

describe('clocks (E5)', () => {
  it('K1: rings at the nearer of two clocks; a clock of an older review rings for nothing', () => {
    const review = opened({ claimMs: 300 })
    expect(nextAtMs(review)).toBe(300)
    expect(ring(review, { atMs: 299 })).toEqual([])
    expect(ring(review, { atMs: 300, epoch: 0 })).toEqual([])
    const claimed = after(review, { type: 'review.claim', by: 'ann', leaseMs: 5_000, atMs: 100 })
    expect(nextAtMs(claimed)).toBe(1_000) // no lease is longer than the time there is
    expect(nextAtMs(after(claimed, expire(1_000)))).toBeNull()
  })

  it('K2: silence rejects what cannot be taken back, asks once more for what can, and lets only advice pass, flagged', () => {
    expect(after(opened({ risk: 'irreversible' }), expire(1_000)).status).toBe('expired')
    const again = after(opened({ risk: 'reversible' }, { onTimeout: 'escalate' }), expire(1_000))
    expect([again.status, again.urgency, again.dueAtMs]).toEqual(['escalated', 75, 2_000])
    expect(after(again, expire(2_000)).status).toBe('expired')
    expect(after(opened({ risk: 'advisory' }), expire(1_000)).decision).toMatchObject({
      verdict: 'approve',
      by: 'nobody',
      unreviewed: true,
    })
    expect(after(opened({ risk: 'advisory' }, { allowed: ['respond', 'reject'] }), expire(1_000)).status).toBe('expired')
  })

  it('K3: a lease that is over gives the review back, and the clock for claiming begins anew', () => {
    const lapsed = after(opened({ claimMs: 300 }), { type: 'review.claim', by: 'ann', leaseMs: 200, atMs: 100 }, expire(300))
    expect(lapsed).toMatchObject({ status: 'pending', claimedBy: null, claimByMs: 600 })
  })
})

describe('people (E6)', () => {
  const vote = (by: string, verdict: Vote['verdict']): Vote => ({ by, verdict, roles: [], reason: null, atMs: 1 })
  it('Q3: n of m approve; more than m - n rejections reject; until then others are waited for', () => {
    const review = opened({ quorum: { n: 2, of: 3, distinctRoles: false } })
    expect(outcomeOf(review, [vote('a', 'approve')])).toBeUndefined()
    expect(outcomeOf(review, [vote('a', 'approve'), vote('b', 'reject')])).toBeUndefined()
    expect(outcomeOf(review, [vote('a', 'approve'), vote('b', 'reject'), vote('c', 'approve')])).toBe('approve')
    expect(outcomeOf(review, [vote('a', 'reject'), vote('b', 'reject')])).toBe('reject')
  })

  it('Q3: with distinct roles somebody with two stands for the one that is left', () => {
    const review = opened({ roles: ['finance', 'law'], quorum: { n: 2, of: 2, distinctRoles: true } })
    expect(after(review, yes('two', ['finance', 'law']), yes('fin', ['finance'])).status).toBe('decided')
    const same = after(review, yes('fin', ['finance']))
    expect(decide(yes('fay', ['finance']), same)).toMatchObject([{ type: 'review.refused', fault: { code: 'review.not_allowed' } }])
  })

  it('A9: who is in no list of people lets nothing happen that cannot be taken back or is signed, but may stop it', () => {
    const stranger: ReviewCommand = { type: 'review.decide', by: 'bob', known: false, verdict: 'approve', atMs: 10 }
    const stop: ReviewCommand = { ...stranger, verdict: 'reject', reason: 'no' }
    for (const review of [opened({ risk: 'irreversible' }), opened({ sign: true })]) {
      expect(decide(stranger, review)).toMatchObject([
        { type: 'review.refused', fault: { code: 'review.not_allowed', detail: { field: 'by' } } },
      ])
      expect(after(review, stop).status).toBe('decided')
      expect(after(review, yes('ann')).decision?.by).toBe('ann')
    }
    expect(after(opened({ risk: 'reversible' }), stranger).status).toBe('decided')
  })

  it.each(['', '  ', 'nobody', 'Unknown', 'human:nobody', 'anonymous', 'policy:unreviewed', 'model:gpt'])('N1: %j is nobody', (name) => {
    const headers = { 'x-baton-user': name }
    const people = readPeople('', 'people.yaml', {})
    expect(() => personIn(headers, undefined, people)).toThrow('who does this is required')
    expect(() => personIn({}, name, people)).toThrow('who does this is required')
  })

  it('Q1, Q2: not the requester, not without role or skill, not who it is not for', () => {
    const review = opened({
      requester: 'eve',
      roles: ['finance'],
      skills: ['german'],
      chain: [{ queue: 'leads', slaMs: 1, roles: ['lead'] }],
    })
    const able = { by: 'ann', roles: ['finance'], skills: ['german'] }
    expect(barred(review, able, 0)).toBeUndefined()
    expect(barred(review, { ...able, by: 'eve' }, 0)?.code).toBe('review.not_allowed')
    expect(barred(review, { ...able, roles: [] }, 0)?.message).toContain('finance')
    expect(barred(review, { ...able, skills: [] }, 0)?.message).toContain('german')
    expect(rolesOf(after(review, expire(1_000)))).toEqual(['lead'])
    const delegated = { ...review, assignee: 'bob', delegation: { by: 'bob', to: 'ann', untilMs: 50 } }
    expect(barred(delegated, able, 49)).toBeUndefined()
    expect(barred(delegated, able, 50)?.message).toBe('it is for bob')
  })

  it('A1, A7, A8: whatever people and clocks do, one terminal event is published at most, nobody counts twice, every change is one epoch', () => {
    const who = fc.constantFrom('ann', 'bob', 'cyd', 'dan')
    const atMs = fc.integer({ min: 0, max: 6_000 })
    const command: fc.Arbitrary<ReviewCommand> = fc.oneof(
      fc.record({ type: fc.constant('review.claim' as const), by: who, leaseMs: fc.constant(200), atMs }),
      fc.record({ type: fc.constant('review.release' as const), by: who, atMs }),
      fc.record({
        type: fc.constant('review.decide' as const),
        by: who,
        verdict: fc.constantFrom('approve' as const, 'reject' as const),
        atMs,
      }),
      fc.record({ type: fc.constant('review.undo' as const), by: who, atMs }),
      fc.record({ type: fc.constant('review.delegate' as const), by: who, to: who, untilMs: atMs, atMs }),
      fc.record({ type: fc.constant('review.reassign' as const), by: who, to: fc.option(who), atMs }),
      fc.record({ type: fc.constant('review.expire' as const), atMs }),
      fc.record({ type: fc.constantFrom('review.cancel' as const, 'review.supersede' as const), by: who, atMs }),
    )
    const terms: fc.Arbitrary<Partial<ReviewTerms>> = fc.record({
      quorum: fc.constantFrom({ n: 1, of: 1, distinctRoles: false }, { n: 2, of: 3, distinctRoles: false }),
      graceMs: fc.constantFrom(0, 500),
      risk: fc.constantFrom('advisory' as const, 'reversible' as const, 'irreversible' as const),
      chain: fc.constantFrom([], [{ queue: 'leads', slaMs: 900, claimMs: 300 }]),
    })
    fc.assert(
      fc.property(terms, fc.array(command, { maxLength: 40 }), (given, commands) => {
        let review = opened(given)
        const events: ReviewEvent[] = []
        for (const one of commands)
          for (const event of decide(one, review)) {
            events.push(event)
            review = evolve(review, event) ?? review
          }
        const terminal = events.filter(
          (event) => publishes(event) || ['review.expired', 'review.cancelled', 'review.superseded'].includes(event.type),
        )
        expect(terminal.length).toBeLessThanOrEqual(1)
        expect(new Set(review.votes.map(({ by }) => by)).size).toBe(review.votes.length)
        expect(review.epoch).toBe(1 + events.filter(({ type }) => type !== 'review.refused').length)
        expect(['decided', 'expired', 'cancelled', 'superseded'].includes(review.status)).toBe(review.closed !== null)
      }),
    )
  })
})

describe('what is told and learned', () => {
  it('A5: what a service asks to approve is given as it is; a draft of a step without who made it', () => {
    expect(after(opened(), yes('ann')).decision?.output).toEqual({ amount: 10 })
    expect(after(opened({ use: 'answer' }), yes('ann')).decision?.output).toEqual({ amount: 10, by: 'model:x' })
  })

  it('S1, S2: a score is 1 for what stood; silence and questions are none; samples count for what was not looked at', () => {
    const scored = (terms: Partial<ReviewTerms>) => {
      const review = after(opened(terms), { type: 'review.claim', by: 'ann', leaseMs: 900, atMs: 4 }, yes('ann', [], 9))
      return review.decision === null ? undefined : scoreOf(review, review.decision)
    }
    expect(scored({ measured: { confidence: 0.4, route: 'model:x' } })).toMatchObject({
      score: 1,
      confidence: 0.4,
      share: 1,
      automatic: false,
      tookMs: 5,
    })
    expect(scored({ sample: true, measured: { share: 0.02 } })).toMatchObject({ share: 0.02, automatic: true })
    expect(scored({ kind: 'question' })).toBeUndefined()
    const silent = after(opened({ risk: 'advisory' }), expire(1_000))
    expect(silent.decision === null ? undefined : scoreOf(silent, silent.decision)).toBeUndefined()
  })

  it('N1: a notice says where to look and not what is in it; pauses grow to an hour', () => {
    const review = opened()
    const hook = { name: 'chat', url: 'http://x', secret: '', events: ['requested' as const], tries: 3 }
    const event: ReviewEvent = { type: 'review.requested', review }
    const [notice] = noticesOf([hook, { ...hook, name: 'other', queues: ['support'] }], { review, event, atMs: 1 })
    expect(notice).toMatchObject({ hook: 'chat', id: 'rev_1/requested/1' })
    expect(notice?.body).not.toContain('amount')
    expect(noticeName({ type: 'review.released', by: 'ann', atMs: 1 })).toBeUndefined()
    expect([1, 2, 3, 20].map(noticePauseMs)).toEqual([1_000, 4_000, 16_000, 3_600_000])
  })

  it('differences are told place by place', () => {
    expect(differences({ a: 1, b: [1, 2], c: 'x' }, { a: 1, b: [1, 3, 4], d: null })).toEqual([
      { at: 'b[1]', from: 2, to: 3 },
      { at: 'b[2]', to: 4 },
      { at: 'c', from: 'x' },
      { at: 'd', to: null },
    ])
    fc.assert(fc.property(fc.jsonValue(), (value) => expect(differences(value as never, structuredClone(value) as never)).toEqual([])))
  })

  it('P2: where the file names people their roles come from it alone, else from the proxy in front', () => {
    const said = { roles: ['boss'], skills: ['law'] }
    const named = readPeople('people: { ann: { roles: [finance] } }\n', 'people.yaml', {})
    expect([named.person('ann', said), named.person('bob', said)]).toEqual([
      { by: 'ann', roles: ['finance'], skills: [] },
      { by: 'bob', roles: [], skills: [], known: false },
    ])
    expect(readPeople('', 'people.yaml', {}).person('bob', said)).toEqual({ by: 'bob', ...said })
  })

  it('priorities are numbers with names', () => {
    for (const [level, urgency] of Object.entries(URGENCY)) expect(levelOf(urgency)).toBe(level)
    expect([raised(50), raised(90)]).toEqual([75, 100])
  })
})
