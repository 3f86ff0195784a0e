import { createHash, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { StoreUnderTest } from '../contract.ts'
import type { RunRow } from '../ports.ts'

const KEEP_DAYS = 30
/** A partition that no test writes to. */
const NOBODYS = 77

/** Where ended runs go, and what is removed when its time is over. */
export const retentionContract = (get: () => StoreUnderTest): void => {
  let prefix: string
  let tenant: string
  let ownerUuid: string
  const lease = { partition: 0, epoch: 1 }
  beforeEach(async () => {
    prefix = `p-${randomUUID()}`
    tenant = `t-${randomUUID()}`
    ownerUuid = randomUUID()
    const { leases } = get().stores
    await leases.install({ prefix, partitions: 2, topicId: 't', engineVersion: 1 })
    await leases.acquire({ prefix, ownerUuid, wanted: [0], leaseMs: 60_000 })
  })
  const run = (change: Partial<RunRow> = {}): RunRow => ({
    runId: `run_${randomUUID()}`,
    tenant,
    partition: 0,
    status: 'ended',
    wakeAtMs: null,
    seq: 3,
    appliedOffset: 7,
    formatVersion: 1,
    engineVersion: 1,
    body: '{"text":"Grüße"}',
    ...change,
  })
  const write = (...runs: RunRow[]): Promise<void> => get().stores.runs.checkpoint({ ownerUuid, partitions: [{ ...lease, next: 8 }], runs })
  const retire = (runs: readonly RunRow[], change: { ownerUuid?: string; epoch?: number; endedForMs?: number } = {}): Promise<number> =>
    get().stores.runs.retire({
      ownerUuid: change.ownerUuid ?? ownerUuid,
      partitions: [{ partition: 0, epoch: change.epoch ?? 1 }],
      runs,
      endedForMs: change.endedForMs ?? 0,
    })
  const rowsIn = async (table: string, runId: string): Promise<number> =>
    (await get().db.query(`select from ${table} where run_id = $1`, [runId])).rowCount
  /** Where a run lies. */
  const tablesOf = async ({ runId }: RunRow): Promise<readonly string[]> => {
    const [hot, ended] = [await rowsIn('run_states', runId), await rowsIn('ended_runs', runId)]
    return [...(hot > 0 ? ['hot'] : []), ...(ended > 0 ? ['ended'] : [])]
  }
  const load = async ({ runId }: RunRow): Promise<readonly RunRow[]> => get().stores.runs.load([runId])

  describe('ended runs', () => {
    it('leave the hot table, and are loaded as they were', async () => {
      const [one, other] = [run(), run({ body: '{"b":1}' })]
      await write(one, other)
      expect(await retire([one, other])).toBe(2)
      expect([await tablesOf(one), await tablesOf(other)]).toEqual([['ended'], ['ended']])
      const loaded = await get().stores.runs.load([one.runId, other.runId])
      expect(loaded.toSorted((a, b) => a.body.length - b.body.length)).toEqual([other, one])
    })

    it('E1: what is open or was written just now stays', async () => {
      const [running, waiting, ended] = [run({ status: 'running' }), run({ status: 'waiting' }), run()]
      await write(running, waiting, ended)
      expect(await retire([running, waiting])).toBe(0)
      expect(await retire([ended], { endedForMs: 60_000 })).toBe(0)
      expect(await tablesOf(ended)).toEqual(['hot'])
    })

    it.each([
      ['another owner', { ownerUuid: 'somebody' }],
      ['an owner of an older epoch', { epoch: 0 }],
    ])('L4: %s moves nothing', async (_, change) => {
      const ended = run()
      await write(ended)
      expect(await retire([ended], change)).toBe(0)
      expect(await tablesOf(ended)).toEqual(['hot'])
    })

    it('L4: runs on a partition of somebody else stay', async () => {
      const other = randomUUID()
      await get().stores.leases.acquire({ prefix, ownerUuid: other, wanted: [1], leaseMs: 60_000 })
      const theirs = run({ partition: 1 })
      await get().stores.runs.checkpoint({ ownerUuid: other, partitions: [{ partition: 1, epoch: 1, next: 3 }], runs: [theirs] })
      expect(await retire([theirs])).toBe(0)
      expect(await tablesOf(theirs)).toEqual(['hot'])
    })

    it('E1, E2: a checkpoint after the move brings the run back, and it may be moved again', async () => {
      const ended = run()
      const late = { ...ended, seq: 4, appliedOffset: 30, body: '{"late":true}' }
      await write(ended)
      await retire([ended])
      await write(late)
      expect(await tablesOf(ended)).toEqual(['hot', 'ended'])
      expect(await load(ended)).toEqual([late])
      await retire([ended])
      expect(await tablesOf(ended)).toEqual(['ended'])
      expect(await load(ended)).toEqual([late])
    })

    it('of a run that was moved on two days the newest row counts', async () => {
      const ended = run({ seq: 5 })
      await write(ended)
      await retire([ended])
      await get().db.query(`update ended_runs set moved_on = moved_on - 3, seq = 4, body = 'old' where run_id = $1`, [ended.runId])
      await write(ended)
      await retire([ended])
      expect(await rowsIn('ended_runs', ended.runId)).toBe(2)
      expect(await load(ended)).toEqual([ended])
    })

    it('E1: moves and checkpoints of the same runs, at once and in any order, lose no change', async () => {
      const runs = Array.from({ length: 30 }, () => run())
      let written = runs
      await write(...runs)
      for (let round = 1; round <= 12; round += 1) {
        written = written.map((row, n) => ((n + round) % 3 === 0 ? { ...row, seq: row.seq + 1, body: `{"round":${round}}` } : row))
        const changed = written.filter((_, n) => (n + round) % 3 === 0)
        const ways = [
          () => retire(runs),
          () => write(...changed.toReversed()),
          () => retire(runs.toReversed()),
          async () => expect(await get().stores.runs.load(runs.map(({ runId }) => runId))).toHaveLength(30), // never nowhere, never twice
        ]
        await Promise.all((round % 2 === 0 ? ways : ways.toReversed()).map((way) => way()))
        const loaded = new Map((await get().stores.runs.load(runs.map(({ runId }) => runId))).map((row) => [row.runId, row]))
        expect(written.map(({ runId }) => loaded.get(runId))).toEqual(written)
      }
      await retire(runs)
      expect(await get().stores.runs.load(runs.map(({ runId }) => runId))).toHaveLength(30)
    })

    it('L7: a taker finds what the owner before it left in the hot table', async () => {
      const [ended, open] = [run(), run({ status: 'waiting' })]
      await write(ended, open)
      const found = await get().stores.runs.ended({ partitions: [0], limit: 100_000 })
      expect(found.filter((row) => row.tenant === tenant)).toEqual([{ runId: ended.runId, tenant, partition: 0 }])
      expect(await get().stores.runs.ended({ partitions: [NOBODYS], limit: 1 })).toEqual([])
    })
  })

  describe('retention', () => {
    const age = (table: string, columns: readonly string[], days: number): Promise<unknown> =>
      get().db.query(
        `update ${table} set ${columns.map((column) => `${column} = ${column} - $1::int * interval '1 day'`).join(', ')} where tenant = $2`,
        [days, tenant],
      )
    const sweep = async (
      table: 'starts' | 'answers' | 'effects' | 'payloads' | 'ended_runs_default',
      keepDays = KEEP_DAYS,
    ): Promise<void> => {
      while ((await get().stores.retention.sweep({ table, keepDays, limit: 2 })) > 0);
    }
    const mark = async (): Promise<void> => {
      let after: string | null = null
      do after = await get().stores.retention.markPayloads({ after, limit: 300 })
      while (after !== null)
    }
    const left = async (table: string): Promise<number> =>
      (await get().db.query(`select from ${table} where tenant = $1`, [tenant])).rowCount

    it('one process at a time does a piece of work, and nobody again before its time', async () => {
      const { retention } = get().stores
      const name = `work-${randomUUID()}`
      const claim = (owner: string, everyMs: number): Promise<boolean> =>
        retention.claim({ name, ownerUuid: owner, leaseMs: 60_000, everyMs })
      const owners = Array.from({ length: 8 }, (_, n) => `${ownerUuid}-${n}`)
      const taken = await Promise.all(owners.map((owner) => claim(owner, 0)))
      expect(taken.filter((mine) => mine)).toHaveLength(1)
      const winner = owners[taken.indexOf(true)] ?? ''
      expect(await claim(winner, 60_000)).toBe(true)
      await retention.finish({ name, ownerUuid: 'somebody' })
      expect(await claim('somebody', 0)).toBe(false)
      await retention.finish({ name, ownerUuid: winner })
      expect(await claim('somebody', 60_000)).toBe(false)
      expect(await claim('somebody', 0)).toBe(true)
    })

    it('a process that died with the work leaves it to others when its lease runs out', async () => {
      const { retention } = get().stores
      const name = `work-${randomUUID()}`
      expect(await retention.claim({ name, ownerUuid: 'dead', leaseMs: 0, everyMs: 0 })).toBe(true)
      expect(await retention.claim({ name, ownerUuid: 'alive', leaseMs: 60_000, everyMs: 0 })).toBe(true)
    })

    it('K1: days are made ahead, by many at once, and dropped whole when they are over', async () => {
      const { retention } = get().stores
      await Promise.all([retention.prepare(), retention.prepare(), retention.prepare()])
      expect(await retention.prepare()).toEqual([])
      const ended = run()
      await write(ended)
      await retire([ended])
      const { rows } = await get().db.query<{ place: string }>(
        `select tableoid::regclass::text as place from ended_runs where run_id = $1`,
        [ended.runId],
      )
      expect(rows[0]?.place).toMatch(/^ended_runs_(\d{8}|default)$/)
      await get().db.query(
        `create table if not exists ended_runs_20010101 partition of ended_runs for values from ('2001-01-01') to ('2001-01-02')`,
      )
      expect(await retention.dropEndedRuns({ keepDays: KEEP_DAYS })).toEqual(['ended_runs_20010101'])
      expect(await retention.dropEndedRuns({ keepDays: KEEP_DAYS })).toEqual([])
      expect(await load(ended)).toEqual([ended])
    })

    it('K1: what found no partition of its day goes in batches', async () => {
      const [old, young] = [run(), run()]
      await write(old, young)
      await retire([old, young])
      await get().db.query(`update ended_runs set moved_on = date '2002-02-02' where run_id = $1`, [old.runId])
      await sweep('ended_runs_default')
      expect([await tablesOf(old), await tablesOf(young)]).toEqual([[], ['ended']])
    })

    it('K2, L6: a request is forgotten when its time is over and its run is gone, not before', async () => {
      const [open, ended, gone] = [run({ status: 'waiting' }), run(), run()]
      const { starts } = get().stores
      const begin = (row: RunRow) => ({ tenant, source: 's', requestId: row.runId, runId: row.runId, bodyHash: 'h' })
      await starts.begin([open, ended, gone].map(begin))
      await write(open, ended)
      await retire([ended])
      await sweep('starts')
      expect(await left('starts')).toBe(3)
      await age('starts', ['begun_at'], KEEP_DAYS + 1)
      await sweep('starts')
      expect(await starts.begin([open, ended, gone].map(begin))).toEqual(['repeat', 'repeat', 'new'])
    })

    it('answers go by their age', async () => {
      const { answers } = get().stores
      await answers.save({ tenant, attemptId: `${tenant}/old/1`, body: 1 })
      await age('answers', ['saved_at'], KEEP_DAYS + 1)
      await answers.save({ tenant, attemptId: `${tenant}/new/1`, body: 2 })
      await sweep('answers')
      expect([await answers.find(`${tenant}/old/1`), await answers.find(`${tenant}/new/1`)]).toEqual([undefined, 2])
    })

    it('K4: an effect stays while its root run is kept or somebody asked for it', async () => {
      const { effects } = get().stores
      const [open, ended, gone, asked] = [run({ status: 'waiting' }), run(), run(), run()]
      await write(open, ended)
      await retire([ended])
      const effect = ({ runId }: RunRow) => ({ tenant, key: `${runId}/pay/1`, tool: 'pay', argsHash: 'h' })
      for (const row of [open, ended, gone, asked]) await effects.begin(effect(row))
      await age('effects', ['begun_at', 'touched_at'], KEEP_DAYS + 1)
      expect(await effects.begin(effect(asked))).toEqual({ state: 'open' })
      await sweep('effects')
      const states = []
      for (const row of [open, ended, asked, gone]) states.push((await effects.begin(effect(row))).state)
      expect(states).toEqual(['open', 'open', 'open', 'new'])
    })

    it('K3: a payload stays while a run in the hot table refers to it, or it was stored again, or its run ended of late', async () => {
      const { payloads, retention } = get().stores
      const names = ['open', 'ending', 'ended', 'again', 'gone'] as const
      const content = (name: string): Buffer => Buffer.from(`${tenant} ${name}`)
      const hash = (name: string): string => createHash('sha256').update(content(name)).digest('hex')
      for (const name of names) await payloads.put({ tenant, content: content(name), mediaType: 'text/plain' })
      await age('payloads', ['stored_at', 'touched_at'], KEEP_DAYS + 1)
      expect(await retention.oldPayloads({ keepDays: KEEP_DAYS })).toBe(true)
      const body = (name: string): string => JSON.stringify({ output: { ref: { sha256: hash(name), sizeBytes: 9 } } })
      const ended = run({ body: body('ended') })
      await write(run({ status: 'waiting', body: body('open') }), run({ body: body('ending') }), ended)
      await retire([ended])
      await payloads.put({ tenant, content: content('again'), mediaType: 'text/plain' })
      await mark()
      await sweep('payloads')
      const { rows } = await get().db.query<{ sha256: string }>('select sha256 from payloads where tenant = $1', [tenant])
      expect(rows.map(({ sha256 }) => names.find((name) => hash(name) === sha256) ?? '').toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
        'again',
        'ended',
        'ending',
        'open',
      ])
    })

    it('K3: a reference of another tenant keeps nothing', async () => {
      const content = Buffer.from(tenant)
      const { sha256 } = await get().stores.payloads.put({ tenant, content, mediaType: 'text/plain' })
      await age('payloads', ['stored_at', 'touched_at'], KEEP_DAYS + 1)
      await write(run({ tenant: `${tenant}2`, status: 'waiting', body: JSON.stringify({ sha256 }) }))
      await mark()
      await sweep('payloads')
      expect(await left('payloads')).toBe(0)
    })
  })
}
