import { setTimeout } from 'node:timers/promises'
import { beforeAll, expect, it } from '@jest/globals'
import { describeWithPostgres } from '@baton/testing/suite'
import { storeContract } from './contract.ts'
import type { Database } from './database.ts'
import { openStore } from './open-store.ts'
import { openPostgres } from './postgres.adapter.ts'
import type { Stores } from './ports.ts'

describeWithPostgres('PostgreSQL', (postgres) => {
  storeContract({ name: 'PostgreSQL', open: async () => openPostgres({ url: await postgres.freshDatabase() }) })

  /** A second process as far as the server can tell: a pool and connections of its own. */
  const processOf = async (url: string): Promise<{ db: Database; stores: Stores }> => {
    const db = openPostgres({ url, poolMax: 2 })
    return { db, stores: await openStore(db) }
  }
  const lease = { prefix: '', wanted: [0, 1], leaseMs: 60_000 }
  let url: string
  beforeAll(async () => {
    url = await postgres.freshDatabase()
  })

  it('M1: several processes may open a fresh database together', async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => processOf(url)))
    expect(await opened[3]?.stores.flows.list('default')).toEqual([])
    await Promise.all(opened.map(({ db }) => db.close()))
  })

  it('L4, O2: the death of a process frees its partitions at once, long before its lease ends', async () => {
    const [dying, standby] = await Promise.all([processOf(url), processOf(url)])
    await dying.stores.leases.install({ prefix: '', partitions: 2, topicId: 't', engineVersion: 1 })
    expect(await dying.stores.leases.acquire({ ...lease, ownerUuid: 'dying' })).toHaveLength(2)
    expect(await standby.stores.leases.acquire({ ...lease, ownerUuid: 'standby' })).toEqual([])
    await dying.db.close() // Cuts the connections without giving anything back, as the death of the process does.
    await setTimeout(100)
    expect(await standby.stores.leases.acquire({ ...lease, ownerUuid: 'standby' })).toMatchObject([{ epoch: 2 }, { epoch: 2 }])
    await standby.stores.leases.release({ prefix: '', ownerUuid: 'standby' })
    await standby.db.close()
  })

  it('L4: a process that is stopped but connected loses its partitions when the lease ends, and notices', async () => {
    const [stopped, standby] = await Promise.all([processOf(url), processOf(url)])
    await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped', leaseMs: 50 })
    await setTimeout(80)
    const [taken] = await standby.stores.leases.acquire({ ...lease, ownerUuid: 'standby' })
    expect(taken?.partition).toBe(0)
    expect(await stopped.stores.leases.renew({ prefix: '', ownerUuid: 'stopped', leaseMs: 60_000 })).toEqual([])
    // Its lock is free again, so the new owner holds row and lock after its next renewal.
    expect(await standby.stores.leases.renew({ prefix: '', ownerUuid: 'standby', leaseMs: 60_000 })).toEqual([0, 1])
    expect(await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped' })).toEqual([])
    await Promise.all([stopped.db.close(), standby.db.close()])
  })

  it('L4, O2: a process that was stopped does not take back what a living one has taken over', async () => {
    const [stopped, standby] = await Promise.all([processOf(url), processOf(url)])
    await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped', leaseMs: 1 })
    await setTimeout(20)
    expect(await standby.stores.leases.acquire({ ...lease, ownerUuid: 'standby' })).toHaveLength(2)
    // The standby has the rows and, for a moment, not yet the locks.
    expect(await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped' })).toEqual([])
    expect(await stopped.stores.leases.renew({ prefix: '', ownerUuid: 'stopped', leaseMs: 60_000 })).toEqual([])
    expect(await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped' })).toEqual([])
    // Once it has them, its death is known by them.
    for (let n = 0; n < 2; n += 1) await standby.stores.leases.renew({ prefix: '', ownerUuid: 'standby', leaseMs: 60_000 })
    expect(await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped' })).toEqual([])
    await standby.db.close()
    await setTimeout(100)
    expect(await stopped.stores.leases.acquire({ ...lease, ownerUuid: 'stopped' })).toHaveLength(2)
    await stopped.stores.leases.release({ prefix: '', ownerUuid: 'stopped' })
    await stopped.db.close()
  })

  it('D2, K2: calls reject while connections are cut, and work again afterwards', async () => {
    const { db, stores } = await processOf(url)
    await setTimeout(50)
    await stores.leases.acquire({ ...lease, ownerUuid: 'cut' })
    const slow = db.query('select pg_sleep(10)')
    await setTimeout(100)
    const admin = openPostgres({ url })
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await expect(slow).rejects.toMatchObject({ code: 'store.unavailable' })
    await setTimeout(50)
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(await stores.leases.renew({ prefix: '', ownerUuid: 'cut', leaseMs: 60_000 })).toEqual([0, 1])
    await Promise.all([db.close(), admin.close()])
  })

  it('keeps installations apart by schema', async () => {
    const [left, right] = await Promise.all(
      ['left', 'right'].map(async (schema) => {
        const db = openPostgres({ url, schema, poolMax: 2 })
        return { db, stores: await openStore(db) }
      }),
    )
    await left?.stores.answers.save({ tenant: 'default', attemptId: 'x/y/1', body: 1 })
    expect(await right?.stores.answers.find('x/y/1')).toBeUndefined()
    await Promise.all([left?.db.close(), right?.db.close()])
  })
})
