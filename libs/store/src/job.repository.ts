// Jobs: work on many runs, done page by page by whichever process has time.
//   J1. One process does a job at a time: a lease on the database's clock, extended by each step forward.
//   J2. What was done counts once: place and figures are written together, by the holder of the lease only.
//   J3. A job that was cancelled stays so: neither a step forward nor an end of it counts after that.
//   J4. The step that was under way when a job was paused counts; nobody takes up another until it goes on.
import { Fault } from '@baton/contracts/fault'
import { canonicalJson } from '@baton/contracts/json'
import type { Database } from './database.ts'
import type { Job, JobStore } from './ports.ts'

type Figures = 'number' | 'matched' | 'done' | 'failed' | 'createdAtMs' | 'changedAtMs'
type Row = Omit<Job, Figures | 'fault' | 'endedAtMs'> &
  Record<Figures, string> & {
    readonly endedAtMs: string | null
    readonly faultCode: string | null
    readonly faultMessage: string | null
  }

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::bigint`
const FIELDS = `number, tenant, job_id as "jobId", kind, body, made_by as by, status, place, matched, done, failed,
  fault_code as "faultCode", fault_message as "faultMessage",
  ${ms('created_at')} as "createdAtMs", ${ms('changed_at')} as "changedAtMs", ${ms('ended_at')} as "endedAtMs"`

/** How long an ended job can be looked at. */
const KEPT_DAYS = 30
const FORGET = `delete from jobs where ended_at < now() - interval '${KEPT_DAYS} days'`
const INSERT = `insert into jobs (tenant, job_id, kind, body, made_by) values ($1, $2, $3, $4::jsonb, $5) on conflict (tenant, job_id) do nothing`
const CLAIM = `update jobs set owner_uuid = $1, expires_at = clock_timestamp() + $2::int * interval '1 millisecond'
  where number = (
    select number from jobs where status = 'running' and kind = any($3::text[]) and (expires_at is null or expires_at <= clock_timestamp())
    order by number limit 1 for update skip locked)
  returning ${FIELDS}`
const OWNED = `where tenant = $1 and job_id = $2 and owner_uuid = $3 and status = 'running'` // J1, J3
const ADVANCE = `update jobs set place = $4::jsonb, matched = $5, done = $6, failed = $7, changed_at = now(),
  expires_at = case when status = 'running' then clock_timestamp() + $8::int * interval '1 millisecond' end
  where tenant = $1 and job_id = $2 and owner_uuid = $3 and status in ('running', 'paused') returning status` // J4
const FINISH = `update jobs set status = $4, fault_code = $5, fault_message = $6, changed_at = now(), ended_at = now(), expires_at = null
  ${OWNED} returning number`
const CANCEL = `update jobs set status = 'cancelled', changed_at = now(), ended_at = now(), expires_at = null
  where tenant = $1 and job_id = $2 and status in ('running', 'paused')`
const PAUSE = `update jobs set status = 'paused', changed_at = now() where tenant = $1 and job_id = $2 and status = 'running'`
const RESUME = `update jobs set status = 'running', changed_at = now() where tenant = $1 and job_id = $2 and status = 'paused'`

/** Jobs over the database. */
export const jobRepository = (db: Database): JobStore => {
  const find: JobStore['find'] = async ({ tenant, jobId }) => {
    const { rows } = await db.query<Row>(`select ${FIELDS} from jobs where tenant = $1 and job_id = $2`, [tenant, jobId], {
      name: 'job-find',
    })
    return rows[0] === undefined ? undefined : jobOf(rows[0])
  }
  return {
    find,
    create: async ({ tenant, jobId, kind, body, by }) => {
      await db.query(FORGET)
      await db.query(INSERT, [tenant, jobId, kind, JSON.stringify(body), by])
      const job = await find({ tenant, jobId })
      if (job === undefined || job.kind !== kind || canonicalJson(job.body) !== canonicalJson(body))
        throw new Fault('request.conflicting', `job ${jobId} was made before with another body`, { field: 'id' })
      return job
    },
    list: async ({ tenant, limit, before }) => {
      const { rows } = await db.query<Row>(
        `select ${FIELDS} from jobs where tenant = $1 and ($2::bigint is null or number < $2::bigint) order by number desc limit $3`,
        [tenant, before ?? null, limit],
      )
      const last = rows.at(-1)
      return { jobs: rows.map(jobOf), next: last === undefined || rows.length < limit ? null : Number(last.number) }
    },
    claim: async ({ kinds, ownerUuid, leaseMs }) => {
      const { rows } = await db.query<Row>(CLAIM, [ownerUuid, leaseMs, kinds], { name: 'job-claim' })
      return rows[0] === undefined ? undefined : jobOf(rows[0])
    },
    advance: async ({ tenant, jobId, ownerUuid, place, matched, done, failed, leaseMs }) => {
      const params = [tenant, jobId, ownerUuid, JSON.stringify(place), matched, done, failed, leaseMs]
      const { rows } = await db.query<{ status: string }>(ADVANCE, params, { name: 'job-advance' })
      return rows[0]?.status === 'running' // J2, J4
    },
    finish: async ({ tenant, jobId, ownerUuid, status, fault }) =>
      (await db.query(FINISH, [tenant, jobId, ownerUuid, status, fault?.code ?? null, fault?.message ?? null])).rowCount > 0,
    release: async ({ ownerUuid }) => {
      await db.query(`update jobs set expires_at = null where owner_uuid = $1 and status = 'running'`, [ownerUuid])
    },
    cancel: async (job) => {
      await db.query(CANCEL, [job.tenant, job.jobId])
      return find(job)
    },
    pause: async ({ tenant, jobId, paused }) => {
      await db.query(paused ? PAUSE : RESUME, [tenant, jobId])
      return find({ tenant, jobId })
    },
  }
}

const jobOf = ({ faultCode, faultMessage, endedAtMs, ...row }: Row): Job => {
  const { number: _, ...job } = row
  return {
    ...job,
    matched: Number(row.matched),
    done: Number(row.done),
    failed: Number(row.failed),
    createdAtMs: Number(row.createdAtMs),
    changedAtMs: Number(row.changedAtMs),
    endedAtMs: endedAtMs === null ? null : Number(endedAtMs),
    fault: faultCode === null ? null : { code: faultCode, message: faultMessage ?? '' },
  }
}
