// S9: one entry for a workspace assistant. What is asked decides on prompt, model and tool; the database is asked by the reference tool, as
// a role that may only read, on PGlite, and on PostgreSQL where there is one. What must be in the database is computed here anew.
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { postgresAvailable, startPostgres } from '@baton/testing/servers'
import { openPlace, row } from './_place.mjs'

export const title = 'S9: a workspace assistant over a database it may only read'
export const not =
  'how well a real model says what is meant, and how well it writes SQL: the models are functions here, good ones and bad ones.'

const drawn = (what, n, below) => parseInt(createHash('md5').update(`20261122:${what}:${n}`).digest('hex').slice(0, 7), 16) % below
const PLANS = ['free', 'team', 'business']
const planned = Array.from({ length: 240 }, (_, at) => PLANS[drawn('plan', at + 1, 3)])
const perPlan = PLANS.map((plan) => ({ plan, count: planned.filter((one) => one === plan).length })).toSorted((a, b) =>
  a.plan < b.plan ? -1 : 1,
)

const PAGE = 'The harbour ferry runs every ten minutes since May.'
/** What the model that writes SQL answers to what is asked. */
const SQL = {
  'customers on each plan': 'select plan, count(*) as count from customers group by plan order by plan',
  'every invoice': 'select id, cents from invoices order by id',
  'salaries of everybody': 'select name, salary from staff',
  'salaries by a trick': `select set_config('role', 'postgres', false) as a, query_to_xml('select * from staff', true, true, '')::text as b`,
  'all customers gone': 'with gone as (delete from customers returning *) select * from gone',
  'two statements': 'select 1 as one; drop table invoices',
  'an endless one': 'select count(*) as count from generate_series(1, 100000) a, generate_series(1, 100000) b',
}
const INTENTS = [
  ['Summarise', 'summarise'],
  ['Write', 'write'],
  ['Ask the database', 'query'],
]

const fast = (asked) => {
  if (asked.includes('task is summarise')) {
    const found = INTENTS.find(([word]) => asked.startsWith(word))
    return { answer: found === undefined ? { task: 'write', confidence: 0.3 } : { task: found[1], confidence: 0.9 } }
  }
  const rows = /Rows:\s+([\s\S]*?)\n\ntext answers/.exec(asked)?.[1]
  if (rows === undefined) return { answer: { text: `summary of ${asked.includes(PAGE) ? 'the page' : 'nothing'}` } }
  return { answer: { text: `[${rows.replaceAll(/^- /gm, '').replaceAll('\n', ',')}]` } }
}
const SERVE = {
  fast,
  frontier: (asked) => ({ answer: { text: `letter, ${asked.includes(PAGE) ? 'with the page in view' : 'without the page'}` } }),
  reasoning: (asked) => ({ answer: { sql: SQL[Object.keys(SQL).find((words) => asked.includes(words))] } }),
}

const askedOf = async (place, work) => {
  const before = Object.keys(SERVE).map((route) => place.requests(route).length)
  const result = await work()
  return { result, asked: Object.fromEntries(Object.keys(SERVE).map((route, at) => [route, place.requests(route).length - before[at]])) }
}

const entries = async (place) => {
  const of = async (what, text, { must, asked }) => {
    const seen = await askedOf(place, () => place.lab.run('workspace/ask', { text, page: PAGE }))
    const { output, fault } = seen.result
    return row(what, { output: must, asked }, { output: output ?? fault?.code, asked: seen.asked })
  }
  return [
    await of('"Summarise this": the page goes to the fast model', 'Summarise this', {
      must: { text: 'summary of the page', task: 'summarise', by: 'model:fast-1' },
      asked: { fast: 2, frontier: 0, reasoning: 0 },
    }),
    await of('"Write a letter": the large model', 'Write a letter about it', {
      must: { text: 'letter, with the page in view', task: 'write', by: 'model:frontier-1' },
      asked: { fast: 1, frontier: 1, reasoning: 0 },
    }),
    await of('"Do the thing": not sure, so it asks back', 'Do the thing', {
      must: { text: 'Shall I summarise this page, write something, or look it up in the database?', task: 'unclear', by: 'set' },
      asked: { fast: 1, frontier: 0, reasoning: 0 },
    }),
    await of('"Ask the database": SQL by the reasoning model, rows, words', 'Ask the database for the customers on each plan', {
      must: { text: JSON.stringify(perPlan), task: 'query', by: 'model:fast-1' },
      asked: { fast: 2, frontier: 0, reasoning: 1 },
    }),
  ]
}

