// What is in progress in runs. A run may have very many steps, so each is read in two passes over its rows, whatever is open.
import type { Database } from '@baton/store'
import type { OpenStep } from './run-view.ts'

/** Open attempts looked at of a run: those that wait for the world first, then the newest. */
const CANDIDATES_MAX = 200
/** Open steps told of a run. */
const OPEN_MAX = 20

type Run = { readonly runId: string; readonly tenant: string }
type Candidate = OpenStep & { readonly seq: number }
type Closed = { readonly runId: string; readonly path: string; readonly seq: number }

/** Steps in progress, of each run the most telling, in the order in which they began. */
export const openSteps = async (db: Database, runs: readonly Run[]): Promise<readonly OpenStep[]> => {
  const candidates = await unanswered(db, runs)
  if (candidates.length === 0) return []
  const closedAt = new Map<string, number>()
  for (const { runId, path, seq } of await ends(db, candidates, runs)) closedAt.set(keyOf(runId, path), seq)
  // A step around it that ended later gave it up; a composed step is ended by any end of its place.
  const isOpen = ({ runId, path, status, seq }: Candidate): boolean =>
    [...around(path), ...(status === 'opened' ? [path] : [])].every((place) => (closedAt.get(keyOf(runId, place)) ?? -1) < seq)
  const told = new Map<string, number>()
  return candidates
    .filter(isOpen)
    .filter(({ runId }) => {
      told.set(runId, (told.get(runId) ?? 0) + 1)
      return (told.get(runId) ?? 0) <= OPEN_MAX
    })
    .sort((a, b) => (a.runId === b.runId ? a.seq - b.seq : a.runId < b.runId ? -1 : 1))
}

const keyOf = (runId: string, path: string): string => `${runId} ${path}`

/** The places that a path names before its own: `a`, `a[1]` and `a[1]/b` of `a[1]/b/c`. */
const around = (path: string): readonly string[] => [...path.matchAll(/[/[]/g)].map(({ index }) => path.slice(0, index))

/** Attempts of which the newest state is none of an end. */
const unanswered = async (db: Database, runs: readonly Run[]): Promise<readonly Candidate[]> => {
  const { rows } = await db.query<Omit<Candidate, 'untilMs'> & { untilMs: string | null }>(
    `select r.run_id as "runId", s.seq, s.path, s.kind, s.status, s.error_code as "errorCode", f ->> 'reason' as reason,
       (f ->> 'untilMs')::bigint as "untilMs", f ->> 'event' as event, f ->> 'childRunId' as "childRunId"
     from unnest($1::text[], $2::text[]) as r(run_id, tenant) cross join lateral (
       select max(seq) as seq from trace_steps t where t.run_id = r.run_id and t.tenant = r.tenant
       group by path, greatest(attempt, 1)
       having max(seq) > coalesce(max(seq) filter (where status in ('completed', 'failed')), -1)
       order by max((kind in ('human', 'event', 'wait'))::int) desc, max(seq) desc limit ${CANDIDATES_MAX}
     ) as o join trace_steps s on s.run_id = r.run_id and s.tenant = r.tenant and s.seq = o.seq cross join lateral (select s.facts::json as f) as f
     order by s.kind in ('human', 'event', 'wait') desc, s.seq desc`,
    [runs.map(({ runId }) => runId), runs.map(({ tenant }) => tenant)],
  )
  return rows.map(({ untilMs, ...row }) => ({ ...row, untilMs: untilMs === null ? null : Number(untilMs) }))
}

/** The last ends of the places of some steps and of those around them. */
const ends = async (db: Database, steps: readonly Candidate[], runs: readonly Run[]): Promise<readonly Closed[]> => {
  const paths = new Set(steps.flatMap(({ path }) => [path, ...around(path)]))
  const open = new Set(steps.map(({ runId }) => runId))
  const asked = runs.filter(({ runId }) => open.has(runId))
  const { rows } = await db.query<Closed>(
    `select e.run_id as "runId", e.path, max(e.seq) as seq from trace_steps e
     where e.run_id = any($1) and e.tenant = any($2) and e.path = any($3) and e.status in ('completed', 'failed') group by e.run_id, e.path`,
    [asked.map(({ runId }) => runId), [...new Set(asked.map(({ tenant }) => tenant))], [...paths]],
  )
  return rows
}
