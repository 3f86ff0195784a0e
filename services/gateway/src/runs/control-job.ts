// Control of many runs as a kind of job: finds them page by page, and appends a change for each.
import { Fault, isRetryable, TOPICS } from '@baton/contracts'
import type { Platform } from '@baton/service'
import type { Job } from '@baton/store'
import { chunkOf, type JobKind, type JobState } from '../jobs/job-kind.ts'
import { actionRecord } from './control-records.ts'
import { JobBody } from './job-bodies.ts'
import { nextPage, placeOf, type JobPlace } from './job-pages.ts'

/** Kind of the jobs in the store. */
export const CONTROL_JOB = 'runs.control'

type Parts = Pick<Platform, 'bus' | 'call' | 'telemetry' | 'nowMs'>

export const controlJobs = (parts: Parts): JobKind => ({
  kind: CONTROL_JOB,
  open: (job) => {
    const body = JobBody.parse(job.body)
    const placeIn = ({ place }: JobState): JobPlace => placeOf(place, parts.nowMs())
    return {
      action: body.action,
      ratePerSecond: body.ratePerSecond,
      isOver: (state) => {
        const place = placeIn(state)
        return place.last && place.at >= place.page.length
      },
      step: (state) => step(parts, { job, body }, { ...state, place: placeIn(state) }),
    }
  },
  about: ({ body }) => {
    const { action, dryRun, ...query } = JobBody.parse(body)
    return { action, dryRun, query }
  },
})

type Asked = { readonly job: Job; readonly body: JobBody }

/** One step forward: the next page, or a part of this one. */
const step = async (
  parts: Parts,
  { job, body }: Asked,
  { place, ...counts }: Omit<JobState, 'place'> & { readonly place: JobPlace },
): Promise<JobState> => {
  if (place.at >= place.page.length) {
    const runsLeft = body.limitRuns - counts.matched
    const next = await nextPage(parts.call, { tenant: job.tenant, body, place, runsLeft })
    return { ...counts, matched: counts.matched + next.page.length, place: body.dryRun ? { ...next, at: next.page.length } : next }
  }
  const chunk = place.page.slice(place.at, place.at + chunkOf(body.ratePerSecond))
  const failed = await change(parts, { job, body }, chunk)
  return {
    matched: counts.matched,
    done: counts.done + chunk.length - failed,
    failed: counts.failed + failed,
    place: { ...place, at: place.at + chunk.length },
  }
}

/** Appends a change for each run; gives how many could not be appended. */
const change = async ({ bus, telemetry, nowMs }: Parts, { job, body }: Asked, runs: JobPlace['page']): Promise<number> => {
  const { tenant, jobId, by } = job
  const { action, reason, undo, from } = body
  const place = { tenant, key: jobId, nowMs: nowMs(), partitions: bus.partitions(TOPICS.events), options: { by, reason, undo, from } }
  try {
    await bus.publish(runs.map((run) => actionRecord(run, action, place)))
    return 0
  } catch (error) {
    if (!(error instanceof Fault) || isRetryable(error.code)) throw error
    telemetry.logger.warn({ jobId, code: error.code, reason: error.message, runs: runs.length }, 'runs could not be changed')
    return runs.length
  }
}
