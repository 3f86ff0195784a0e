// Customers, tickets, call-backs and refunds in one SQLite file (or in memory). Each effect is there once for its key.
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const SCHEMA = `
  create table if not exists customers (id text primary key, name text not null, plan text not null, email text not null);
  create table if not exists tickets (id text primary key, effect_key text not null unique, customer text, subject text not null, body text not null,
    queue text not null, priority text not null, status text not null default 'open', created_at_ms integer not null);
  create table if not exists call_backs (id text primary key, effect_key text not null unique, customer text not null, text text not null, reply text);
  create table if not exists refunds (id text primary key, effect_key text not null unique, customer text not null, amount real not null, reason text not null);
  create table if not exists keys (name text primary key, value text not null);
`
const CUSTOMERS = [
  ['c-1', 'Ada Winter', 'gold', 'ada@customers.example'],
  ['c-2', 'Ben Okoro', 'basic', 'ben@customers.example'],
  ['c-3', 'Chiara Neri', 'plus', 'chiara@customers.example'],
]
const subjectOf = (text) => text.replaceAll(/\s+/g, ' ').trim().slice(0, 120)
/** Derived from the key of the effect, so that what is made again is the same. */
const idOf = (prefix, key) => `${prefix}-${createHash('sha256').update(key).digest('hex').slice(0, 10).toUpperCase()}`

export const openStore = (file) => {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma busy_timeout = 5000;')
  db.exec(SCHEMA)
  const known = db.prepare('insert into customers values (?, ?, ?, ?) on conflict do nothing')
  for (const customer of CUSTOMERS) known.run(...customer)
  db.prepare('insert into keys values (?, ?) on conflict do nothing').run('state', randomBytes(32).toString('hex'))
  const openTickets = db.prepare(`select id from tickets where customer = ? and status = 'open' order by created_at_ms`)
  return {
    /** For the seal on what clients keep for this server: the same for every process on this file. */
    key: db.prepare('select value from keys where name = ?').get('state').value,
    customer: (id) => {
      const found = db.prepare('select name, plan from customers where id = ?').get(id)
      return found === undefined ? undefined : { ...found, openTickets: openTickets.all(id).map((ticket) => ticket.id) }
    },
    customers: () => db.prepare('select id, name, plan from customers order by id').all(),
    createTicket: (key, { text, subject, customer, queue = 'support', priority = 'normal' }) => {
      const id = idOf('T', key)
      db.prepare(
        `insert into tickets (id, effect_key, customer, subject, body, queue, priority, created_at_ms) values (?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (effect_key) do nothing`,
      ).run(id, key, customer ?? null, subject ?? subjectOf(text), text, queue, priority, Date.now())
      return db.prepare('select id as ticket, subject, queue, priority, status from tickets where id = ?').get(id)
    },
    findTickets: ({ customer, status, limit = 10 }) =>
      db
        .prepare(
          `select id as ticket, subject, queue, priority, status from tickets
           where (?1 is null or customer = ?1) and (?2 is null or status = ?2) order by created_at_ms desc, id limit ?3`,
        )
        .all(customer ?? null, status ?? null, limit),
    callBack: (key, { customer, text, reply }) => {
      const id = idOf('CB', key)
      db.prepare('insert into call_backs values (?, ?, ?, ?, ?) on conflict (effect_key) do nothing').run(
        id,
        key,
        customer,
        text,
        reply ?? null,
      )
      return { callBack: id }
    },
    refund: (key, { customer, amount, reason }) => {
      const id = idOf('R', key)
      db.prepare('insert into refunds values (?, ?, ?, ?, ?) on conflict (effect_key) do nothing').run(id, key, customer, amount, reason)
      return db.prepare('select id as refund, amount, reason from refunds where id = ?').get(id)
    },
    counts: () =>
      db
        .prepare(
          'select (select count(*) from tickets) tickets, (select count(*) from call_backs) callBacks, (select count(*) from refunds) refunds',
        )
        .get(),
  }
}
