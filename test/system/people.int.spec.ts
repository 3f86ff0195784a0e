// Runs that wait for people: over a restart of everything, decided once, never in time, or called off (slice 4, E1–E7, R7).
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Json } from '@baton/contracts'
import { makeHome, openAt, until, type Home, type System } from './system.ts'

/** One question to a person. */
const flow = (name: string, human: string, step: string, limits = ''): string => `
flow: test/${name}@1.0.0
${limits}
input: { text: string }
steps:
  - ask:
      human: { queue: ${name}, title: What do we tell this customer?, ${human} }
      with: { question: =input.text, draft: { text: Thank you. } }
      returns: { text: string }
${step.replaceAll(/^/gm, '      ')}
output: { text: =ask.text, by: =ask.by }
`
const FLOWS = {
  'desk/flow.yaml': flow('desk', 'priority: high, sla: 10m', ''),
  'silent/flow.yaml': flow('silent', 'sla: 1s', ''),
  'late/flow.yaml': flow('late', 'sla: 1s', 'onError: { set: { text: =fault.code }, then: next }'),
  'raised/flow.yaml': flow('raised', 'sla: 3s, onTimeout: escalate', ''),
  'ignored/flow.yaml': flow('ignored', 'sla: 1s, onTimeout: escalate', ''),
  'brief/flow.yaml': flow('brief', 'sla: 10m', '', 'limits: { time: 1s }'),
}

type Review = {
  readonly taskId: string
  readonly runId: string
  readonly queue: string
  readonly priority: string
  readonly status: string
  readonly title: string
  readonly input: Json
  readonly fingerprint: string
  readonly allowed: readonly string[]
  readonly claimedBy: string | null
}

jest.setTimeout(60_000)
let home: Home
let system: System
beforeAll(async () => {
  home = await makeHome({ flows: FLOWS })
  system = await openAt(home)
})
afterAll(async () => {
  await system.close()
  await home.remove()
})

/** Starts a run and gives its review once there is one. */
const ask = async (name: string, id: string): Promise<Review> => {
  const { status, body } = await system.http<{ runId: string }>('POST', '/v1/runs', { id, flow: `test/${name}`, input: { text: id } })
  expect(status).toBe(202)
  return until('a review', () => reviewOf(name, body.runId))
}
const reviewOf = async (queue: string, runId: string): Promise<Review | undefined> =>
  (await system.http<{ items: readonly Review[] }>('GET', `/v1/reviews?queue=${queue}`)).body.items.find((review) => review.runId === runId)
const act = (taskId: string, action: string, body: object) => system.http('POST', `/v1/reviews/${taskId}:${action}`, body)
const show = async (taskId: string) => (await system.http<Review>('GET', `/v1/reviews/${taskId}`)).body
const runStatus = async (runId: string) => (await system.http<{ status: string }>('GET', `/v1/runs/${runId}`)).body.status

describe('a run that waits for a person', () => {
  it('E1, R9: is still there after everything was closed and opened again, is claimed, decided and goes on', async () => {
    const before = await ask('desk', 'over-a-restart')
    await system.close()
    system = await openAt(home)

    const review = await until('the review after the restart', () => reviewOf('desk', before.runId))
    expect(review).toMatchObject({ taskId: before.taskId, status: 'pending', priority: 'high', title: 'What do we tell this customer?' })
    expect(await show(review.taskId)).toMatchObject({
      input: { question: 'over-a-restart', draft: { text: 'Thank you.' } },
      allowed: ['approve', 'edit', 'respond', 'reject'],
    })
    await until('the waiting run', async () => ((await runStatus(before.runId)) === 'waiting' ? true : undefined))

    expect(await act(review.taskId, 'claim', { by: 'ada' })).toMatchObject({ status: 200, body: { status: 'claimed', claimedBy: 'ada' } })
    expect(await act(review.taskId, 'claim', { by: 'bob' })).toMatchObject({ status: 409, body: { code: 'review.claimed', by: 'ada' } })
    expect(await act(review.taskId, 'decide', { by: 'bob', verdict: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'review.claimed' },
    })
    expect(await act(review.taskId, 'decide', { by: 'ada', verdict: 'edit', output: { text: 'Hello.' } })).toMatchObject({
      status: 200,
      body: { status: 'decided' },
    })

    const [{ result } = { result: undefined }] = await system.results('over-a-restart')
    expect(result).toMatchObject({ status: 'completed', output: { text: 'Hello.', by: 'human:ada' }, metrics: { escalated: true } })
    await until('the completed run', async () => ((await runStatus(before.runId)) === 'completed' ? true : undefined))
  })

  it('E4, R7: takes one decision, of what was shown and in the shape of the step', async () => {
    const { taskId, fingerprint } = await ask('desk', 'decided-once')
    expect(await act(taskId, 'decide', { verdict: 'approve' })).toMatchObject({
      status: 400,
      body: { code: 'request.malformed', field: 'by' },
    })
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'perhaps' })).toMatchObject({
      status: 400,
      body: { code: 'request.malformed', field: 'verdict' },
    })
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'approve', fingerprint: 'of something else' })).toMatchObject({
      status: 409,
      body: { code: 'review.changed' },
    })
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'respond', output: { words: 'Hello.' } })).toMatchObject({
      status: 422,
      body: { code: 'input.invalid', field: 'output.text' },
    })
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'approve', fingerprint })).toMatchObject({ status: 200 })
    expect(await act(taskId, 'decide', { by: 'bob', verdict: 'reject' })).toMatchObject({
      status: 409,
      body: { code: 'review.closed', by: 'ada', verdict: 'approve' },
    })
    const [published] = await system.results('decided-once')
    expect(published?.result).toMatchObject({ output: { text: 'Thank you.', by: 'human:ada' } })
  })

  it('A1: of many that decide at once one stands, and it is the one the run goes on with', async () => {
    const { taskId } = await ask('desk', 'decided-at-once')
    const people = ['ada', 'bob', 'cyd', 'dan', 'eve']
    const answers = await Promise.all(people.map((by) => act(taskId, 'decide', { by, verdict: 'respond', output: { text: by } })))
    expect(answers.map(({ status }) => status).toSorted((left, right) => left - right)).toEqual([200, 409, 409, 409, 409])
    const winner = people[answers.findIndex(({ status }) => status === 200)] ?? ''
    const [published] = await system.results('decided-at-once')
    expect(published?.result).toMatchObject({ output: { text: winner, by: `human:${winner}` } })
  })

  it('a rejection fails the step with who and why', async () => {
    const { taskId } = await ask('desk', 'rejected')
    await act(taskId, 'decide', { by: 'ada', verdict: 'reject', reason: 'not ours' })
    const [published] = await system.results('rejected')
    expect(published).toMatchObject({
      type: 'baton.run.failed.v1',
      result: { fault: { code: 'review.rejected', message: 'not ours', detail: { by: 'human:ada' } } },
    })
  })

  it('the working time of the run rests meanwhile', async () => {
    const { taskId } = await ask('brief', 'rests')
    await new Promise((resolve) => setTimeout(resolve, 1_500)) // longer than the run may work
    await act(taskId, 'decide', { by: 'ada', verdict: 'approve' })
    const [published] = await system.results('rests')
    expect(published?.result).toMatchObject({ status: 'completed', output: { text: 'Thank you.' } })
  })
})

