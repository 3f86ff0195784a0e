// One job of control, from where it is to its end.
//   Z2. Runs are changed at the rate that was asked for, never faster; a job that is cancelled stops within a part of a second.
//   Z3. What is away for a while is waited for; only what will never work fails the job.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, isRetryable, TOPICS, toFault } from '@baton/contracts'
import type { Platform } from '@baton/service'
import type { Job } from '@baton/store'
import { actionRecord } from './control-records.ts'
import { JobBody } from './job-bodies.ts'
import { nextPage, placeOf, type JobPlace } from './job-pages.ts'

/** How long a job belongs to a process that says nothing more. */
export const LEASE_MS = 30_000
const AWAY_WAIT_MS = 1_000
/** Runs changed before the place is written down again, and the time they are spread over. */
const CHUNK_RUNS_MAX = 50
const CHUNK_MS = 200
/** Longest rest without a look whether the job is still wanted. */
const REST_MS = 500

type Parts = Pick<Platform, 'bus' | 'stores' | 'call' | 'telemetry' | 'nowMs'>
type State = { readonly place: JobPlace; readonly matched: number; readonly done: number; readonly failed: number }
type Work = {
  readonly parts: Parts
  readonly job: Job
  readonly body: JobBody
  readonly ownerUuid: string
  readonly signal: AbortSignal
}

/** Does a job that `ownerUuid` has claimed, until it ends, belongs to somebody else, or `signal` aborts. */
export const doJob = async (
  parts: Parts,
  { job, ownerUuid, signal }: { job: Job; ownerUuid: string; signal: AbortSignal },
): Promise<void> => {
  const { jobs } = parts.stores
  const work: Work = { parts, job, ownerUuid, signal, body: JobBody.parse(job.body) }
  const { tenant, jobId } = job
  const { logger } = parts.telemetry
  let state: State = { ...job, place: placeOf(job.place, parts.nowMs()) }
  while (!signal.aborted) {
    const { matched, done, failed, place } = state
    if (place.last && place.at >= place.page.length) {
      await jobs.finish({ tenant, jobId, ownerUuid, status: 'completed' })
      logger.info({ jobId, action: work.body.action, matched, done, failed }, 'job done')
      return
    }
    let restMs = AWAY_WAIT_MS
    try {
      state = await step(work, state)
      restMs = ((state.done + state.failed - done - failed) / work.body.ratePerSecond) * 1_000 // Z2
    } catch (error) {
      const fault = toFault(error)
      if (!isRetryable(fault.code) || fault.code === 'handler.failed') {
        await jobs.finish({ tenant, jobId, ownerUuid, status: 'failed', fault: { code: fault.code, message: fault.message } })
        return
      }
      logger.warn({ jobId, code: fault.code, reason: fault.message }, 'job waits') // Z3
    }
    if (!(await keep(work, state, restMs))) return
  }
}

/** One step forward: the next page, or a part of this one. */
const step = async ({ parts, job, body }: Work, { place, ...counts }: State): Promise<State> => {
  if (place.at >= place.page.length) {
    const runsLeft = body.limitRuns - counts.matched
    const next = await nextPage(parts.call, { tenant: job.tenant, body, place, runsLeft })
    return { ...counts, matched: counts.matched + next.page.length, place: body.dryRun ? { ...next, at: next.page.length } : next }
  }
  const runs = Math.min(CHUNK_RUNS_MAX, Math.max(1, Math.floor((body.ratePerSecond * CHUNK_MS) / 1_000)))
  const chunk = place.page.slice(place.at, place.at + runs)
  const failed = await change({ parts, job, body }, chunk)
  return {
    matched: counts.matched,
    done: counts.done + chunk.length - failed,
    failed: counts.failed + failed,
    place: { ...place, at: place.at + chunk.length },
  }
}

/** Appends a change for each run; gives how many could not be appended. */
const change = async ({ parts, job, body }: Pick<Work, 'parts' | 'job' | 'body'>, runs: JobPlace['page']): Promise<number> => {
  const { bus, telemetry, nowMs } = parts
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

/** Writes down how far the job is, then rests. False when it is not ours any more. */
const keep = async ({ parts, job, ownerUuid, signal }: Work, state: State, restMs: number): Promise<boolean> => {
  const { matched, done, failed, place } = state
  const advance = { tenant: job.tenant, jobId: job.jobId, ownerUuid, place, matched, done, failed, leaseMs: LEASE_MS }
  for (let leftMs = restMs; ; leftMs -= REST_MS) {
    if (!(await parts.stores.jobs.advance(advance))) return false
    if (leftMs <= 0 || signal.aborted) return true
    await sleep(Math.min(leftMs, REST_MS), undefined, { signal }).catch(() => undefined)
  }
}
