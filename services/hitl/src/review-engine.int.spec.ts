// The engine of tasks over HTTP and bus: who may act, clocks and chains, several people, taking back, signatures, links and notices.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { TOPICS } from '@baton/contracts'
import { openPglite, openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { commandOf, eventually, openRig, type Rig } from './hitl.fixture.ts'
import { taskIdOf } from './review-request.consumer.ts'

jest.setTimeout(20_000)
const SECRET = 'a secret of the hook, long enough'
const peopleFile = (url: string): string => `
people:
  fin: { roles: [finance] }
  lea: { roles: [law, lead] }
  two: { roles: [finance, law] }
  ann: {}
  bob: {}
queues:
  graced: { grace: 2s }
hooks:
  chat: { url: ${url}, secretEnv: BATON_TEST_HOOK_SECRET, events: [requested, decided], queues: [support], tries: 3 }
  gone: { url: ${url}/gone, secretEnv: BATON_TEST_HOOK_SECRET, events: [decided], queues: [advice], tries: 1 }
`
type Told = { readonly headers: Readonly<Record<string, unknown>>; readonly body: string; readonly path: string }

const suite = (open: () => Promise<Database>): void => {
  let rig: Rig
  let outside: Server
  const told: Told[] = []
  const refused = new Set<string>()
  beforeAll(async () => {
    process.env['BATON_TEST_HOOK_SECRET'] = SECRET
    outside = createServer((request, reply) => {
      void text(request).then((body) => {
        told.push({ headers: request.headers, body, path: request.url ?? '' })
        reply.statusCode = request.url === '/gone' ? 410 : body.includes('run_told') && !refused.has(body) ? 503 : 204
        refused.add(body)
        reply.end()
      })
    })
    await new Promise<void>((resolve) => void outside.listen(0, '127.0.0.1', resolve))
    const address = outside.address()
    rig = await openRig(open, { people: peopleFile(`http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`) })
  }, 60_000)
  afterAll(async () => {
    await rig?.close()
    outside.close()
  })
  const asked = async (run: string, nodeId: string, more: Parameters<typeof commandOf>[1] = {}): Promise<string> => {
    const command = commandOf(run, { nodeId, ...more })
    await rig.ask(command)
    const id = taskIdOf(command.attemptId)
    await rig.opened(id)
    return id
  }
  const become = (id: string, more: object): Promise<Record<string, unknown>> =>
    eventually(async () => {
      const { body } = await rig.http('GET', `/v1/reviews/${id}`)
      return Object.entries(more).every(([key, value]) => body[key] === value) ? body : undefined
    })

  it('E5, K2: a chain climbs rung by rung, each with its queue, roles and clocks; what can be taken back is rejected in the end', async () => {
    const id = await asked('run_chain', 'chain')
    expect(await become(id, { status: 'pending' })).toMatchObject({ queue: 'chain', urgency: 40, priority: 'normal' })
    rig.pass(2_100) // nobody claimed it
    expect(await become(id, { status: 'escalated' })).toMatchObject({
      queue: 'leads',
      rung: 1,
      roles: ['lead'],
      urgency: 65,
      priority: 'high',
    })
    expect(await rig.act(id, 'claim', { by: 'ann' })).toMatchObject({ status: 403, body: { code: 'review.not_allowed', roles: 'lead' } })
    expect(await rig.act(id, 'claim', { by: 'lea', leaseMs: 1_000 })).toMatchObject({ status: 200, body: { claimedBy: 'lea' } })
    rig.pass(1_100) // the lease is over
    expect(await become(id, { claimedBy: null })).toMatchObject({ status: 'escalated', queue: 'leads' })
    rig.pass(4_000)
    expect(await become(id, { rung: 2 })).toMatchObject({ queue: 'managers' })
    rig.pass(5_100)
    expect((await rig.told('run_chain', 'review.expired')).data).toMatchObject({ taskId: id })
    expect(await rig.act(id, 'decide', { by: 'lea', verdict: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'review.closed', state: 'expired', by: 'nobody' },
    })
  })

  it('K2: what is advisory goes on, flagged as unreviewed, and is no score', async () => {
    const id = await asked('run_advice', 'advice')
    rig.pass(1_100)
    expect((await rig.told('run_advice', 'review.decided')).data).toMatchObject({
      verdict: 'approve',
      output: { text: 'Hello.' },
      by: 'nobody',
      unreviewed: true,
    })
    expect(await become(id, { status: 'decided' })).toMatchObject({ decision: { unreviewed: true } })
    expect((await rig.db.query('select 1 from review_scores where task_id = $1', [id])).rows).toEqual([])
  })

  it('A7, Q1, Q3: two of three have to approve, each for a role of their own, and not who began the run', async () => {
    const id = await asked('run_money', 'money', { more: { user: { id: 'two' } } })
    const { body } = await rig.http('GET', `/v1/reviews/${id}`)
    expect(body).toMatchObject({ allowed: ['approve', 'reject'], quorum: { n: 2, of: 3, approved: 0 } })
    const decide = (by: string, more: object = { verdict: 'approve' }) => rig.act(id, 'decide', { by, ...more })
    expect(await decide('two')).toMatchObject({ status: 403, body: { detail: 'who asked for it does not decide it' } })
    expect(await decide('ann')).toMatchObject({ status: 403 })
    expect(await decide('fin')).toMatchObject({ status: 200, body: { status: 'pending', quorum: { approved: 1 } } })
    expect(await decide('fin')).toMatchObject({ status: 403 })
    expect(await decide('lea', { verdict: 'reject' })).toMatchObject({ status: 400, body: { field: 'because' } })
    expect(await decide('lea', { verdict: 'approve', reason: 'as agreed' })).toMatchObject({ status: 200, body: { status: 'decided' } })
    expect((await rig.told('run_money', 'review.decided')).data).toMatchObject({ verdict: 'approve', by: 'fin, lea', reason: 'as agreed' })
  })

  it('E9: approvals of what cannot be taken back are signed, each signature follows from the one before, and none can be changed', async () => {
    for (const run of ['run_sign1', 'run_sign2']) {
      const id = await asked(run, 'money')
      await rig.act(id, 'decide', { by: 'fin', verdict: 'reject', because: 'too_much', reason: 'Half of it.' })
      await rig.act(id, 'decide', { by: 'lea', verdict: 'reject', because: 'too_much' })
      expect((await rig.told(run, 'review.decided')).data).toMatchObject({
        verdict: 'reject',
        output: null,
        reason: 'The amount is too high. Half of it. The amount is too high.',
      })
    }
    expect((await rig.http('GET', '/v1/reviews/learned/signatures')).body).toEqual({ signatures: 3, brokenAt: null })
    const { rows } = await rig.db.query<{ body: string }>('select body from review_audit order by n')
    expect(JSON.parse(rows[2]?.body ?? '')).toMatchObject({ verdict: 'reject', people: [{ by: 'fin' }, { by: 'lea' }] })
    await expect(rig.db.query(`update review_audit set body = '{}' where n = 2`)).rejects.toThrow('only ever added')
    await expect(rig.db.query('delete from review_audit')).rejects.toThrow('only ever added')
    await rig.db.query('alter table review_audit disable trigger review_audit_keep')
    const [before] = (await rig.db.query<{ body: string }>('select body from review_audit where n = 2')).rows
    await rig.db.query(`update review_audit set body = '{}' where n = 2`)
    expect((await rig.http('GET', '/v1/reviews/learned/signatures')).body).toEqual({ signatures: 1, brokenAt: 2 })
    await rig.db.query('update review_audit set body = $1 where n = 2', [before?.body ?? ''])
    await rig.db.query('alter table review_audit enable trigger review_audit_keep')
  })

  it('A8: a decision is held back for its grace time, in which its maker takes it back; the run learns only of the last one', async () => {
    const id = await asked('run_graced', 'graced')
    expect(await rig.act(id, 'decide', { by: 'ann', verdict: 'approve' })).toMatchObject({ body: { status: 'decided' } })
    expect(await rig.act(id, 'decide', { by: 'bob', verdict: 'reject' })).toMatchObject({ status: 409, body: { by: 'ann' } })
    expect(await rig.act(id, 'undo', { by: 'bob' })).toMatchObject({ status: 403 })
    expect(await rig.act(id, 'undo', { by: 'ann' })).toMatchObject({ status: 200, body: { status: 'pending', decision: null } })
    await rig.act(id, 'decide', { by: 'bob', verdict: 'edit', output: { text: 'Bye.' } })
    expect((await rig.eventsOf(TOPICS.events, 5, 'run_graced')).length).toBe(0)
    rig.pass(2_100)
    expect((await rig.told('run_graced', 'review.decided')).data).toMatchObject({ by: 'bob', output: { text: 'Bye.' } })
    expect(await rig.act(id, 'undo', { by: 'bob' })).toMatchObject({ status: 409, body: { code: 'review.closed' } })
    expect((await rig.db.query('select score, verdict from review_scores where task_id = $1', [id])).rows).toEqual([
      { score: 0, verdict: 'edit' },
    ])
  })

  it('Q2, A4: reviews are passed on and stood in for; a command on an older epoch is refused', async () => {
    const id = await asked('run_pass', 'ask')
    await rig.act(id, 'reassign', { by: 'ann', to: 'bob' })
    expect(await rig.act(id, 'claim', { by: 'ann' })).toMatchObject({ status: 403, body: { detail: 'it is for bob' } })
    expect(await rig.act(id, 'delegate', { by: 'bob', to: 'lea', forMs: 60_000 })).toMatchObject({ status: 200 })
    expect(await rig.act(id, 'claim', { by: 'bob' })).toMatchObject({ status: 403 })
    rig.pass(30_000)
    const claimed = await rig.act(id, 'claim', { by: 'lea', epoch: 3, leaseMs: 1_000 })
    expect(claimed).toMatchObject({ status: 200, body: { epoch: 4 } })
    expect(await rig.act(id, 'decide', { by: 'lea', verdict: 'approve', epoch: 3 })).toMatchObject({ status: 409, body: { epoch: 4 } })
    expect((await rig.http('GET', '/v1/reviews?person=bob')).body['items']).toMatchObject([{ taskId: id }])
    expect(await rig.act(id, 'reassign', { by: 'lea', queue: 'other', to: null })).toMatchObject({
      body: { queue: 'other', assignee: null },
    })
  })

  it('D4: a newer attempt at the same place supersedes the older question', async () => {
    const old = await asked('run_again', 'ask')
    const next = await asked('run_again', 'ask', { attempt: 2, input: { draft: { text: 'Hello again.' } } })
    await become(old, { status: 'superseded' })
    expect(await rig.act(old, 'decide', { by: 'ann', verdict: 'approve' })).toMatchObject({
      status: 409,
      body: { state: 'superseded', by: next },
    })
    const { body } = await rig.http('GET', `/v1/reviews/${next}`)
    expect(body['context']).toMatchObject({
      proposal: { text: 'Hello again.' },
      differences: [{ at: 'text', from: 'Hello.', to: 'Hello again.' }],
      trace: '/v1/runs/run_again/trace',
      costUsd: null,
    })
  })

  it('alike reviews are decided together, each bound to what it showed; others are not', async () => {
    const ids = [await asked('run_bulk1', 'ask'), await asked('run_bulk2', 'ask'), await asked('run_bulk3', 'graced')]
    const tasks = await Promise.all(
      ids.map(async (taskId) => ({ taskId, fingerprint: String((await rig.http('GET', `/v1/reviews/${taskId}`)).body['fingerprint']) })),
    )
    const bulk = (some: readonly object[]) => rig.http('POST', '/v1/reviews/bulk:decide', { by: 'ann', verdict: 'approve', tasks: some })
    expect(await bulk(tasks)).toMatchObject({ status: 400, body: { field: 'tasks' } })
    expect(await bulk([{ ...tasks[0], fingerprint: 'another' }, { ...tasks[1] }])).toMatchObject({
      body: { items: [{ fault: { code: 'review.changed' } }, { status: 'decided' }] },
    })
  })

  it('comments are for all, a draft is for its writer', async () => {
    const id = await asked('run_notes', 'ask')
    await rig.http('POST', `/v1/reviews/${id}/comments`, { by: 'ann', text: 'Ask the bank first.' })
    await rig.http('PUT', `/v1/reviews/${id}/draft`, { by: 'ann', draft: { text: 'Hel' } })
    expect((await rig.http('GET', `/v1/reviews/${id}/comments`)).body['items']).toMatchObject([{ by: 'ann', text: 'Ask the bank first.' }])
    const draftOf = async (by: string) =>
      (await rig.http('GET', `/v1/reviews/${id}/draft`, undefined, { 'x-baton-user': by })).body['draft']
    expect([await draftOf('ann'), await draftOf('bob')]).toEqual([{ text: 'Hel' }, null])
  })

  it('L1, L3, L5: a link shows without deciding, decides once, and leads nowhere when it was changed', async () => {
    const id = await asked('run_link', 'ask', { input: { question: '<script>alert(1)</script>', draft: { text: 'Hello.' } } })
    const { body: link } = await rig.http('POST', `/v1/reviews/${id}/links`, { person: 'ann' })
    const path = String(link['path'])
    const shown = await rig.http('GET', path)
    expect(shown).toMatchObject({ status: 200, body: { text: expect.stringContaining('&lt;script&gt;') } })
    expect(shown.body['text']).not.toContain('<script>')
    await rig.http('GET', path)
    expect(await become(id, { status: 'pending' })).toMatchObject({ decision: null })
    expect((await rig.http('GET', `${path}x`)).status).toBe(404)
    const both = await Promise.all([rig.http('POST', path, { verdict: 'approve' }), rig.http('POST', path, { verdict: 'reject' })])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
    expect(await become(id, { status: 'decided' })).toMatchObject({ decision: { by: 'ann' } })
    expect((await rig.http('GET', path)).body['text']).toContain('ann decided')
    rig.pass(90_000_000)
    expect((await rig.http('GET', path)).status).toBe(404)
  })

  it('L2: what cannot be taken back is decided by no link', async () => {
    const id = await asked('run_nolink', 'money')
    expect(await rig.http('POST', `/v1/reviews/${id}/links`, { person: 'fin' })).toMatchObject({
      status: 403,
      body: { code: 'review.not_allowed' },
    })
  })

  it('N2: addresses outside are told with a signature, tried again, and what none takes is a dead letter that can be sent again', async () => {
    const from = told.length
    const id = await asked('run_told', 'ask')
    const requested = await eventually(() => Promise.resolve(told.slice(from).filter(({ body }) => body.includes(id))[1]))
    expect(JSON.parse(requested.body)).toMatchObject({
      type: 'review.requested',
      data: { taskId: id, queue: 'support', runId: 'run_told' },
    })
    expect(requested.body).not.toContain('Hello.')
    const { 'webhook-id': hookId, 'webhook-timestamp': seconds, 'webhook-signature': signature } = requested.headers
    const expected = createHmac('sha256', SECRET)
      .update(`${String(hookId)}.${String(seconds)}.${requested.body}`)
      .digest('base64')
    expect(signature).toBe(`v1,${expected}`)
    const dead = async () => (await rig.http('GET', '/v1/reviews/notices/dead')).body['items'] as readonly object[]
    expect(await eventually(async () => (await dead())[0])).toMatchObject({ hook: 'gone', problem: 'it answered 410', tries: 1 })
    expect((await rig.http('POST', '/v1/reviews/notices/resend')).body).toEqual({ notices: 1 })
    await eventually(async () => (await dead())[0])
  })

  it('E10: what was learned is read as rates, cases and people in a hurry', async () => {
    const { body } = await rig.http('GET', '/v1/reviews/learned/cases?limit=100')
    const cases = String(body['text'])
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(cases.find(({ runId }) => runId === 'run_graced')).toMatchObject({
      verdict: 'edit',
      expected: { text: 'Bye.' },
      by: 'bob',
      score: 0,
    })
    expect(cases.find(({ runId }) => runId === 'run_sign1')).toMatchObject({ verdict: 'reject', never: true })
    for (let n = 0; n < 10; n += 1) {
      const id = await asked(`run_fast${n}`, 'ask', {
        more: {
          ask: {
            kind: 'edit',
            use: 'output',
            title: 'Is this right?',
            input: { draft: { text: 'Hello.' } },
            reasons: ['unsure'],
            queue: 'fast',
            measured: { confidence: n / 10, route: 'model:x', rule: 'unsure' },
          },
        },
      })
      await rig.act(id, 'claim', { by: 'fast' })
      await rig.act(id, 'decide', { by: 'fast', verdict: n < 5 ? 'reject' : 'approve' })
    }
    const { body: rates } = await rig.http('GET', '/v1/reviews/learned/rates')
    expect(rates['items']).toMatchObject([{ route: 'model:x', decisions: 10, automatic: 0, bins: expect.any(Array) }])
    const { body: hurry } = await rig.http('GET', '/v1/reviews/learned/hurry')
    expect(hurry['items']).toEqual(expect.arrayContaining([{ by: 'fast', decisions: 10, hurried: 10, alarm: true }]))
    const { body: proposal } = await rig.http('GET', '/v1/reviews/learned/proposal?now=0.7&target=0.9')
    expect(proposal).toMatchObject({ target: 0.9, now: { threshold: 0.7, automated: 0.3, accuracy: 1 }, proposed: null })
  })
}

describe('the engine of tasks on PGlite (E3–E10)', () => {
  suite(() => openPglite())
})
describeWithPostgres('the engine of tasks on PostgreSQL', (postgres) =>
  suite(async () => openPostgres({ url: await postgres.freshDatabase() })),
)
