import { describe, expect, it } from '@jest/globals'
import { nextWakeAtMs, runStatus } from '../codec.ts'
import {
  askedFor,
  at,
  completed,
  decided,
  deferred,
  expired,
  extended,
  failed,
  given,
  play,
  programOf,
  quarantined,
  cancelled,
  requested,
  resultIn,
  retrying,
  START_MS,
  woken,
} from '../testing.ts'
import { dispatchBoundMs, HANDLER_GRACE_MS, LEASE_SLACK_MS, REVIEW_SLACK_MS, TRY_TIMEOUT_MS } from './limits.fixture.ts'

const TWO = programOf(`
limits: { time: 100s, total: 10m, cost: 0.01 USD }
input: { text: string }
steps:
  - a: { model: [small, large], prompt: 'A {{ input.text }}', timeout: 5s, retry: { attempts: 2, backoff: fixed } }
  - b: { tool: shop/b }
`)
const start = requested({ text: 'a' })
const wakeOf = (story: { state: Parameters<typeof nextWakeAtMs>[0] | undefined }): number =>
  story.state === undefined ? -1 : (nextWakeAtMs(story.state) ?? -1) - START_MS
const LEASE_MS = dispatchBoundMs(TWO.plan.nodes['a'])

describe('leases', () => {
  it('R4, K2: give a dispatch the time of all its tries, pauses and candidates, and wake the run when it is over', () => {
    const story = play(TWO, [start])
    expect(LEASE_MS).toBe(2 * 2 * 5_000 + (TWO.plan.nodes['a']?.retry?.delayMs ?? 0) + LEASE_SLACK_MS)
    expect(askedFor(story.outputs, 'a')).toMatchObject({ leaseUntilMs: START_MS + LEASE_MS, deadlineMs: START_MS + 100_000 })
    expect(wakeOf(story)).toBe(LEASE_MS)
    expect(dispatchBoundMs(TWO.plan.nodes['b'])).toBe(TRY_TIMEOUT_MS.tool + LEASE_SLACK_MS)
  })

  it('R3: when one runs out the same work is asked for again, with the same effect key', () => {
    const again = given(TWO, start).when(at(LEASE_MS, woken()))
    again.emits('failed a/1 step.lease_lost', 'ask model.invoke a/2', 'dispatched a/2')
    expect(askedFor(again.outputs, 'a')).toMatchObject({ attempt: 2, effectKey: 'run_1/a/1' })
    expect(resultIn(given(TWO, start, at(LEASE_MS, woken())).outputs)).toBeUndefined()
  })

  it('R3: the answer of a lost lease is billed once and changes nothing; the new attempt still counts', () => {
    const lost = [start, at(LEASE_MS, woken())]
    given(TWO, ...lost)
      .when(completed('a/1', 'late', { costMicroUsd: 5 }))
      .emits('ignored a/1 late 5')
    given(TWO, ...lost, completed('a/1', 'late', { costMicroUsd: 5 }))
      .when(completed('a/1', 'late', { costMicroUsd: 5 }))
      .emits('ignored a/1 duplicate 0')
    given(TWO, ...lost, completed('a/1', 'late', { costMicroUsd: 5 }))
      .when(completed('a/2', 'new'))
      .emits('completed a/2 by model:small', 'ask tool.call b/1', 'dispatched b/1')
    const ended = given(TWO, ...lost, completed('a/1', 'late', { costMicroUsd: 5 }), completed('a/2', 'new', { costMicroUsd: 7 })).when(
      completed('b/1'),
    )
    expect(resultIn(ended.outputs)?.result.metrics.costUsd).toBeCloseTo(0.000012)
  })

  it('are lost at most three times', () => {
    const program = programOf(`
limits: { time: 1h }
input: { text: string }
steps:
  - b: { tool: shop/b, timeout: 5s }
`)
    const lease = dispatchBoundMs(program.plan.nodes['b'])
    given(program, start, at(lease, woken()), at(2 * lease, woken()))
      .when(at(3 * lease, woken()))
      .emits('failed b/3 step.lease_lost', 'ended failed', 'result failed')
  })

  it('move while the service retries, waits or works on; the deadline of the run does not', () => {
    const retried = given(TWO, start).when(at(10, retrying('a/1', 20_000)))
    retried.emits('waiting a/1 retrying')
    expect(wakeOf(retried)).toBe(20_000 + LEASE_MS)
    expect(wakeOf(given(TWO, start).when(deferred('a/1', 90_000)))).toBe(100_000)
    expect(wakeOf(given(TWO, start).when(extended('a/1', 70_000)))).toBe(75_000)
    given(TWO, start, at(10, retrying('a/1', 20_000)))
      .when(at(LEASE_MS, woken()))
      .emits()
  })

  it('L1: a timer that matured too early finds nothing to do', () => {
    given(TWO, start)
      .when(at(LEASE_MS - 1, woken()))
      .emits()
  })
})