const query = (lab, words) => lab.run('workspace/ask', { text: `Ask the database for ${words}` })
const faultOf = ({ fault, output }) => (fault === undefined ? JSON.stringify(output) : `${fault.code}: ${fault.message}`)

const limits = async ({ lab }, { where, role }) => {
  const rows = []
  const many = await query(lab, 'every invoice')
  rows.push(
    row(`${where}: 100 rows at most (params.rows)`, 100, many.output === undefined ? faultOf(many) : JSON.parse(many.output.text).length),
  )
  const refused = async (what, words, pattern) => {
    const seen = faultOf(await query(lab, words))
    rows.push(row(`${where}: ${what}`, (text) => pattern.test(text), seen, `refused, ${String(pattern)}`))
  }
  await refused('a table that the role may not read', 'salaries of everybody', /permission denied/)
  if (role) await refused('the same by changing the role back', 'salaries by a trick', /permission denied/)
  await refused('a statement that deletes', 'all customers gone', /tool\.arguments_invalid/)
  await refused('two statements', 'two statements', /tool\.arguments_invalid/)
  await refused('a query that takes too long', 'an endless one', /takes too long/)
  const after = await query(lab, 'customers on each plan')
  rows.push(row(`${where}: afterwards everything is as it was`, JSON.stringify(perPlan), after.output?.text ?? faultOf(after)))
  return rows
}

const onPostgres = async (kit) => {
  const found = postgresAvailable()
  if (!found.ok) {
    kit.say(`PostgreSQL: left out, ${found.reason}`)
    return []
  }
  const dir = mkdtempSync(join(tmpdir(), 'baton-s09-'))
  chmodSync(dir, 0o755) // PostgreSQL may run as another user
  kit.onClose(() => rmSync(dir, { recursive: true, force: true }))
  const postgres = await startPostgres({ dir: join(dir, 'postgres') })
  kit.onClose(() => postgres.stop())
  const client = new pg.Client(postgres.url)
  await client.connect()
  await client.query(readFileSync(join(kit.root, 'flows', 's09-workspace', 'database', 'workspace.sql'), 'utf8'))
  await client.query(`create role asking login password 'asking' in role workspace_reader`)
  await client.end()
  const url = new URL(postgres.url)
  Object.assign(url, { username: 'asking', password: 'asking' })
  const place = await openPlace(kit, {
    flows: ['flows/s09-workspace'],
    serve: SERVE,
    config: { 'tools.yaml': JSON.stringify({ functions: { database: { url: { env: 'WORKSPACE_URL' }, timeout: '2s' } } }) },
    env: { WORKSPACE_URL: url.toString() },
  })
  return limits(place, { where: 'PostgreSQL', role: false })
}

export const run = async (kit) => {
  const file = { file: 's09-workspace/database/workspace.sql', role: 'workspace_reader', timeout: '2s' }
  const place = await openPlace(kit, {
    flows: ['flows/s09-workspace'],
    serve: SERVE,
    config: { 'tools.yaml': JSON.stringify({ functions: { database: file } }) },
  })
  const rows = [...(await entries(place)), ...(await limits(place, { where: 'PGlite', role: true }))]
  return kit.quick ? rows : [...rows, ...(await onPostgres(kit))]
}
