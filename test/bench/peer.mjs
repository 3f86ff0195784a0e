// The peer as a process that measures itself on command: one line `COUNT CONCURRENCY` in, one line of JSON out.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '..', '..')

/** Installs a peer into the cache once. Returns its folder, or why it cannot be had. */
const install = (name) => {
  const source = join(import.meta.dirname, 'peers', name)
  const folder = join(ROOT, '.cache', 'peers', name)
  mkdirSync(folder, { recursive: true })
  cpSync(source, folder, { recursive: true })
  cpSync(join(import.meta.dirname, 'peers', 'serve.mjs'), join(folder, 'serve.mjs'))
  if (existsSync(join(folder, 'node_modules'))) return { folder }
  process.stdout.write(`installing ${name} …\n`)
  const { status, stderr } = spawnSync('npm', ['install', '--legacy-peer-deps', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return status === 0 ? { folder } : { reason: `${name} cannot be installed: ${stderr.slice(-300)}` }
}

/** Durable peers that keep what they do in PostgreSQL, or on a disk of their own (Restate). */
export const DURABLE_PEERS = ['mastra', 'restate', 'dbos', 'langgraph']

/** Starts a peer on a database. `undefined` with a printed reason when it cannot be installed. */
export const startPeer = async (name, databaseUrl) => {
  const { folder, reason } = install(name)
  if (folder === undefined) {
    process.stdout.write(`SKIP ${reason}\n`)
    return undefined
  }
  const child = spawn(process.execPath, ['bench.mjs', databaseUrl], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  // Libraries of peers print lines of their own between.
  const next = async (begin) => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${name} ended`)
      if (value.startsWith(begin)) return value
    }
  }
  try {
    await next('ready')
  } catch {
    process.stdout.write(`SKIP ${name} does not start here\n`)
    return undefined
  }
  return {
    name,
    pid: child.pid,
    measure: async (count, concurrency) => {
      child.stdin.write(`${count} ${concurrency}\n`)
      return JSON.parse(await next('{"count"'))
    },
    stop: () => child.kill(),
  }
}
