// A real PostgreSQL for tests and local use: one process group, loopback only, fsync on.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { startChild } from './child-process.ts'
import type { Child } from './child-process.ts'
import { containersWanted } from './container-servers.ts'
import { findProgram, freePorts, versionFolders } from './machine.ts'
import type { Availability } from './machine.ts'

const run = promisify(execFile)
const START_TIMEOUT_MS = 30_000
const STOP_GRACE_MS = 15_000
const STARTS_MAX = 5
const RESTART_PAUSE_MS = 200
const USER = 'baton'

export type PostgresOptions = {
  /** Folder for data and socket; what is in it is used again. */
  readonly dir: string
  /** Further settings of postgresql.conf. */
  readonly extra?: Readonly<Record<string, string | number>>
  /** Default: a free one. */
  readonly port?: number
}

/** A database server of this process. It ends with the process that started it. */
export type PostgresServer = {
  /** Address of the database `baton`. */
  readonly url: string
  readonly pid: number
  /** Stops the server in order and cuts its connections. */
  stop(): Promise<void>
  /** Ends the server at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again on the same address with the same data; stops it first when it runs. */
  restart(): Promise<void>
}

// Debian keeps initdb and postgres off PATH, one folder for each version.
const programFolders = (): readonly string[] => versionFolders('/usr/lib/postgresql').map((folder) => join(folder, 'bin'))

/** Whether suites that need PostgreSQL can run: `DATABASE_URL` names one, or one can be started here. */
export const postgresAvailable = (): Availability => {
  if (process.env['DATABASE_URL'] || containersWanted()) return { ok: true }
  if (findProgram('initdb', programFolders()) === undefined || findProgram('postgres', programFolders()) === undefined)
    return { ok: false, reason: 'no PostgreSQL server (initdb, postgres) on PATH or in /usr/lib/postgresql' }
  return { ok: true }
}

/** Starts a server and resolves when it takes connections. */
export const startPostgres = async (options: PostgresOptions): Promise<PostgresServer> => {
  const owner = await serverOwner()
  await mkdir(options.dir, { recursive: true })
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(options.dir, owner.uid, owner.gid)
  await initialise(options, owner)
  const { child, port } = await start({ options, owner, startsLeft: STARTS_MAX })
  let running = child
  await createDatabase({ dir: options.dir, port, owner })
  return {
    url: `postgres://${USER}@127.0.0.1:${port}/${USER}`,
    get pid() {
      return running.pid
    },
    stop: () => running.stop(STOP_GRACE_MS),
    kill: () => running.kill(),
    restart: async () => {
      await running.stop(STOP_GRACE_MS)
      running = (await start({ options: { ...options, port }, owner, startsLeft: STARTS_MAX })).child
    },
  }
}

type Owner = { readonly uid?: number; readonly gid?: number }

// PostgreSQL refuses to run as root.
const serverOwner = async (): Promise<Owner> => {
  if (process.getuid?.() !== 0) return {}
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const account = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody')
  if (account === undefined) throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

const program = (name: string): string => {
  const path = findProgram(name, programFolders())
  if (path === undefined) throw new Error(`No program ${name} on PATH or in /usr/lib/postgresql`)
  return path
}

const dataFolder = (dir: string): string => join(dir, 'data')

const initialise = async ({ dir, extra = {} }: PostgresOptions, owner: Owner): Promise<void> => {
  const data = dataFolder(dir)
  if (!existsSync(data)) {
    await mkdir(data, { mode: 0o700 })
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(data, owner.uid, owner.gid)
  }
  if (existsSync(join(data, 'PG_VERSION'))) return
  await run(program('initdb'), ['--no-sync', '-A', 'trust', '-U', USER, '-E', 'UTF8', '--locale=C', '-D', data], { cwd: dir, ...owner })
  const settings = {
    fsync: 'on',
    synchronous_commit: 'on',
    listen_addresses: "'127.0.0.1'",
    max_connections: 200,
    log_min_messages: 'warning',
    ...extra,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  await writeFile(join(data, 'postgresql.auto.conf'), lines.join(''))
}

type Start = { readonly options: PostgresOptions; readonly owner: Owner; readonly startsLeft: number }

const start = async ({ options, owner, startsLeft }: Start): Promise<{ child: Child; port: number }> => {
  const { dir } = options
  const [free = 0] = await freePorts(1)
  const port = options.port ?? free
  const child = await startChild({
    command: program('postgres'),
    args: ['-D', dataFolder(dir), '-p', String(port), '-k', dir, '-c', 'log_min_messages=log'],
    cwd: dir,
    stopSignal: 'INT',
    ...owner,
  })
  try {
    await child.printed(/ready to accept connections/, START_TIMEOUT_MS)
    return { child, port }
  } catch (error) {
    await child.kill()
    // Somebody may have taken the port between looking and starting; after a kill the old server's children need a moment to end.
    const passing = /Address already in use|shared memory block .* still in use|lock file .* already exists/.test(child.output())
    if (!passing || startsLeft <= 1) throw error
    await setTimeout(RESTART_PAUSE_MS)
    return start({ options, owner, startsLeft: startsLeft - 1 })
  }
}

type Creating = { readonly dir: string; readonly port: number; readonly owner: Owner }

const createDatabase = async ({ dir, port, owner }: Creating): Promise<void> => {
  const arguments_ = ['-h', dir, '-p', String(port), '-U', USER, USER]
  await run(program('createdb'), arguments_, { cwd: dir, ...owner }).catch((error: unknown) => {
    if (!/already exists/.test(String(error))) throw error
  })
}
