// What an office of accounts keeps, in a SQLite file: numbers that are reserved, accounts that are open, and a register of names to be
// careful with. Each effect is there once for its key. The register holds nobody real.
//   O1. An account has a number that was reserved for its application, and a number opens one account.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@baton/tools'

const SCHEMA = `
  create table if not exists numbers (number text primary key, effect_key text not null unique, application text not null, released integer not null default 0);
  create table if not exists accounts (account text primary key, effect_key text not null unique, application text not null, number text not null unique,
    name text not null, signed_by text not null);
  create table if not exists register (name text primary key, list text not null, since text not null);
`
const REGISTER = [
  ['Viktor Almgren', 'sanctions of Ruritania', '2021-03-04'],
  ['Mara Quill', 'bankruptcies of Northmark', '2024-11-30'],
  ['Oskar Brandt', 'persons in public office', '2019-06-01'],
]

let opened: DatabaseSync | undefined
const database = (): DatabaseSync => {
  if (opened !== undefined) return opened
  const file = process.env['ACCOUNTS_FILE'] ?? join(process.env['BATON_DATA_DIR'] ?? '.baton', 'accounts.sqlite')
  mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma busy_timeout = 5000;')
  db.exec(SCHEMA)
  const known = db.prepare('insert into register values (?, ?, ?) on conflict do nothing')
  for (const row of REGISTER) known.run(...row)
  opened = db
  return db
}

const idOf = (prefix: string, key: string): string =>
  `${prefix}-${createHash('sha256').update(key).digest('hex').slice(0, 8).toUpperCase()}`

export const lookUp = (name: string): { name: string; list: string; since: string }[] =>
  database()
    .prepare('select name, list, since from register where lower(name) = lower(?)')
    .all(name.trim())
    .map((row) => ({ name: String(row['name']), list: String(row['list']), since: String(row['since']) }))

export const reserve = (key: string, application: string): { number: string } => {
  const number = idOf('N', key)
  database()
    .prepare('insert into numbers (number, effect_key, application) values (?, ?, ?) on conflict (effect_key) do nothing')
    .run(number, key, application)
  return { number }
}

export const release = (number: string): { ok: boolean } => ({
  ok: database().prepare('update numbers set released = 1 where number = ?').run(number).changes === 1,
})

export const openAccount = (key: string, { application, name, number, signedBy }: Opening): { account: string } => {
  const db = database()
  const found = db.prepare('select released from numbers where number = ? and application = ?').get(number, application)
  if (found === undefined || found['released'] !== 0)
    throw new Fault('tool.arguments_invalid', `${number} is not reserved for ${application}`) // O1
  const account = idOf('A', key)
  db.prepare('insert into accounts values (?, ?, ?, ?, ?, ?) on conflict (effect_key) do nothing').run(
    account,
    key,
    application,
    number,
    name,
    signedBy,
  )
  return { account }
}

export const accountOf = (key: string): { account: string } | undefined => {
  const found = database().prepare('select account from accounts where effect_key = ?').get(key)
  return found === undefined ? undefined : { account: String(found['account']) }
}

export type Opening = { readonly application: string; readonly name: string; readonly number: string; readonly signedBy: string }
