// Money by slices (model-ports.ts: G1–G3). The row of a budget is locked by whoever changes it or one of its slices, and always first,
// in the order of the keys.
import { randomUUID } from 'node:crypto'
import type { Database, Queryable } from './database.ts'
import type { BudgetName, BudgetRow, BudgetStore } from './model-ports.ts'

const LEASE_END = (at: string): string => `clock_timestamp() + ${at}::int * interval '1 millisecond'`

const OPEN = `insert into budgets as b (key, start_ms, cap) values ($1, $2, $3)
  on conflict (key, start_ms) do update set cap = excluded.cap`
// Slices that nobody renews count as spent (G2).
const REAP = `with gone as (delete from budget_slices where key = $1 and start_ms = $2 and expires_at <= clock_timestamp() returning amount, spent),
    total as (select coalesce(sum(amount), 0) as amount, coalesce(sum(greatest(amount, spent)), 0) as charged, coalesce(sum(greatest(amount - spent, 0)), 0) as lost from gone)
  update budgets b set settled = b.settled + total.charged, leased = b.leased - total.amount, lost = b.lost + total.lost
  from total where b.key = $1 and b.start_ms = $2 and total.amount > 0`
// The row is locked since OPEN, so what is read here stays true until the end of the transaction (G1).
const GRANT = `with b as (select cap - settled - leased as free from budgets where key = $1 and start_ms = $2),
    g as (select case when free >= $4::bigint then least(free, $3::bigint) else 0 end as amount from b),
    taken as (update budgets set leased = leased + g.amount, wanted_at = case when g.amount = 0 then clock_timestamp() else wanted_at end
      from g where key = $1 and start_ms = $2),
    slice as (insert into budget_slices (slice_id, key, start_ms, holder, amount, expires_at)
      select $5, $1, $2, $6, g.amount, ${LEASE_END('$7')} from g where g.amount > 0)
  select g.amount, settled + leased + g.amount as used,
    (select coalesce(sum(amount - spent), 0) from budget_slices where key = $1 and start_ms = $2) as elsewhere
  from budgets, g where key = $1 and start_ms = $2`

type Granted = { amount: string; used: string; elsewhere: string }

const LOCK = `select 1 from budgets where (key, start_ms) in
    (select key, start_ms from budget_slices where slice_id = any($1::text[]) and holder = $2)
  order by key, start_ms for update`
const GIVEN = `jsonb_to_recordset($1::jsonb) as g("sliceId" text, spent bigint, amount bigint, close boolean)`
const RENEW = `with given as (select * from ${GIVEN}),
    held as (select s.slice_id, s.key, s.start_ms, s.amount as before, g.spent, greatest(least(g.amount, s.amount), g.spent) as amount, g.close
      from budget_slices s join given g on g."sliceId" = s.slice_id where s.holder = $2),
    closed as (delete from budget_slices where slice_id in (select slice_id from held where close)),
    kept as (update budget_slices s set spent = h.spent, amount = h.amount, expires_at = ${LEASE_END('$3')}
      from held h where s.slice_id = h.slice_id and not h.close),
    change as (select key, start_ms, sum(case when close then spent else 0 end) as settled,
      sum(case when close then -before else amount - before end) as leased from held group by key, start_ms),
    moved as (update budgets b set settled = b.settled + c.settled, leased = b.leased + c.leased from change c
      where b.key = c.key and b.start_ms = c.start_ms and (c.settled <> 0 or c.leased <> 0))
  select h.slice_id as "sliceId", coalesce(b.wanted_at > clock_timestamp() - interval '2 seconds', false) as wanted
  from held h join budgets b on b.key = h.key and b.start_ms = h.start_ms where not h.close`

type Listed = { key: string; startMs: string; cap: string; spent: string; reserved: string; lost: string }
const LIST = `select b.key, b.start_ms as "startMs", b.cap, b.lost,
    b.settled + coalesce(s.spent, 0) as spent, b.leased - coalesce(s.spent, 0) as reserved
  from budgets b left join (select key, start_ms, sum(spent) as spent from budget_slices group by key, start_ms) s
    on s.key = b.key and s.start_ms = b.start_ms
  where b.start_ms >= $1 order by b.key, b.start_ms limit $2`

const leaseIn = async (tx: Queryable, { key, startMs, cap, want, min, holder, leaseMs }: Parameters<BudgetStore['lease']>[0]) => {
  const sliceId = randomUUID()
  await tx.query(OPEN, [key, startMs, cap], { name: 'budget-open' })
  await tx.query(REAP, [key, startMs], { name: 'budget-reap' })
  const { rows } = await tx.query<Granted>(GRANT, [key, startMs, want, min, sliceId, holder, leaseMs], { name: 'budget-grant' })
  const amount = Number(rows[0]?.amount ?? 0)
  return {
    slice: amount > 0 ? { sliceId, amount } : undefined,
    used: Number(rows[0]?.used ?? 0),
    elsewhere: Number(rows[0]?.elsewhere ?? 0),
  }
}

const rowOf = ({ key, startMs, cap, spent, reserved, lost }: Listed): BudgetRow => ({
  key,
  startMs: Number(startMs),
  cap: Number(cap),
  spent: Number(spent),
  reserved: Number(reserved),
  lost: Number(lost),
})

/** Slices nobody renews are found when somebody leases, and when somebody looks. */
const reapAll = async (db: Database): Promise<void> => {
  const { rows } = await db.query<{ key: string; startMs: string }>(
    'select distinct key, start_ms as "startMs" from budget_slices where expires_at <= clock_timestamp() order by 1, 2',
  )
  for (const { key, startMs } of rows) {
    const name: BudgetName = { key, startMs: Number(startMs) }
    await db.transaction(async (tx) => {
      await tx.query('select 1 from budgets where key = $1 and start_ms = $2 for update', [name.key, name.startMs])
      await tx.query(REAP, [name.key, name.startMs], { name: 'budget-reap' })
    })
  }
}

/** Budgets over the database. */
export const budgetRepository = (db: Database): BudgetStore => ({
  lease: (options) => db.transaction((tx) => leaseIn(tx, options)),
  renew: ({ holder, leaseMs, slices }) =>
    db.transaction(async (tx) => {
      await tx.query(LOCK, [slices.map(({ sliceId }) => sliceId), holder], { name: 'budget-lock' })
      const { rows } = await tx.query<{ sliceId: string; wanted: boolean }>(RENEW, [JSON.stringify(slices), holder, leaseMs], {
        name: 'budget-renew',
      })
      return rows
    }),
  list: async ({ sinceMs, limit }) => {
    await reapAll(db)
    const { rows } = await db.query<Listed>(LIST, [sinceMs, limit])
    return rows.map(rowOf)
  },
  forgive: async ({ key, startMs }) => {
    const { rows } = await db.query<{ forgiven: string }>(
      `update budgets b set settled = 0, lost = 0
       from (select key, start_ms, settled from budgets where key = $1 and start_ms = $2 for update) was
       where b.key = was.key and b.start_ms = was.start_ms returning was.settled as forgiven`,
      [key, startMs],
    )
    return rows[0] === undefined ? undefined : Number(rows[0].forgiven)
  },
  sweep: async ({ beforeMs, limit }) => {
    const { rowCount } = await db.query(
      `delete from budgets where (key, start_ms) in (select key, start_ms from budgets where start_ms < $1 and leased <= 0 limit $2)`,
      [beforeMs, limit],
    )
    return rowCount
  },
})
