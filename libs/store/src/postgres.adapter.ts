// PostgreSQL through pg: a pool for statements and transactions, connections of their own for advisory locks.
import pg from 'pg'
import type { Database, Param, Queryable, Rows, Session } from './database.ts'
import { toDatabaseError } from './database-fault.ts'

export type PostgresOptions = {
  readonly url: string
  /** Connections of the pool. Default 8. Sessions come on top. */
  readonly poolMax?: number
  /** Schema that holds the tables; made by the first migration. Default `public`. */
  readonly schema?: string
  /** Default 5,000. */
  readonly connectTimeoutMs?: number
  /** Limit of one statement, kept by the server; the client gives up a little later. Default 15,000. */
  readonly statementTimeoutMs?: number
}

/** Opens nothing yet: the first call connects, so a database that comes up late is no reason to fail. */
export const openPostgres = (options: PostgresOptions): Database => {
  const config = connectionConfig(options)
  const sessions = new Set<Session>()
  const pool = new pg.Pool({ ...config, max: options.poolMax ?? 8, idleTimeoutMillis: 60_000 })
  // An idle connection broke. The pool has dropped it already; the next call opens another (D2).
  pool.on('error', () => undefined)
  return {
    kind: 'postgres',
    query: (text, params, more) => guarded(() => run(pool, { text, params, name: more?.name })),
    transaction: (work) => guarded(() => transaction(pool, work)),
    session: async ({ statementTimeoutMs } = {}) => {
      const session = await guarded(() =>
        openSession(connectionConfig(statementTimeoutMs === undefined ? options : { ...options, statementTimeoutMs })),
      )
      for (const old of sessions) if (old.closed) sessions.delete(old)
      sessions.add(session)
      return session
    },
    close: async () => {
      await Promise.all([...sessions].map((session) => session.close().catch(() => undefined)))
      await pool.end()
    },
  }
}

const connectionConfig = (options: PostgresOptions): pg.ClientConfig => {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000
  // The server notices a dead host within some 5 s, so that its locks come free (L4).
  const settings = ['-c jit=off', '-c tcp_keepalives_idle=2', '-c tcp_keepalives_interval=1', '-c tcp_keepalives_count=3']
  if (options.schema !== undefined) settings.push(`-c search_path=${options.schema}`)
  return {
    connectionString: options.url,
    application_name: 'baton',
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 2_000,
    idle_in_transaction_session_timeout: statementTimeoutMs * 2,
    keepAlive: true,
    keepAliveInitialDelayMillis: 2_000,
    options: settings.join(' '),
  }
}

type Statement = { text: string; params: readonly Param[] | undefined; name: string | undefined }

const run = async <R>(client: pg.Pool | pg.ClientBase, { text, params, name }: Statement): Promise<Rows<R>> => {
  // The row type is what the caller says its statement gives; pg cannot know it.
  const result = await client.query<R & pg.QueryResultRow>({
    text,
    ...(name === undefined ? {} : { name }),
    ...(params === undefined ? {} : { values: [...params] }),
  })
  return { rows: result.rows, rowCount: result.rowCount ?? 0 }
}

const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    throw toDatabaseError(error)
  }
}

const transaction = async <T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> => {
  const client = await pool.connect()
  let broken: Error | undefined
  // While it is checked out the pool does not listen: an unheard error event would end the process.
  const onError = (error: Error): void => {
    broken = error
  }
  client.on('error', onError)
  try {
    await client.query('begin')
    const result = await work({ query: (text, params, more) => guarded(() => run(client, { text, params, name: more?.name })) })
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

const openSession = async (config: pg.ClientConfig): Promise<Session> => {
  const client = new pg.Client(config)
  let closed = false
  client.on('error', () => {
    closed = true
  })
  client.on('end', () => {
    closed = true
  })
  await client.connect()
  return {
    get closed() {
      return closed
    },
    query: (text, params, more) => guarded(() => run(client, { text, params, name: more?.name })),
    close: async () => {
      closed = true
      await client.end()
    },
  }
}
