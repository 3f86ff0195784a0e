import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { Fault } from '@baton/contracts/fault'
import type { StoreUnderTest } from '../contract.ts'
import { migrate } from '../migrate.ts'

/** The port itself: types, transactions, migrations. */
export const databaseContract = (get: () => StoreUnderTest): void => {
  describe('database', () => {
    it('gives text for bigint and numeric, and the same JSON types on both databases', async () => {
      const { rows } = await get().db.query(
        `select 9007199254740993::bigint as big, 1.10::numeric as exact, 7::int as small, true as yes, null as nothing, $1::jsonb as json, $2::text[] as list, $3::int[] as numbers`,
        ['{"a":[1]}', ['x,"y"', null], [1, 2]],
      )
      expect(rows).toEqual([
        {
          big: '9007199254740993',
          exact: '1.10',
          small: 7,
          yes: true,
          nothing: null,
          json: { a: [1] },
          list: ['x,"y"', null],
          numbers: [1, 2],
        },
      ])
    })

    it('counts the rows a statement changed', async () => {
      const { db } = get()
      const changed = await db.transaction(async (tx) => {
        await tx.query('create temporary table counted (n int) on commit drop')
        const inserted = await tx.query('insert into counted select generate_series(1, 5)')
        const updated = await tx.query('update counted set n = n + 1 where n > 3 returning n')
        return [inserted.rowCount, updated.rowCount]
      })
      expect(changed).toEqual([5, 2])
    })

    it('D1: a transaction that throws leaves nothing behind', async () => {
      const { db, stores } = get()
      const key = randomUUID()
      const failed = db.transaction(async (tx) => {
        await tx.query('insert into effects (tenant, key, tool, args_hash) values ($1, $2, $3, $4)', ['default', key, 'tool', 'hash'])
        throw new Error('stop')
      })
      await expect(failed).rejects.toThrow('stop')
      expect(await stores.effects.begin({ tenant: 'default', key, tool: 'tool', argsHash: 'hash' })).toEqual({ state: 'new' })
    })

    it('D1: a transaction whose statement fails is rolled back, and the next one works', async () => {
      const { db } = get()
      await expect(db.transaction((tx) => tx.query('select no_such_column'))).rejects.toThrow('no_such_column')
      expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    })

    it('P2: keeps transactions apart that run together', async () => {
      const { db } = get()
      const results = await Promise.all(
        [1, 2, 3, 4].map((n) => db.transaction(async (tx) => (await tx.query<{ n: number }>('select $1::int as n', [n])).rows[0]?.n)),
      )
      expect(results).toEqual([1, 2, 3, 4])
    })

    it('a wrong statement is an error, not a fault: it is a bug', async () => {
      const error: unknown = await get()
        .db.query('select * from no_such_table')
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(Error)
      expect(error).not.toBeInstanceOf(Fault)
    })
  })

  describe('migrations', () => {
    const scope = `scope-${randomUUID().slice(0, 8)}`
    const table = scope.replace('-', '_')
    const first = { name: '001', statements: [`create table ${table} (a int)`] }
    const second = { name: '002', statements: [`alter table ${table} add column b int default 2`] }

    it('M1: run once each, also when several processes begin together', async () => {
      const { db } = get()
      const applied = await Promise.all([1, 2, 3].map(() => migrate(db, { scope, migrations: [first] })))
      expect(applied.flat()).toEqual(['001'])
    })

    it('M2: apply only what is missing', async () => {
      expect(await migrate(get().db, { scope, migrations: [first, second] })).toEqual(['002'])
    })

    it('M1: one that fails takes back all of its batch', async () => {
      const { db } = get()
      const third = { name: '003', statements: [`alter table ${table} add column c int`, 'select no_such_function()'] }
      await expect(migrate(db, { scope, migrations: [first, second, third] })).rejects.toThrow('no_such_function')
      expect((await db.query(`select column_name from information_schema.columns where table_name = $1 order by 1`, [table])).rows).toEqual(
        [{ column_name: 'a' }, { column_name: 'b' }],
      )
    })
  })
}
