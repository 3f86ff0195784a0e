// Ownership of log partitions (L4). The row decides; the advisory lock only tells sooner that an owner is dead.
//   O1. Whoever takes a partition raises its epoch, so a checkpoint of the owner before fails.
//   O2. A partition is taken when it is free, when the same owner dropped it, when its lease ran out on the database's clock, or when its
//       owner is certainly dead: its advisory lock, which it held, is free (PostgreSQL), or it is of an earlier process (PGlite, whose
//       directory belongs to one process).
//   O3. Renewing changes no epoch, and gives back nothing that another owner took.
//   O4. Taking from another owner that did not release counts a crash when the position has not moved since that owner came, or a record
//       was under suspicion; else the count begins anew. A suspect behind the position is none.
import { Fault } from '@baton/contracts/fault'
import type { Database } from './database.ts'
import { partitionLocks } from './partition-locks.adapter.ts'
import type { LeaseStore, PartitionLease } from './ports.ts'

type Row = { partition: number; topicId: string; next: string; epoch: string; suspectOffset: string | null; crashCount: number }

const EXPIRY = `clock_timestamp() + $4::int * interval '1 millisecond'`
// $5: partitions whose lock the taker holds now. $6: owners of this process, null where locks tell.
const ACQUIRE = `update log_partitions set owner_uuid = $2, epoch = epoch + 1, expires_at = ${EXPIRY}, taken_next = next, locked = partition = any($5::int[]),
    suspect_offset = case when suspect_offset >= next then suspect_offset end,
    crash_count = case when owner_uuid is null or owner_uuid = $2 then crash_count
      when suspect_offset >= next or taken_next = next then crash_count + 1
      else 1 end
  where prefix = $1 and partition = any($3::int[])
    and (owner_uuid is null or owner_uuid = $2 or expires_at <= clock_timestamp()
      or (locked and partition = any($5::int[])) or not owner_uuid = any($6::text[]))
  returning partition, topic_id as "topicId", next, epoch, suspect_offset as "suspectOffset", crash_count as "crashCount"`
const RENEW = `update log_partitions set expires_at = clock_timestamp() + $3::int * interval '1 millisecond', locked = partition = any($4::int[])
  where prefix = $1 and owner_uuid = $2 returning partition`
const RELEASE = `update log_partitions set owner_uuid = null, expires_at = null, suspect_offset = null, crash_count = 0
  where prefix = $1 and owner_uuid = $2`
const SUSPECT = `update log_partitions set suspect_offset = $3, crash_count = $4
  where prefix = $1 and partition = $2 and ($5::text is null or (owner_uuid = $5 and epoch = $6::bigint))`

/** Leases over the database. */
export const leaseRepository = (db: Database): LeaseStore => {
  const locks = partitionLocks(db)
  const ownersHere = new Set<string>()
  // One after the other: between the lock and the row nobody else of this process may come in.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work)
    turn = result.catch(() => undefined)
    return result
  }
  return {
    install: (options) => install(db, options),
    engineVersion: async (prefix) => {
      const { rows } = await db.query<{ engineVersion: number }>(
        'select engine_version as "engineVersion" from installations where prefix = $1',
        [prefix],
      )
      return rows[0]?.engineVersion
    },
    raiseEngine: async ({ prefix, engineVersion }) => {
      const { rows } = await db.query<{ engineVersion: number }>(
        `update installations set engine_version = greatest(engine_version, $2) where prefix = $1 returning engine_version as "engineVersion"`,
        [prefix, engineVersion],
      )
      return rows[0]?.engineVersion
    },
    acquire: ({ prefix, ownerUuid, wanted, leaseMs }) =>
      inTurn(async () => {
        if (wanted.length === 0) return []
        ownersHere.add(ownerUuid)
        const unlocked = (await locks?.take({ prefix, ownerUuid, partitions: wanted })) ?? []
        const known = locks === undefined ? [...ownersHere] : null
        const { rows } = await (locks ?? db).query<Row>(ACQUIRE, [prefix, ownerUuid, wanted, leaseMs, unlocked, known], {
          name: 'lease-acquire',
        })
        const taken = rows.map(({ partition }) => partition)
        locks?.assign({ prefix, ownerUuid, partitions: taken })
        // The lock of an owner that is alive and only has not got it yet: it will ask for it.
        await locks?.giveBack({ prefix, ownerUuid, partitions: unlocked.filter((partition) => !taken.includes(partition)) })
        return rows.map(leaseOf).sort((left, right) => left.partition - right.partition)
      }),
    renew: ({ prefix, ownerUuid, leaseMs }) =>
      inTurn(async () => {
        const held = locks?.heldBy({ prefix, ownerUuid }) ?? []
        const { rows } = await db.query<{ partition: number }>(RENEW, [prefix, ownerUuid, leaseMs, held], { name: 'lease-renew' })
        const owned = rows.map(({ partition }) => partition).sort((left, right) => left - right)
        if (owned.length > 0) await locks?.take({ prefix, ownerUuid, partitions: owned })
        await locks?.giveBack({ prefix, ownerUuid, partitions: held.filter((partition) => !owned.includes(partition)) }) // O3
        return owned
      }),
    release: ({ prefix, ownerUuid }) =>
      inTurn(async () => {
        await db.query(RELEASE, [prefix, ownerUuid])
        await locks?.giveBack({ prefix, ownerUuid, partitions: locks.heldBy({ prefix, ownerUuid }) })
      }),
    suspect: async ({ prefix, partition, offset, crashCount, owner }) => {
      const { rowCount } = await db.query(
        SUSPECT,
        [prefix, partition, offset, crashCount, owner?.ownerUuid ?? null, owner?.epoch ?? null],
        {
          name: 'lease-suspect',
        },
      )
      if (rowCount === 0 && owner !== undefined)
        throw new Fault('lease.lost', `another owner or a newer epoch holds partition ${partition}`)
    },
  }
}

const leaseOf = (row: Row): PartitionLease => ({
  partition: row.partition,
  topicId: row.topicId,
  next: Number(row.next),
  epoch: Number(row.epoch),
  suspectOffset: row.suspectOffset === null ? null : Number(row.suspectOffset),
  crashCount: row.crashCount,
})

type Installation = Parameters<LeaseStore['install']>[0]

const install = (db: Database, { prefix, partitions, topicId, engineVersion }: Installation): Promise<void> =>
  db.transaction(async (tx) => {
    // Updating takes the row's lock, so that installations beginning together go one after the other.
    const { rows } = await tx.query<{ partitions: number; engineVersion: number }>(
      `insert into installations as i (prefix, partitions, engine_version) values ($1, $2, $3)
       on conflict (prefix) do update set engine_version = i.engine_version
       returning partitions, engine_version as "engineVersion"`,
      [prefix, partitions, engineVersion],
    )
    const stored = rows[0] ?? { partitions, engineVersion }
    if (stored.partitions !== partitions) {
      throw new Fault('config.invalid', `the run log was installed with ${stored.partitions} partitions; ${partitions} would move runs`, {
        stored: stored.partitions,
        given: partitions,
      })
    }
    if (stored.engineVersion > engineVersion) {
      throw new Fault(
        'engine.unsupported',
        `the installation uses engine version ${stored.engineVersion}; this binary has ${engineVersion}`,
        { stored: stored.engineVersion },
      )
    }
    await tx.query(
      'insert into log_partitions (prefix, partition, topic_id) select $1, p, $3 from generate_series(0, $2::int - 1) as p on conflict do nothing',
      [prefix, partitions, topicId],
    )
  })
