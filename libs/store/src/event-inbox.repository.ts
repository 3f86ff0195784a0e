// Events that came with a key instead of a run.
//   N1. The same event twice is one.
//   N2. Of several gateways one looks for its run at a time; one that dies leaves it to the others after the pause.
//   N3. An event is for one run; once that is known, it is told to that run and no other, however often it has to be.
import type { Database } from './database.ts'
import type { EventInboxStore, InboxEvent } from './ports.ts'

type Row = Omit<InboxEvent, 'data' | 'by' | 'run'> & {
  readonly data: string
  readonly by: string | null
  readonly runId: string | null
  readonly rootRunId: string | null
}

/** Events of an installation over the database. */
export const eventInboxRepository = (db: Database): EventInboxStore => ({
  put: async ({ tenant, eventId, event, key, data, by, keepMs }) => {
    const { rows } = await db.query<{ runId: string | null; fresh: boolean }>(
      `with fresh as (
         insert into event_inbox (tenant, event_id, event, key, data, sent_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7::float8 / 1000)) on conflict do nothing returning 1
       )
       select (select run_id from event_inbox where tenant = $1 and event_id = $2) as "runId", exists (select from fresh) as fresh`,
      [tenant, eventId, event, key, JSON.stringify(data), by ?? null, keepMs],
    ) // N1
    const { runId = null, fresh = false } = rows[0] ?? {}
    return { fresh, ...(runId === null ? {} : { runId }) }
  },
  claim: async ({ limit, pauseMs, only }) => {
    const { rows } = await db.query<Row>(
      `update event_inbox i set tries = i.tries + 1,
         next_try_at = now() + make_interval(secs => $2::float8 / 1000 * least(i.tries + 1, 20))
       from (
         select tenant, event_id from event_inbox where not delivered and next_try_at <= now() and expires_at > now()
           and ($3::text is null or (tenant = $3 and event_id = $4))
         order by next_try_at limit $1 for update skip locked
       ) o where o.tenant = i.tenant and o.event_id = i.event_id
       returning i.tenant, i.event_id as "eventId", i.event, i.key, i.data, i.sent_by as by, i.run_id as "runId", i.root_run_id as "rootRunId"`,
      [limit, pauseMs, only?.tenant ?? null, only?.eventId ?? null],
    ) // N2
    return rows.map(({ data, by, runId, rootRunId, ...row }) => ({
      ...row,
      data: JSON.parse(data), // Written by `put`.
      ...(by === null ? {} : { by }),
      ...(runId === null || rootRunId === null ? {} : { run: { runId, rootRunId } }),
    }))
  },
  found: async ({ tenant, eventId, run }) => {
    const { rowCount } = await db.query(
      'update event_inbox set run_id = $3, root_run_id = $4 where tenant = $1 and event_id = $2 and run_id is null',
      [tenant, eventId, run.runId, run.rootRunId],
    ) // N3
    return rowCount > 0
  },
  delivered: async ({ tenant, eventId }) => {
    await db.query('update event_inbox set delivered = true where tenant = $1 and event_id = $2', [tenant, eventId])
  },
  sweep: async () => {
    const { rowCount } = await db.query('delete from event_inbox where expires_at <= now()')
    return rowCount
  },
})
