// Starts Kafka, PostgreSQL and services of Baton as processes of their own, for benches and proofs.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { kafkaAvailable, postgresAvailable, startKafka, startPostgres } from '@baton/testing/servers'

const ROOT = join(import.meta.dirname, '..', '..')
const BATON = join(ROOT, 'cli', 'bin', 'baton.mjs')

/** Why the servers cannot run here, or undefined. */
export const missingServers = () => {
  for (const found of [kafkaAvailable(), postgresAvailable()]) if (!found.ok) return found.reason
  return undefined
}

/** Kafka and PostgreSQL in a temporary folder. `flushEveryBatch` makes Kafka fsync each batch. */
export const startServers = async ({ flushEveryBatch = false } = {}) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-servers-'))
  chmodSync(dir, 0o755) // PostgreSQL may run as another user
  const kafka = await startKafka({ dir: join(dir, 'kafka'), ...(flushEveryBatch ? { extra: { 'log.flush.interval.messages': '1' } } : {}) })
  const postgres = await startPostgres({ dir: join(dir, 'postgres') })
  return {
    kafka,
    postgres,
    /** A database of its own beside Baton's; its URL. */
    createDatabase: async (name) => {
      const client = new pg.Client(postgres.url)
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      const url = new URL(postgres.url)
      url.pathname = `/${name}`
      return url.toString()
    },
    stop: async () => {
      await Promise.all([kafka.stop(), postgres.stop()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** One `baton up` process. Resolves when it printed `ready`. */
export const startBaton = (args, { env = {}, quiet = true } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BATON, 'up', ...args], {
      cwd: ROOT,
      env: { ...process.env, LOG_LEVEL: 'error', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const urls = {}
    let output = ''
    let errors = ''
    const exited = new Promise((settle) => child.once('exit', (code, signal) => settle({ code, signal })))
    child.stdout.on('data', (chunk) => {
      output += chunk
      for (const [, name, url] of output.matchAll(/^(\w+) listens on (\S+)$/gm)) urls[name] = url
      if (/^ready$/m.test(output)) {
        output = ''
        resolve({
          child,
          pid: child.pid,
          urls,
          exited,
          kill: (signal = 'SIGKILL') => {
            child.kill(signal)
            return exited
          },
          errors: () => errors,
        })
      }
    })
    child.stderr.on('data', (chunk) => {
      errors = (errors + chunk).slice(-20_000)
      if (!quiet) process.stderr.write(chunk)
    })
    child.once('exit', (code) => reject(new Error(`baton up ${args.join(' ')} ended with ${code}: ${errors.slice(-2_000)}`)))
  })

/** Waits until `check` gives something, or fails naming what was waited for. */
export const until = async (what, check, { timeoutMs = 60_000, everyMs = 50 } = {}) => {
  const untilMs = Date.now() + timeoutMs
  for (;;) {
    const found = await check().catch(() => undefined)
    if (found) return found
    if (Date.now() > untilMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await pause(everyMs)
  }
}

export const getJson = async (url) => {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response.json()
}
