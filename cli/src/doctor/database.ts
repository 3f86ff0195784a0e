// PostgreSQL: reachable, new enough, up to date, and talked to without a pooler that takes the session away (L4).
import { setTimeout } from 'node:timers/promises'
import type { Environment } from '@baton/service'
import { inspectStore, openPostgres, type Database } from '@baton/store'
import { fail, pass, warn, type Finding } from './finding.ts'

const VERSION_MIN = 15
const CONNECT_TIMEOUT_MS = 3_000

/** What the database knows of the installation; absent before the first start. */
export type Installed = { readonly partitions: number; readonly topicIds: readonly string[] }

export type DatabaseReport = { readonly findings: readonly Finding[]; readonly installed?: Installed }

/** Looks and changes nothing. Throws when there is no way in. */
export const databaseReport = async (url: string, environment: Environment): Promise<DatabaseReport> => {
  const db = openPostgres({ url, poolMax: 2, connectTimeoutMs: CONNECT_TIMEOUT_MS })
  try {
    const findings = [await version(db), await sessions(db), ...(await settings(db)), await migrations(db)]
    const installed = await installation(db, environment.config.topicPrefix)
    return { findings, ...(installed === undefined ? {} : { installed }) }
  } finally {
    await db.close()
  }
}

const version = async (db: Database): Promise<Finding> => {
  const { rows } = await db.query<{ number: string; name: string }>(
    `select current_setting('server_version_num') as number, current_setting('server_version') as name`,
  )
  const name = rows[0]?.name ?? 'unknown'
  return Math.floor(Number(rows[0]?.number) / 10_000) >= VERSION_MIN
    ? pass({ check: 'database', message: `PostgreSQL ${name}` })
    : fail({ check: 'database', message: `PostgreSQL ${name}`, help: `Baton needs version ${VERSION_MIN} or newer` })
}

/** Ownership lives in a session: it must stay with one backend while others work. */
const sessions = async (db: Database): Promise<Finding> => {
  const check = 'sessions'
  const session = await db.session?.()
  if (session === undefined) return pass({ check, message: 'one connection' })
  try {
    const backends = new Set<string>()
    for (let n = 0; n < 5; n += 1) {
      const { rows } = await session.query<{ pid: string }>('select pg_backend_pid()::text as pid')
      backends.add(rows[0]?.pid ?? '')
      await Promise.all([db.query('select 1'), setTimeout(2)])
    }
    return backends.size === 1
      ? pass({ check, message: 'connections keep their session' })
      : fail({
          check,
          message: 'a pooler gives every transaction another session',
          help: 'point DATABASE_URL at PostgreSQL itself, or use session mode',
        })
  } finally {
    await session.close()
  }
}

const settings = async (db: Database): Promise<readonly Finding[]> => {
  const { rows } = await db.query<{ fsync: string; commit: string }>(
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  )
  const off = [...(rows[0]?.fsync === 'off' ? ['fsync'] : []), ...(rows[0]?.commit === 'off' ? ['synchronous_commit'] : [])]
  if (off.length === 0) return []
  const help = 'a loss of power can take confirmed answers, reviews and effects with it: switch it on'
  return [warn({ check: 'database', message: `${off.join(' and ')} off`, help })]
}

const migrations = async (db: Database): Promise<Finding> => {
  const check = 'migrations'
  const { missing, unknown } = await inspectStore(db)
  if (missing.length > 0) {
    return warn({
      check,
      message: `not applied yet: ${missing.join(', ')}`,
      help: '"baton up" applies them when it starts; older processes go on running',
    })
  }
  return unknown.length === 0
    ? pass({ check, message: 'the tables are up to date' })
    : warn({
        check,
        message: `the database is newer than this binary: ${unknown.join(', ')}`,
        help: 'finish the rollout: start this version everywhere, or the newer one here',
      })
}

const installation = async (db: Database, prefix: string): Promise<Installed | undefined> => {
  const { rows: tables } = await db.query<{ found: string | null }>(`select to_regclass('log_partitions')::text as found`)
  if (tables[0]?.found == null) return undefined
  const { rows } = await db.query<{ partitions: number; topicId: string }>(
    `select i.partitions, p.topic_id as "topicId" from installations i join log_partitions p using (prefix) where i.prefix = $1 group by 1, 2`,
    [prefix],
  )
  const [first] = rows
  return first === undefined ? undefined : { partitions: first.partitions, topicIds: rows.map(({ topicId }) => topicId) }
}
