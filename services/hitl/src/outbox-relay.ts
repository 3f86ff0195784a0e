// Publishes what commits left in the outbox.
//   O1. A row is deleted only after its record is durable on the bus; a crash in between repeats it, and its id tells.
//   O2. Rows are published in the order of their ids.
import type { Bus, OutgoingRecord } from '@baton/bus/bus'
import type { Database } from '@baton/store'
import { toFault } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'

const BATCH_ROWS = 200
/** How often rows of a process that died are looked for. */
const POLL_MS = 5_000
const RETRY_MS = 500

type Row = {
  readonly id: string
  readonly topic: string
  readonly key: string
  readonly partition: number | null
  readonly headers: string
  readonly value: string
}

export type OutboxRelay = {
  /** There is something new. */
  kick(): void
  /** Publishes what is there, then stops. */
  close(): Promise<void>
}

const recordOf = ({ topic, key, partition, headers, value }: Row): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(value),
  headers: JSON.parse(headers) as Record<string, string>, // written by the repository from such headers
  ...(partition === null ? {} : { partition }),
})

const publishSome = async (db: Database, bus: Bus): Promise<number> => {
  const { rows } = await db.query<Row>(
    'select id, topic, key, partition, headers, value from review_outbox order by id limit $1',
    [BATCH_ROWS],
    {
      name: 'outbox-read',
    },
  )
  if (rows.length === 0) return 0
  await bus.publish(rows.map(recordOf)) // O2
  await db.query('delete from review_outbox where id = any($1::bigint[])', [rows.map(({ id }) => id)], { name: 'outbox-delete' }) // O1
  return rows.length
}

/** Starts the relay; it looks at once for what an earlier process left. */
export const outboxRelay = ({ db, bus, logger }: { db: Database; bus: Bus; logger: Logger }): OutboxRelay => {
  let running: Promise<void> | undefined
  let again = false
  let retry: NodeJS.Timeout | undefined
  const drain = async (): Promise<void> => {
    do {
      again = false
      while ((await publishSome(db, bus)) > 0);
    } while (again)
  }
  const kick = (): void => {
    again = true
    if (running !== undefined) return
    clearTimeout(retry)
    running = drain()
      .catch((error: unknown) => {
        logger.warn(
          { code: toFault(error).code, reason: toFault(error).message },
          'the outbox of reviews could not be published; trying again',
        )
        retry = setTimeout(kick, RETRY_MS)
        retry.unref()
      })
      .finally(() => {
        running = undefined
      })
  }
  const poll = setInterval(kick, POLL_MS)
  poll.unref()
  kick()
  return {
    kick,
    close: async () => {
      clearInterval(poll)
      await running
      clearTimeout(retry)
      await drain().catch(() => undefined) // what is left is published by the next process
    },
  }
}
