// The reference tools (C13): a database that can only be asked, code that can only compute, sinks that count.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { isJsonObject, type Json } from '@baton/contracts'
import { migrate, openPglite, openPostgres, type Database } from '@baton/store'
import { describeWithPostgres } from '@baton/testing/suite'
import { localSearch } from '../function-source.ts'
import { migrations } from '../migrations/migrations.ts'
import { searchIndexes } from '../retrieval/search-index.repository.ts'
import { checkArguments, runTool } from '../tool-run.ts'
import type { Tool, ToolContext } from '../tool.ts'
import { codeRun } from './code-run.ts'
import { databaseQuery, QUERY_LIMITS, type DatabaseQuery } from './database-query.ts'
import { openFileDatabase } from './file-database.ts'
import { sendMail } from './mail.ts'
import { charge } from './payments.ts'
import { webSearch } from './web-search.ts'

const call = async (tool: Tool, args: Json, context: Partial<ToolContext> = {}): Promise<Json> => {
  const whole = { tenant: 'default', effectKey: 'run_1/a/0', runId: 'run_1', nowMs: () => 5, ...context } as unknown as ToolContext
  return (
    await runTool(tool, {
      args: checkArguments(tool, args),
      timeoutMs: tool.timeoutMs,
      context: whole,
      signal: () => new AbortController().signal,
    })
  ).output
}

const asking = (open: () => Promise<Database>): void => {
  let db: Database
  let tool: Tool
  beforeAll(async () => {
    db = await open()
    await db.query('create table orders (id integer primary key, customer text, total numeric, body text)')
    await db.query(
      `insert into orders select n, 'c' || n % 3, n * 1.5, repeat('x', case when n = 7 then 100000 else 10 end) from generate_series(1, 500) n`,
    )
    tool = databaseQuery(() => Promise.resolve(db), { ...QUERY_LIMITS, timeoutMs: 500, rowsMax: 50 })
  }, 60_000)
  afterAll(() => db.close())

  it('answers with rows as JSON, with parameters', async () => {
    expect(
      await call(tool, { sql: 'select customer, sum(total) as total from orders where id <= $1 group by 1 order by 1; ', params: [6] }),
    ).toEqual({
      rows: [
        { customer: 'c0', total: 13.5 },
        { customer: 'c1', total: 7.5 },
        { customer: 'c2', total: 10.5 },
      ],
      count: 3,
      more: false,
      left: 0,
    })
    expect(await call(tool, { sql: 'select 1 as one -- a comment' })).toMatchObject({ rows: [{ one: 1 }] })
  })

  it('B2: gives as many rows and bytes as it may, and says that there are more', async () => {
    expect(await call(tool, { sql: 'select id from orders' })).toMatchObject({ count: 50, more: true, left: 0 })
    expect(await call(tool, { sql: 'select id from orders', max: 2 })).toMatchObject({ count: 2, more: true })
    expect(await call(tool, { sql: 'select body from orders where id in (6, 7)' })).toMatchObject({ count: 1, more: true, left: 1 })
  })

  it('B1: changes nothing, whatever it is asked', async () => {
    const harmful = [
      'delete from orders',
      'with gone as (delete from orders returning *) select * from gone',
      'select 1; drop table orders',
      'select 1) as q; drop table orders; --',
      'create table x (a int)',
      "select nextval('orders_id_seq')",
      'select * from orders for update',
      "copy orders to '/tmp/x'",
    ]
    for (const sql of harmful) await expect(call(tool, { sql })).rejects.toMatchObject({ fault: { code: 'tool.arguments_invalid' } })
    expect((await db.query<{ count: string }>('select count(*) as count from orders')).rows).toEqual([{ count: '500' }])
  })

  it('a mistake is told to who asked', async () => {
    await expect(call(tool, { sql: 'select nothing from orders' })).rejects.toMatchObject({
      fault: { code: 'tool.arguments_invalid', message: expect.stringContaining('nothing') },
    })
  })
}

describe('database/query on PGlite', () => {
  asking(() => openPglite())
})