describe('limits of time', () => {
  it('A6: the working time ends a run, and what comes after it is late', () => {
    const slow = [start, at(60_000, completed('a/1', 'x'))]
    const ended = given(TWO, ...slow).when(at(100_000, woken()))
    ended.emits('ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result.fault?.code).toBe('limit.time_exceeded')
    given(TWO, ...slow, at(100_000, woken()))
      .when(completed('b/1', null, { costMicroUsd: 3 }))
      .emits('ignored b/1 late 3')
  })

  it('R5, K1: nothing is asked for once the time is over, even before the timer is read', () => {
    given(TWO, start)
      .when(at(100_000, completed('a/1', 'x')))
      .emits('completed a/1 by model:small', 'ended failed', 'result failed')
  })

  it('H2: a step that fails when the time is over fails by the limit, whichever record comes first', () => {
    const late = given(TWO, start).when(at(100_000, failed('a/1', 'model.timed_out')))
    late.emits('failed a/1 model.timed_out', 'ended failed', 'result failed')
    expect(resultIn(late.outputs)?.result.fault).toMatchObject({ code: 'limit.time_exceeded' })
    expect(resultIn(given(TWO, start).when(at(99_999, failed('a/1', 'model.timed_out'))).outputs)?.result.fault).toMatchObject({
      code: 'model.timed_out',
    })
  })

  it('a deadline of the request lowers the working time and never raises it', () => {
    expect(askedFor(play(TWO, [requested({ text: 'a' }, { deadlineMs: 1_000 })]).outputs, 'a')).toMatchObject({
      deadlineMs: START_MS + 1_000,
      leaseUntilMs: START_MS + 1_000,
    })
    expect(askedFor(play(TWO, [requested({ text: 'a' }, { deadlineMs: 900_000 })]).outputs, 'a')?.deadlineMs).toBe(START_MS + 100_000)
  })

  const REVIEWED = programOf(`
limits: { time: 60s, total: 3h }
input: { text: string }
steps:
  - a: { tool: shop/a, timeout: 5s }
  - check: { human: { queue: support, priority: low, sla: 1h } }
  - b: { tool: shop/b, timeout: 5s }
`)
  it('working time rests while only people are waited for', () => {
    const waiting = play(REVIEWED, [start, at(40_000, completed('a/1'))])
    expect(waiting.state === undefined ? '' : runStatus(waiting.state)).toBe('waiting')
    expect(wakeOf(waiting)).toBe(40_000 + 3_600_000 + REVIEW_SLACK_MS)
    const later = given(REVIEWED, start, at(40_000, completed('a/1'))).when(at(3_000_000, decided('check/1', 'approve')))
    later.emits('completed check/1 by human:ada', 'ask tool.call b/1', 'dispatched b/1')
    expect(askedFor(later.outputs, 'b')?.deadlineMs).toBe(START_MS + 3_020_000)
    const ended = given(REVIEWED, start, at(40_000, completed('a/1')), at(3_000_000, decided('check/1', 'approve'))).when(
      at(3_010_000, completed('b/1')),
    )
    expect(resultIn(ended.outputs)?.result.metrics).toMatchObject({ latencyMs: 3_010_000, workingMs: 50_000, escalated: true })
  })

  it('R4: total time ends the wait for a person, and so does silence about the review itself', () => {
    const waiting = [start, at(40_000, completed('a/1'))] as const
    given(REVIEWED, ...waiting)
      .when(at(40_000 + 3_600_000 + REVIEW_SLACK_MS, woken()))
      .emits('failed check/1 review.expired', 'ended failed', 'result failed')
    const over = given(REVIEWED, ...waiting).when(at(10_800_000, woken()))
    expect(resultIn(over.outputs)?.result.fault?.code).toBe('limit.total_exceeded')
  })

  it('H2: the error handler of the flow gets a grace to report that the time is over, and no more', () => {
    const logged = programOf(`
limits: { time: 10s }
input: { text: string }
steps:
  - a: { tool: shop/a, timeout: 5s }
onError: { tool: ops/log }
`)
    const handled = given(logged, start).when(at(10_000, woken()))
    handled.emits('handler onError: run', 'ask tool.call onError/1', 'dispatched onError/1')
    expect(askedFor(handled.outputs, 'onError')?.deadlineMs).toBe(START_MS + 10_000 + HANDLER_GRACE_MS)
    const ended = given(logged, start, at(10_000, woken())).when(at(10_000 + HANDLER_GRACE_MS, woken()))
    expect(resultIn(ended.outputs)?.result.fault?.code).toBe('limit.time_exceeded')
  })

  it('a command that came too late fails its step', () => {
    given(TWO, start).when(expired('a/1')).emits('failed a/1 step.expired', 'ended failed', 'result failed')
  })
})

describe('the limit of cost', () => {
  it('R5, A13: what was spent forbids the next dispatch; failed attempts count', () => {
    const ended = given(TWO, start).when(completed('a/1', 'x', { costMicroUsd: 10_000 }))
    ended.emits('completed a/1 by model:small', 'ended failed', 'result failed')
    expect(resultIn(ended.outputs)?.result).toMatchObject({ fault: { code: 'limit.cost_exceeded' }, metrics: { costUsd: 0.01 } })
    expect(resultIn(given(TWO, start).when(failed('a/1', 'model.refused', 7)).outputs)?.result.metrics.costUsd).toBeCloseTo(0.000007)
  })
})

describe('stopping a run from outside', () => {
  it('cancel ends it at once; open attempts are late from then on', () => {
    const ended = given(TWO, start).when(cancelled())
    ended.emits('ended cancelled', 'result cancelled')
    expect(resultIn(ended.outputs)?.result.fault).toEqual({ code: 'run.cancelled', message: 'not needed', detail: { by: 'ada' } })
    given(TWO, start, cancelled())
      .when(completed('a/1', 'x', { costMicroUsd: 2 }))
      .emits('ignored a/1 late 2')
    given(TWO, start, cancelled()).when(cancelled()).emits()
  })

  it('L10: quarantine fails it without asking any handler', () => {
    const ended = given(TWO, start).when(quarantined())
    expect(resultIn(ended.outputs)?.result.fault?.code).toBe('run.quarantined')
  })

  it('B12: a budget that several runs share is a limit like any other', () => {
    const flow = programOf('steps:\n  - a: { tool: x, onLimit: { set: later } }\n')
    const { outputs } = play(flow, [requested({}, { engineVersion: 3 }), failed('a/1', 'budget.exceeded')])
    expect(resultIn(outputs)?.result).toMatchObject({ status: 'completed', output: 'later', degraded: ['budget.exceeded'] })
  })
})
