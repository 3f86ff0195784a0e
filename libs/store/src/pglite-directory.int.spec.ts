import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { openPglite } from './pglite.adapter.ts'
import { tidy } from './pglite-upkeep.ts'
import { openStore } from './open-store.ts'

jest.setTimeout(60_000) // Opening a directory takes a second of processor time.

describe('PGlite in a directory', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'baton-pglite-'))
  })
  afterAll(() => rm(root, { recursive: true, force: true }))
  const owner = { prefix: '', wanted: [0, 1], leaseMs: 60_000 }

  it('O2: keeps its data, and a restart takes its partitions over at once', async () => {
    const dir = join(root, 'kept')
    const before = await openPglite({ dir })
    const { leases, answers } = await openStore(before)
    await leases.install({ prefix: '', partitions: 2, topicId: 't', engineVersion: 1 })
    await leases.acquire({ ...owner, ownerUuid: 'before' })
    await answers.save({ tenant: 'default', attemptId: 'a/b/1', body: 'kept' })
    await before.close()
    const after = await openPglite({ dir })
    const stores = await openStore(after)
    expect(await stores.answers.find('a/b/1')).toBe('kept')
    expect(await stores.leases.acquire({ ...owner, ownerUuid: 'after' })).toMatchObject([{ epoch: 2 }, { epoch: 2 }])
    await after.close()
    await expect(after.query('select 1')).rejects.toMatchObject({ code: 'store.unavailable' })
  })

  it('P1: a statement that computes does not hold up the process', async () => {
    const db = await openPglite({ dir: join(root, 'kept') })
    let turns = 0
    const timer = setInterval(() => (turns += 1), 1)
    await db.query('select count(*) from generate_series(1, 2000000)')
    clearInterval(timer)
    expect(turns).toBeGreaterThan(5)
    await db.close()
  })

  it('U1: dead rows are taken away and new ones counted, once each', async () => {
    const db = await openPglite({ dir: join(root, 'kept') })
    await db.query('create table busy as select n, n as m from generate_series(1, 3000) as n')
    await db.query('update busy set m = 0')
    await new Promise((resolve) => setTimeout(resolve, 1_100)) // Statistics are at most a second late.
    await db.query('select count(*) from busy')
    expect(await tidy(db)).toEqual(['public.busy'])
    expect(await tidy(db)).toEqual([])
    await db.close()
  })

  it('P3: a thread that is stuck is ended; what waited rejects, and the next call opens the directory again', async () => {
    const db = await openPglite({ dir: join(root, 'kept'), statementTimeoutMs: 400 })
    const stuck = db.query('select count(*) from generate_series(1, 2000000000)')
    const behind = db.query('select 1')
    await expect(stuck).rejects.toMatchObject({ code: 'store.unavailable' })
    await expect(behind).rejects.toMatchObject({ code: 'store.unavailable' })
    expect((await db.query(`select body from answers where attempt_id = 'a/b/1'`)).rows).toHaveLength(1)
    await db.close()
  })

  it('a damaged directory is a clear fault', async () => {
    const dir = join(root, 'damaged')
    await (await openPglite({ dir })).close()
    await truncate(join(dir, 'global', 'pg_control'), 100)
    await expect(openPglite({ dir })).rejects.toMatchObject({ code: 'store.damaged' })
  })

  it('T1, T2: a directory that holds something else is refused and left alone', async () => {
    await writeFile(join(root, 'notes.txt'), 'mine')
    await expect(openPglite({ dir: root })).rejects.toMatchObject({ code: 'store.damaged' })
  })
})
