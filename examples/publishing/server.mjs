// A place where articles are published, over HTTP, with a store of its own. It counts what it was asked and what it did.
//   node examples/publishing/server.mjs --data FILE [--port 8124] [--slow MS] [--lose N] [--keyless]
//   POST /articles             { channel, title, html } -> 201 { id, url }; with an Idempotency-Key that it knows, the article of that key
//   GET  /articles/by-key/KEY  the article that was made for a key, or 404: what Baton asks before it does anything twice
//   GET  /articles/ID          the article
//   GET  /articles             { articles, requests }
// `--slow` answers so many milliseconds after the article is there, `--lose` breaks the connection of the first N answers instead, and
// `--keyless` does not look at the key when it is asked to publish, as many servers do not: such a server publishes twice when asked twice.
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'

const BODY_CHARS_MAX = 1_000_000
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    port: { type: 'string', default: '8124' },
    slow: { type: 'string', default: '0' },
    lose: { type: 'string', default: '0' },
    keyless: { type: 'boolean', default: false },
  },
})
if (values.data === undefined) {
  process.stderr.write('say where the articles are kept: --data FILE\n')
  process.exit(2)
}
mkdirSync(dirname(values.data), { recursive: true })
const db = new DatabaseSync(values.data)
db.exec('pragma journal_mode = wal; pragma busy_timeout = 5000;')
db.exec(`create table if not exists articles
  (id text primary key, key text not null, body_hash text not null, channel text not null, title text not null, html text not null)`)
db.exec('create table if not exists requests (at_ms integer not null, key text not null)')

const hashOf = (given) => createHash('sha256').update(given).digest('hex')
const addressOf = ({ id }) => ({ id, url: `http://127.0.0.1:${server.address().port}/articles/${id}` })
const byKey = (key) => db.prepare('select * from articles where key = ? order by rowid').get(key)

/** Publishes, or finds what was published for the key. */
const publish = (key, body, { channel, title, html }) => {
  db.prepare('insert into requests values (?, ?)').run(Date.now(), key)
  const known = values.keyless || key === '' ? undefined : byKey(key)
  if (known !== undefined && known.body_hash !== hashOf(body))
    return { status: 409, body: { error: 'this key was used for another article' } }
  if (known !== undefined) return { status: 200, body: addressOf(known) }
  const { count } = db.prepare('select count(*) as count from articles').get()
  const id = `a${count + 1}`
  db.prepare('insert into articles values (?, ?, ?, ?, ?, ?)').run(id, key, hashOf(body), channel, title, html)
  return { status: 201, body: addressOf({ id }) }
}

const read = (path) => {
  if (path === '/articles') {
    const { requests } = db.prepare('select count(*) as requests from requests').get()
    return { status: 200, body: { articles: db.prepare('select id, channel, title from articles order by rowid').all(), requests } }
  }
  const [, key] = /^\/articles\/by-key\/(.+)$/.exec(path) ?? []
  const found =
    key === undefined ? db.prepare('select * from articles where id = ?').get(path.split('/')[2] ?? '') : byKey(decodeURIComponent(key))
  if (found === undefined) return { status: 404, body: { error: 'there is no such article' } }
  return { status: 200, body: key === undefined ? { id: found.id, title: found.title, html: found.html } : addressOf(found) }
}

const answerTo = async (request) => {
  if (request.method === 'GET') return read(request.url.split('?')[0])
  if (request.method !== 'POST' || request.url !== '/articles') return { status: 405, body: { error: 'POST /articles publishes' } }
  const body = await text(request)
  if (body.length > BODY_CHARS_MAX) return { status: 413, body: { error: 'too long' } }
  const article = JSON.parse(body)
  if (![article.channel, article.title, article.html].every((field) => typeof field === 'string' && field !== ''))
    return { status: 422, body: { error: 'channel, title and html are needed' } }
  const key = request.headers['idempotency-key'] ?? ''
  return { ...publish(key, body, article), isPublished: true }
}

let toLose = Number(values.lose)
const server = createServer(async (request, response) => {
  const { status, body, isPublished } = await answerTo(request).catch(() => ({ status: 400, body: { error: 'that cannot be read' } }))
  if (isPublished) {
    if (toLose > 0) {
      toLose -= 1
      response.destroy()
      return
    }
    await pause(Number(values.slow))
  }
  if (!response.destroyed) response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
server.listen(Number(values.port), '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit())
