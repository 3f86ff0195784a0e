// Advisory locks of the log partitions, on one connection of this process. The server drops them when the connection dies, so the
// death of the process is known at once (L4). Where there is only one process (PGlite) there are none.
//   K1. A lock belongs to the owner it was taken for: another owner in the same process does not get it by sharing the connection.
//   K2. A connection that failed is thrown away; its locks count as lost.
import type { Database, Session } from './database.ts'

export type PartitionLocks = {
  /** Those of `partitions` whose lock `ownerUuid` holds now, taken before or just now. */
  take(options: { prefix: string; ownerUuid: string; partitions: readonly number[] }): Promise<readonly number[]>
  /** Those that `ownerUuid` holds, as far as this process knows. */
  heldBy(owner: { prefix: string; ownerUuid: string }): readonly number[]
  /** Unlocks what `ownerUuid` holds of `partitions`. */
  giveBack(options: { prefix: string; ownerUuid: string; partitions: readonly number[] }): Promise<void>
  /** Hands over locks of this process to a new owner in it, after the row has changed hands. */
  assign(options: { prefix: string; ownerUuid: string; partitions: readonly number[] }): void
  /** Runs on the connection of the locks, which proves that it lives. */
  readonly query: Database['query']
}

const STATEMENT_TIMEOUT_MS = 3_000
const KEY = `hashtext(coalesce(current_schema(), '') || ':baton:' || $1)`

/** Locks over a database with sessions; without them `undefined`. */
export const partitionLocks = (db: Database): PartitionLocks | undefined => {
  const open = db.session
  if (open === undefined) return undefined
  const owners = new Map<string, string>()
  let session: Promise<Session> | undefined

  const connected = async (): Promise<Session> => {
    session ??= open({ statementTimeoutMs: STATEMENT_TIMEOUT_MS })
    try {
      const current = await session
      if (!current.closed) return current
    } catch (error) {
      session = undefined
      throw error
    }
    owners.clear() // K2
    session = undefined
    return connected()
  }
  const query: Database['query'] = async (text, params, options) => {
    const current = await connected()
    try {
      return await current.query(text, params, options)
    } catch (error) {
      owners.clear() // K2: a statement that timed out leaves the connection in doubt.
      session = undefined
      await current.close().catch(() => undefined)
      throw error
    }
  }
  const name = (prefix: string, partition: number): string => `${partition}:${prefix}`

  return {
    query,
    take: async ({ prefix, ownerUuid, partitions }) => {
      await connected()
      const free = partitions.filter((partition) => !owners.has(name(prefix, partition)))
      if (free.length > 0) {
        const { rows } = await query<{ partition: number }>(
          `select p as partition from unnest($2::int[]) as p where pg_try_advisory_lock(${KEY}, p)`,
          [prefix, free],
        )
        for (const { partition } of rows) owners.set(name(prefix, partition), ownerUuid)
      }
      return partitions.filter((partition) => owners.get(name(prefix, partition)) === ownerUuid) // K1
    },
    heldBy: ({ prefix, ownerUuid }) =>
      [...owners]
        .filter(([lock, owner]) => owner === ownerUuid && lock.slice(lock.indexOf(':') + 1) === prefix)
        .map(([lock]) => Number.parseInt(lock, 10)),
    giveBack: async ({ prefix, ownerUuid, partitions }) => {
      const held = partitions.filter((partition) => owners.get(name(prefix, partition)) === ownerUuid)
      if (held.length === 0) return
      for (const partition of held) owners.delete(name(prefix, partition))
      await query(`select pg_advisory_unlock(${KEY}, p) from unnest($2::int[]) as p`, [prefix, held])
    },
    assign: ({ prefix, ownerUuid, partitions }) => {
      for (const partition of partitions) if (owners.has(name(prefix, partition))) owners.set(name(prefix, partition), ownerUuid)
    },
  }
}
