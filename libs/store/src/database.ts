// The port to PostgreSQL and PGlite: the same SQL, the same migrations.
//   D1. A transaction commits all of its statements or none.
//   D2. A lost connection rejects what was under way with `store.unavailable`; the pool reconnects on the next call.

export type Rows<R> = { readonly rows: readonly R[]; readonly rowCount: number }

/** Parameters: text, numbers, booleans, null, and arrays of them; JSON goes as text and is cast in the statement. */
export type Param = string | number | boolean | null | readonly (string | number | boolean | null)[]

export type Queryable = {
  /** Runs one statement. `name` prepares it once a connection. bigint and numeric columns come back as text. */
  query<R>(text: string, params?: readonly Param[], options?: { name?: string }): Promise<Rows<R>>
}

/** A connection of its own, for what lives as long as the connection does (advisory locks). */
export type Session = Queryable & {
  /** True once the connection is gone; every further query rejects with `store.unavailable`. */
  readonly closed: boolean
  close(): Promise<void>
}

export type Database = Queryable & {
  readonly kind: 'postgres' | 'pglite'
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** Absent where there is only one connection anyway (PGlite). */
  readonly session?: (options?: { statementTimeoutMs?: number }) => Promise<Session>
  close(): Promise<void>
}
