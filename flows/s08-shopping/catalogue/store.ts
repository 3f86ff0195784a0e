// The catalogue in a SQLite file: written once, when the file is new, and read by every process on it. Each look-up is counted. What is not
// there is a fault that no other try would mend, so that nobody waits for one.
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@baton/tools'
import { catalogueOf, SEED } from './generate.ts'

const SCHEMA = `
  create table if not exists products (id text primary key, name text not null, specs text not null);
  create table if not exists reviews (product text not null, at integer not null, stars integer not null, text text not null, primary key (product, at));
  create table if not exists offers (product text not null, shop text not null, price real not null, stock integer not null, primary key (product, shop));
  create table if not exists looked_up (component text primary key, times integer not null);
  create table if not exists made (seed integer primary key);
`

const fill = (db: DatabaseSync): void => {
  const product = db.prepare('insert into products values (?, ?, ?)')
  const review = db.prepare('insert into reviews values (?, ?, ?, ?)')
  const offer = db.prepare('insert into offers values (?, ?, ?, ?)')
  for (const { id, name, specs, reviews, offers } of catalogueOf()) {
    product.run(id, name, JSON.stringify(specs))
    for (const [at, { stars, text }] of reviews.entries()) review.run(id, at, stars, text)
    for (const { shop, price, stock } of offers) offer.run(id, shop, price, stock)
  }
  db.prepare('insert into made values (?)').run(SEED)
}

const openFile = (file: string): DatabaseSync => {
  mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma busy_timeout = 5000;')
  db.exec(SCHEMA)
  db.exec('begin immediate')
  if (db.prepare('select seed from made').get() === undefined) fill(db)
  db.exec('commit')
  return db
}

let opened: DatabaseSync | undefined
const database = (): DatabaseSync => {
  opened ??= openFile(process.env['SHOP_CATALOGUE'] ?? join(process.env['BATON_DATA_DIR'] ?? '.baton', 'shop.sqlite'))
  return opened
}

const counted = (component: string): DatabaseSync => {
  const db = database()
  db.prepare('insert into looked_up values (?, 1) on conflict (component) do update set times = times + 1').run(component)
  return db
}

const known = (db: DatabaseSync, product: string): Record<string, unknown> => {
  const found = db.prepare('select name, specs from products where id = ?').get(product)
  if (found === undefined) throw new Fault('tool.arguments_invalid', `the catalogue has no product ${product}`)
  return found
}

/** Technical data. */
export const specsOf = (product: string): { fields: Record<string, string | number | boolean> } => {
  const { name, specs } = known(counted('specs'), product)
  return { fields: { name: String(name), ...(JSON.parse(String(specs)) as Record<string, string | number | boolean>) } } // written by `fill`
}

/** What buyers say: the average of all, and the texts of the first. */
export const reviewsOf = (product: string, top: number): { average: number; count: number; texts: string[] } => {
  const db = counted('reviews')
  known(db, product)
  const sum = db.prepare('select count(*) as count, avg(stars) as average from reviews where product = ?').get(product)
  const texts = db.prepare('select stars, text from reviews where product = ? order by at limit ?').all(product, top)
  return {
    average: Math.round(Number(sum?.['average'] ?? 0) * 100) / 100,
    count: Number(sum?.['count'] ?? 0),
    texts: texts.map(({ stars, text }) => `${String(stars)} of 5: ${String(text)}`),
  }
}

/** Offers that can be had, the cheapest first. */
export const pricesOf = (product: string): { cheapest: number; offers: string[] } => {
  const db = counted('prices')
  known(db, product)
  const offers = db.prepare('select shop, price, stock from offers where product = ? and stock > 0 order by price, shop').all(product)
  if (offers[0] === undefined) throw new Fault('tool.arguments_invalid', `nobody has ${product} in stock`)
  return {
    cheapest: Number(offers[0]['price']),
    offers: offers.map(({ shop, price, stock }) => `${String(shop)}: ${Number(price).toFixed(2)}, ${String(stock)} in stock`),
  }
}