describe('a person who never decides (E5)', () => {
  it('A2: silence is never consent: the run fails with review.expired, and later decisions are too late', async () => {
    const { taskId } = await ask('silent', 'silence')
    const [published] = await system.results('silence')
    expect(published).toMatchObject({ type: 'baton.run.failed.v1', result: { fault: { code: 'review.expired' } } })
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'approve' })).toMatchObject({ status: 409, body: { code: 'review.closed' } })
    expect(await show(taskId)).toMatchObject({ status: 'expired' })
  })

  it('E1: the handler of the step takes over where it has one', async () => {
    await ask('late', 'handled')
    const [published] = await system.results('handled')
    expect(published?.result).toMatchObject({ status: 'completed', output: { text: 'review.expired', by: 'set' } })
  })

  it('A2: where it escalates the priority rises and another term begins, in which a decision counts', async () => {
    const { taskId } = await ask('raised', 'escalated')
    const raised = await until('the raised priority', async () => {
      const review = await show(taskId)
      return review.priority === 'normal' ? undefined : review
    })
    expect(raised).toMatchObject({ priority: 'high', status: 'escalated' })
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'approve' })).toMatchObject({ status: 200 })
    const [published] = await system.results('escalated')
    expect(published?.result).toMatchObject({ status: 'completed', output: { by: 'human:ada' } })
  })

  it('A2: escalated and silent again it expires', async () => {
    await ask('ignored', 'ignored twice')
    const [published] = await system.results('ignored twice')
    expect(published?.result).toMatchObject({ status: 'failed', fault: { code: 'review.expired' } })
  })
})

describe('a run that is called off while it waits', () => {
  it('ends cancelled with who and why; what people were asked for it is withdrawn, and a second cancel changes nothing', async () => {
    const { taskId, runId } = await ask('desk', 'called-off')
    expect(await system.http('POST', `/v1/runs/${runId}:cancel`, { by: 'eve', reason: 'the customer rang' })).toMatchObject({ status: 202 })
    const [first] = await system.results('called-off')
    expect(first).toMatchObject({
      type: 'baton.run.cancelled.v1',
      result: { status: 'cancelled', fault: { code: 'run.cancelled', message: 'the customer rang', detail: { by: 'eve' } } },
    })
    await until('the withdrawn review', async () => ((await show(taskId)).status === 'cancelled' ? true : undefined))
    expect(await reviewOf('desk', runId)).toBeUndefined()
    expect(await act(taskId, 'decide', { by: 'ada', verdict: 'approve' })).toMatchObject({ status: 409, body: { code: 'review.closed' } })
    expect(await system.http('POST', `/v1/runs/${runId}:cancel`, { by: 'eve' })).toMatchObject({ status: 202 })
    await system.send(JSON.stringify({ id: 'after', flow: 'test/late', input: { text: 'after' } }))
    await system.results('after')
    expect(await system.results('called-off')).toEqual([first])
  })

  it('a run that nobody knows cannot be cancelled', async () => {
    expect(await system.http('POST', '/v1/runs/run_nobody:cancel', {})).toMatchObject({ status: 404, body: { code: 'request.not_found' } })
  })
})