describe('database/query on a database from a file', () => {
  const SQL = `-- Who may read what;
create role reader nologin;
create table seen (id integer primary key);
create table hidden (id integer primary key);
insert into seen
  select n from generate_series(1, 10) n;
insert into hidden values (1);
grant select on seen to reader;
`
  let dir: string
  let tool: DatabaseQuery
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'baton-query-'))
    await writeFile(join(dir, 'a.sql'), SQL)
    const open = (): Promise<Database> => openFileDatabase(join(dir, 'a.sql'), { statementTimeoutMs: 1_500 })
    tool = databaseQuery(open, { ...QUERY_LIMITS, timeoutMs: 1_500 }, 'reader')
  })
  afterAll(async () => {
    await tool.close()
    await rm(dir, { recursive: true, force: true })
  })

  it('B3: shows its role what that may see', async () => {
    expect(await call(tool, { sql: 'select count(*) as count from seen' })).toMatchObject({ rows: [{ count: 10 }] })
    await expect(call(tool, { sql: 'select * from hidden' })).rejects.toMatchObject({
      fault: { code: 'tool.arguments_invalid', message: expect.stringContaining('permission denied') },
    })
  }, 60_000)

  it('L1: lets nobody change the role back', async () => {
    const escapes = [
      `select set_config('role', 'postgres', false)`,
      `select set_config('role', 'postgres', false) as a, query_to_xml('select * from hidden', true, true, '') as b`,
      `select query_to_xml('set role postgres', true, true, '')`,
      `select query_to_xml('select * from hidden', true, true, '')`,
    ]
    for (const sql of escapes) await expect(call(tool, { sql })).rejects.toMatchObject({ fault: { code: 'tool.arguments_invalid' } })
  }, 60_000)

  it('B2: ends a query with its time, and answers the next one', async () => {
    const endless = 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b'
    await expect(call(tool, { sql: endless })).rejects.toMatchObject({
      fault: { code: 'tool.arguments_invalid', message: 'sql: the query takes too long' },
    })
    expect(await call({ ...tool, timeoutMs: 30_000 }, { sql: 'select 1 as one' })).toMatchObject({ rows: [{ one: 1 }] })
  }, 60_000)

  it('says which statement of the file cannot be run', async () => {
    await writeFile(join(dir, 'b.sql'), 'create table a (id integer);\nselect nothing;\n')
    const broken = databaseQuery(() => openFileDatabase(join(dir, 'b.sql'), { statementTimeoutMs: 5_000 }))
    await expect(call({ ...broken, timeoutMs: 30_000 }, { sql: 'select 1' })).rejects.toMatchObject({
      fault: { code: 'config.invalid', message: expect.stringContaining('select nothing') },
    })
  }, 60_000)
})
describeWithPostgres('database/query on PostgreSQL', (postgres) => {
  asking(async () => openPostgres({ url: await postgres.freshDatabase() }))
  it('B2: ends with its time', async () => {
    const db = openPostgres({ url: await postgres.freshDatabase() })
    const tool = databaseQuery(() => Promise.resolve(db), { ...QUERY_LIMITS, timeoutMs: 200 })
    await expect(call(tool, { sql: 'select pg_sleep(20)' })).rejects.toMatchObject({ fault: { code: 'tool.arguments_invalid' } })
    await db.close()
  })
})

describe('code/run', () => {
  const run = (code: string, input: Json = null): Promise<Json> =>
    call(codeRun({ timeoutMs: 300, memoryBytesMax: 16_777_216, outputCharsMax: 1_000, logCharsMax: 100 }), { code, input })

  it('computes over its input', async () => {
    expect(await run('console.log("n", input.n); input.n.map((x) => x * 2)', { n: [1, 2] })).toEqual({
      ok: true,
      result: [2, 4],
      error: null,
      logs: ['n [1,2]'],
    })
  })

  it('Y1: has nothing of ours, and no way out', async () => {
    const code =
      '[typeof process, typeof require, typeof fetch, typeof XMLHttpRequest, typeof Worker, typeof setTimeout, typeof globalThis.__input]'
    expect(await run(code)).toMatchObject({ result: Array.from({ length: 7 }, () => 'undefined') })
    expect(await run('import("node:fs").then(() => 1)')).toMatchObject({ result: {} })
    expect(await run('({}).constructor.constructor("return process")()')).toMatchObject({
      ok: false,
      error: expect.stringContaining('process'),
    })
  })

  it('Y2: is ended by time, memory and depth, and says so', async () => {
    expect(await run('for (;;) {}')).toMatchObject({ ok: false, error: 'took longer than 300 ms' })
    expect(await run('const a = []; for (;;) a.push("x".repeat(1000) + a.length)')).toMatchObject({ ok: false })
    expect(await run('const f = () => f() + 1; f()')).toMatchObject({ ok: false })
    expect(await run('"x".repeat(5000)')).toMatchObject({ ok: false, error: 'gave more than 1000 characters' })
    expect(await run('syntax error')).toMatchObject({ ok: false, error: expect.stringContaining('SyntaxError') })
  })
})

describe('sinks and search', () => {
  let db: Database
  beforeAll(async () => {
    db = await openPglite()
    await migrate(db, { scope: 'tools', migrations })
  }, 60_000)
  afterAll(() => db.close())

  it('U4: a payment and a mail are found by the key of their effect', async () => {
    const context = {
      db,
      effectKey: 'run_2/pay/0',
      signal: new AbortController().signal,
      tenant: 'default',
      nowMs: () => 5,
    } as unknown as ToolContext
    expect(await charge.reconcile?.('run_2/pay/0', context)).toBeUndefined()
    const paid = await call(charge, { account: 'a', amount: 12.34, currency: 'EUR' }, context)
    expect(await charge.reconcile?.('run_2/pay/0', context)).toEqual(paid)
    const sent = await call(sendMail, { to: 'a@b.example', subject: 's', text: 't' }, context)
    expect(await sendMail.reconcile?.('run_2/pay/0', context)).toEqual(sent)
  })

  it('web/search looks in an index, and in none finds nothing', async () => {
    const indexes = searchIndexes(db)
    const tool = webSearch(localSearch(indexes, 'web'))
    expect(await call(tool, { query: 'trains' })).toEqual({ count: 0, pages: [] })
    const documents = [{ id: 'https://rail.example/a', title: 'Trains', text: 'Night trains between cities.' }]
    await indexes.add({ tenant: 'default', index: 'web', documents })
    const found = await call(tool, { query: 'night trains' })
    expect(isJsonObject(found) && found['pages']).toMatchObject([{ url: expect.stringContaining('rail.example'), title: 'Trains' }])
    expect(tool).toMatchObject({ outside: true, outbound: true })
  })
})
