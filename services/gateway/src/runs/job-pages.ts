// The runs of a job, page by page from tracing's list.
//   Y1. A job takes the runs that were there when it began: what it starts itself, and what others start meanwhile, is not among them.
//   Y2. What is to be done is written down before it is begun, so that whoever goes on neither repeats nor forgets any of it.
import { z } from 'zod'
import { Fault, isFaultCode, isJsonObject, type Json } from '@baton/contracts'
import { TENANT_HEADER, type ServiceCall } from '@baton/service'
import { isOpenTo } from './control.policy.ts'
import type { JobBody } from './job-bodies.ts'
import { knownRunOf, type KnownRun } from './known-run.ts'

const PAGE_RUNS = 200

const Place = z.object({
  /** Runs requested from then on are none of the job's. */
  beforeMs: z.number(),
  cursor: z.string().nullable(),
  /** Whether there is no page after this one. */
  last: z.boolean(),
  page: z.array(z.object({ runId: z.string(), rootRunId: z.string() })),
  /** How many runs of the page are done. */
  at: z.number().int().nonnegative(),
})
/** How far a job is (Y2). */
export type JobPlace = z.infer<typeof Place>

/** The place of a job as it was kept, or the beginning. */
export const placeOf = (kept: Json, nowMs: number): JobPlace => {
  const parsed = Place.safeParse(kept)
  return parsed.success ? parsed.data : { beforeMs: nowMs, cursor: null, last: false, page: [], at: 0 }
}

type Row = { readonly run: KnownRun; readonly requestedAtMs: number }
type List = { readonly rows: readonly Row[]; readonly cursor: string | null }

const rowOf = (item: Json): readonly Row[] => {
  const run = knownRunOf(item)
  const requestedAtMs = isJsonObject(item) ? item['requestedAtMs'] : undefined
  return run === undefined || typeof requestedAtMs !== 'number' ? [] : [{ run, requestedAtMs }]
}

const pathOf = ({ flow, status, root, labels }: JobBody, cursor: string | null): string => {
  const fields: [string, string][] = [
    ['limit', String(PAGE_RUNS)],
    ['status', status],
  ]
  if (flow !== undefined) fields.push(['flow', flow])
  if (root !== undefined) fields.push(['root', root])
  for (const label of labels) fields.push(['label', label])
  if (cursor !== null) fields.push(['cursor', cursor])
  return `/v1/runs?${new URLSearchParams(fields).toString()}`
}

/** Throws `bus.unavailable` where tracing cannot answer now, else what it says. */
const list = async (
  call: ServiceCall,
  { tenant, body, cursor }: { tenant: string; body: JobBody; cursor: string | null },
): Promise<List> => {
  const reply = await call({ service: 'tracing', method: 'GET', path: pathOf(body, cursor), headers: { [TENANT_HEADER]: tenant } })
  if (reply.status >= 500) throw new Fault('bus.unavailable', `tracing answers ${reply.status}`)
  const page: unknown = JSON.parse(reply.body)
  if (reply.status !== 200 || !isJsonObject(page) || !Array.isArray(page['items'])) throw problemOf(page)
  const next = page['nextCursor']
  return { rows: page['items'].flatMap(rowOf), cursor: typeof next === 'string' ? next : null }
}

const problemOf = (problem: unknown): Fault => {
  const { code, detail } = isJsonObject(problem) ? problem : {}
  return new Fault(isFaultCode(code) ? code : 'request.malformed', typeof detail === 'string' ? detail : 'tracing does not take the query')
}

/** A run that a step started is run again with the run of that step, never for its own sake. */
const isWanted = ({ run, requestedAtMs }: Row, { action, startedAfterMs = 0, startedBeforeMs = Infinity }: JobBody): boolean =>
  requestedAtMs >= startedAfterMs &&
  requestedAtMs < startedBeforeMs &&
  (action !== 'retry' || run.parentRunId === undefined) &&
  isOpenTo(action, run)

/** The next page: at most `runsLeft` runs that the action can change. Lists are newest first. */
export const nextPage = async (
  call: ServiceCall,
  { tenant, body, place, runsLeft }: { tenant: string; body: JobBody; place: JobPlace; runsLeft: number },
): Promise<JobPlace> => {
  const { rows, cursor } = await list(call, { tenant, body, cursor: place.cursor })
  const wanted = rows.filter((row) => row.requestedAtMs < place.beforeMs && isWanted(row, body)) // Y1
  const tooOld = (rows.at(-1)?.requestedAtMs ?? 0) < (body.startedAfterMs ?? 0)
  return {
    beforeMs: place.beforeMs,
    cursor,
    last: cursor === null || tooOld || wanted.length >= runsLeft,
    page: wanted.slice(0, runsLeft).map(({ run: { runId, rootRunId } }) => ({ runId, rootRunId })),
    at: 0,
  }
}
