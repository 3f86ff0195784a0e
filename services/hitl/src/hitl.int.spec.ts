import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Bus } from '@baton/bus'
import { commandTopic, decodeEvent, encodeEvent, Fault, TOPICS, type StepCommand } from '@baton/contracts'
import { openPglite, openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { ANSWER_PARTITION, ANSWER_SCHEMA, commandOf, eventually, openRig, PLAN_HASH, type Rig } from './hitl.fixture.ts'
import { outboxRelay } from './outbox-relay.ts'
import { fingerprintOf, taskIdOf } from './review-request.consumer.ts'

const suite = (open: () => Promise<Database>): void => {
  let rig: Rig
  beforeAll(async () => {
    rig = await openRig(open)
  }, 60_000)
  afterAll(() => rig?.close())
  const ask: Rig['ask'] = (command) => rig.ask(command)
  const http: Rig['http'] = (...request) => rig.http(...request)
  const opened: Rig['opened'] = (id) => rig.opened(id)
  const told: Rig['told'] = (run, name) => rig.told(run, name)

  describe('the human-in-the-loop service (E3, E4, E5)', () => {
    it('E4: a review is listed, claimed and decided, and the engine is told on the partition of the command', async () => {
      const command = commandOf('run_a')
      await ask(command)
      const id = taskIdOf(command.attemptId)
      const review = await opened(id)
      expect(review.body).toMatchObject({
        taskId: id,
        status: 'pending',
        queue: 'support',
        priority: 'normal',
        runId: 'run_a',
        input: command.input,
        resultSchema: ANSWER_SCHEMA,
      })
      expect(review.body['fingerprint']).toBe(fingerprintOf({ input: command.input, path: 'ask', planHash: PLAN_HASH, runId: 'run_a' }))
      expect((await http('POST', `/v1/reviews/${id}:claim`, { by: 'ann' })).body).toMatchObject({ status: 'claimed', claimedBy: 'ann' })
      expect((await http('POST', `/v1/reviews/${id}:decide`, { by: 'bob', verdict: 'approve' })).body).toMatchObject({
        status: 409,
        code: 'review.claimed',
        by: 'ann',
      })
      const decided = await http('POST', `/v1/reviews/${id}:decide`, {
        by: 'ann',
        verdict: 'edit',
        output: { text: 'Hello there.' },
        fingerprint: review.body['fingerprint'],
      })
      expect(decided).toMatchObject({ status: 200, body: { status: 'decided', decision: { by: 'ann', verdict: 'edit' } } })
      const event = await told('run_a', 'review.decided')
      expect(event.data).toMatchObject({ attemptId: command.attemptId, verdict: 'edit', output: { text: 'Hello there.' }, by: 'ann' })
      expect(event.id).toBe(`${command.attemptId}/review.decided/1`)
    })

    it('E4: a service asks in the middle of its work: its own title, fingerprint, verdicts and schema count', async () => {
      const asked: StepCommand = {
        ...commandOf('run_ask', { nodeId: 'pay', input: { amount: 10 } }),
        kind: 'tool',
        ask: {
          kind: 'edit',
          use: 'answer',
          title: 'Pay 10 to Ann?',
          input: { tool: 'pay', draft: { amount: 10 } },
          fingerprint: 'what exactly would be done',
          schema: { type: 'object', properties: { amount: { type: 'number', maximum: 10 } }, required: ['amount'] },
          queue: 'finance',
          priority: 'high',
          slaMs: 30_000,
          risk: 'irreversible',
          reasons: ['pay cannot be taken back'],
        },
      }
      await ask(asked)
      const id = taskIdOf(asked.attemptId)
      expect((await opened(id)).body).toMatchObject({
        title: 'Pay 10 to Ann?',
        queue: 'finance',
        priority: 'high',
        allowed: ['approve', 'edit', 'reject'],
        fingerprint: 'what exactly would be done',
        terms: { kind: 'edit', use: 'answer', risk: 'irreversible', reasons: ['pay cannot be taken back'] },
      })
      const decide = (body: object) => http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', ...body })
      expect(await decide({ verdict: 'respond', output: {} })).toMatchObject({ status: 400, body: { field: 'verdict' } })
      expect(await decide({ verdict: 'edit', output: { amount: 11 } })).toMatchObject({ status: 422, body: { field: 'output.amount' } })
      expect(await decide({ verdict: 'approve', fingerprint: 'something else' })).toMatchObject({ status: 409 })
      expect(await decide({ verdict: 'approve', fingerprint: 'what exactly would be done' })).toMatchObject({ status: 200 })
      expect((await told('run_ask', 'review.decided')).data).toMatchObject({
        attemptId: asked.attemptId,
        verdict: 'approve',
        output: { amount: 10 },
        fingerprint: 'what exactly would be done',
      })
    })

    it('A1, D1: of two decisions at once one counts, and the other learns whose it was', async () => {
      const command = commandOf('run_b')
      await ask(command)
      const id = taskIdOf(command.attemptId)
      await opened(id)
      const replies = await Promise.all(
        ['ann', 'bob', 'cyd'].map((by) => http('POST', `/v1/reviews/${id}:decide`, { by, verdict: 'approve' })),
      )
      const winners = replies.filter(({ status }) => status === 200)
      const losers = replies.filter(({ status }) => status === 409)
      expect([winners.length, losers.length]).toEqual([1, 2])
      const winner = (winners[0]?.body['decision'] as { by: string } | undefined)?.by
      for (const { body } of losers) expect(body).toMatchObject({ code: 'review.closed', by: winner })
      await told('run_b', 'review.decided')
      const decided = (await rig.eventsOf(TOPICS.events, ANSWER_PARTITION, 'run_b')).filter(({ name }) => name === 'review.decided')
      expect(new Set(decided.map(({ id: eventId }) => eventId)).size).toBe(1)
    })

    it('D2, A4: an output that does not fit and a decision on something else are refused, and the review stays open', async () => {
      const command = commandOf('run_c')
      await ask(command)
      const id = taskIdOf(command.attemptId)
      await opened(id)
      expect((await http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', verdict: 'edit', output: { words: 1 } })).body).toMatchObject({
        status: 422,
        field: 'output.text',
      })
      expect(
        (await http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', verdict: 'approve', fingerprint: 'f'.repeat(64) })).body,
      ).toMatchObject({ status: 409, code: 'review.changed' })
      expect((await http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', verdict: 'perhaps' })).body).toMatchObject({
        status: 400,
        field: 'verdict',
      })
      expect((await http('POST', `/v1/reviews/${id}:decide`, { verdict: 'approve' })).body).toMatchObject({ status: 400, field: 'by' })
      expect((await http('GET', `/v1/reviews/${id}`)).body).toMatchObject({ status: 'pending' })
    })

    it('A6: a command delivered again opens no second review', async () => {
      const command = commandOf('run_d')
      await Promise.all([ask(command), ask(command), ask(command)])
      await opened(taskIdOf(command.attemptId))
      const { rows } = await rig.db.query<{ count: string }>('select count(*) as count from review_tasks where run_id = $1', ['run_d'])
      expect(rows).toEqual([{ count: '1' }])
    })

    it('E3: the queue is ordered by priority, and a page goes on where the one before ended', async () => {
      const urgent = commandOf('run_e', { nodeId: 'senior', input: { text: 'my card was stolen' } })
      await ask(urgent)
      await opened(taskIdOf(urgent.attemptId))
      const first = await http('GET', '/v1/reviews?limit=1')
      expect(first.body['items']).toMatchObject([{ queue: 'senior', priority: 'emergency', title: 'Look at this' }])
      const rest = await http('GET', `/v1/reviews?limit=10&cursor=${String(first.body['nextCursor'])}`)
      expect((rest.body['items'] as readonly { priority: string }[]).every(({ priority }) => priority !== 'emergency')).toBe(true)
      expect((await http('GET', '/v1/reviews?queue=senior&status=decided')).body['items']).toEqual([])
      expect((await http('GET', '/v1/reviews?cursor=zzz')).status).toBe(400)
      expect((await http('GET', '/v1/reviews/rev_none')).status).toBe(404)
      expect((await http('POST', `/v1/reviews/${taskIdOf(urgent.attemptId)}:burn`, { by: 'ann' })).status).toBe(404)
    })

    it('E5: what nobody decides is raised once, then expires, and the engine is told; a restart changes nothing', async () => {
      const command = commandOf('run_f', { nodeId: 'quick', input: 'anybody there?' })
      await ask(command)
      const id = taskIdOf(command.attemptId)
      await opened(id)
      await rig.stop()
      rig.pass(2_000)
      await rig.start()
      const raised = await eventually(async () => {
        const { body } = await http('GET', `/v1/reviews/${id}`)
        return body['escalated'] === true ? body : undefined
      })
      expect(raised).toMatchObject({ status: 'escalated', priority: 'normal' })
      rig.pass(2_000)
      expect((await told('run_f', 'review.expired')).data).toMatchObject({ attemptId: command.attemptId, taskId: id })
      expect((await http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', verdict: 'approve' })).body).toMatchObject({
        status: 409,
        code: 'review.closed',
      })
    })

    const withdraw = async ({ runId, attemptId, priority }: StepCommand): Promise<void> => {
      const event = encodeEvent({
        name: 'review.withdraw',
        data: { runId, tenant: 'default', attemptId, reason: 'another branch was first' },
        id: `${attemptId}/withdrawal`,
        source: '/test',
        subject: runId,
        tenant: 'default',
      })
      await rig.bus.publish([{ ...event, topic: commandTopic('hitl', priority) }])
    }
    it('V1: what nobody has to decide any more leaves the queue; a repeat, and one that was decided, change nothing', async () => {
      const [asked, decided] = [commandOf('run_w1'), commandOf('run_w2')]
      await ask(asked)
      await ask(decided)
      await opened(taskIdOf(asked.attemptId))
      await opened(taskIdOf(decided.attemptId))
      await http('POST', `/v1/reviews/${taskIdOf(decided.attemptId)}:decide`, { by: 'ann', verdict: 'approve' })
      for (const command of [decided, decided, asked, asked]) await withdraw(command)
      const id = taskIdOf(asked.attemptId)
      await eventually(async () => ((await http('GET', `/v1/reviews/${id}`)).body['status'] === 'cancelled' ? true : undefined))
      expect((await http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', verdict: 'approve' })).body).toMatchObject({
        code: 'review.closed',
      })
      expect((await http('GET', `/v1/reviews/${taskIdOf(decided.attemptId)}`)).body).toMatchObject({ status: 'decided' })
      const { rows } = await rig.db.query('select task_id from review_withdrawals')
      expect(rows).toEqual([])
    })

    it('V2, D3: a withdrawal that comes before its request leaves no open task, however often both come', async () => {
      const command = commandOf('run_w3')
      const id = taskIdOf(command.attemptId)
      await withdraw(command)
      await eventually(async () => (await rig.db.query('select 1 from review_withdrawals where task_id = $1', [id])).rows[0])
      await ask(command)
      await ask(command)
      await withdraw(command)
      const last = commandOf('run_w4')
      await ask(last)
      await opened(taskIdOf(last.attemptId))
      expect((await http('GET', '/v1/reviews?status=open&limit=200')).body['items']).not.toEqual(
        expect.arrayContaining([expect.objectContaining({ runId: 'run_w3' })]),
      )
      await withdraw(last)
    })

    it('A1: what was asked for a run that failed or was called off is withdrawn, and nothing else', async () => {
      const [stopped, other] = [commandOf('run_stopped'), commandOf('run_other')]
      await ask(stopped)
      await ask(other)
      await opened(taskIdOf(stopped.attemptId))
      await opened(taskIdOf(other.attemptId))
      const result = {
        requestId: 'r',
        flow: 'support/help',
        version: '1',
        metrics: { latencyMs: 1, costUsd: 0, steps: 1, escalated: true },
      }
      const source = { source: '/test', tenant: 'default' }
      const data = { ...result, runId: 'run_stopped', status: 'cancelled' } as const
      const done = { ...result, runId: 'run_other', status: 'completed' } as const
      await rig.bus.publish([
        {
          topic: TOPICS.results,
          ...encodeEvent({ ...source, name: 'run.completed', data: done, id: 'run_other/9', subject: 'run_other' }),
        },
        { topic: TOPICS.results, ...encodeEvent({ ...source, name: 'run.cancelled', data, id: 'run_stopped/9', subject: 'run_stopped' }) },
      ])
      const id = taskIdOf(stopped.attemptId)
      await eventually(async () => ((await http('GET', `/v1/reviews/${id}`)).body['status'] === 'cancelled' ? true : undefined))
      expect((await http('POST', `/v1/reviews/${id}:decide`, { by: 'ann', verdict: 'approve' })).body).toMatchObject({
        code: 'review.closed',
      })
      expect((await http('GET', `/v1/reviews/${taskIdOf(other.attemptId)}`)).body['status']).toBe('pending')
    })

    it('O1, O2: what could not be published stays in the outbox and goes out in its order', async () => {
      const published: string[] = []
      let failures = 2
      const failing: Bus = {
        ...rig.bus,
        publish: async (records) => {
          if (failures-- > 0) throw new Fault('bus.unavailable', 'not now')
          published.push(...records.map(({ key }) => key))
          return records.map(() => ({ partition: 0, offset: 0 }))
        },
      }
      await rig.stop()
      await rig.db.query(
        `insert into review_outbox (topic, key, headers, value) select 'baton.journal', 'k' || n, '{}', '{}' from generate_series(1, 450) as n`,
      )
      const relay = outboxRelay({ db: rig.db, bus: failing, logger: rig.platform.telemetry.logger })
      await eventually(async () => (published.length >= 450 ? true : undefined))
      await relay.close()
      expect(published).toEqual(Array.from({ length: 450 }, (_, at) => `k${at + 1}`))
      await rig.start()
    })

    it('the outbox is empty in the end, and the journal has a copy of everything', async () => {
      await eventually(async () => {
        const { rows } = await rig.db.query<{ count: string }>('select count(*) as count from review_outbox')
        return rows[0]?.count === '0' ? true : undefined
      })
      const names = new Set<string>()
      for (let partition = 0; partition < rig.bus.partitions(TOPICS.journal); partition += 1) {
        for (const record of await rig.bus.read({ topic: TOPICS.journal, partition, offset: 0, limit: 1_000 }))
          names.add(decodeEvent(record).name)
      }
      expect([...names].sort()).toEqual([
        'review.changed',
        'review.claimed',
        'review.decided',
        'review.expired',
        'review.requested',
        'review.scored',
      ])
    })
  })
}

describe('on PGlite', () => {
  suite(() => openPglite())
})
describeWithPostgres('PostgreSQL', (postgres) => suite(async () => openPostgres({ url: await postgres.freshDatabase() })))
