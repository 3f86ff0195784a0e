// One job, from where it is to its end.
//   Z2. Things are done at the rate that was asked for, never faster; a job that is paused or cancelled stops within a part of a second.
//   Z3. What is away for a while is waited for; only what will never work fails the job.
import { setTimeout as sleep } from 'node:timers/promises'
import { isRetryable, toFault } from '@baton/contracts'
import type { Platform } from '@baton/service'
import type { Job } from '@baton/store'
import type { JobState, JobWork } from './job-kind.ts'

/** How long a job belongs to a process that says nothing more. */
export const LEASE_MS = 30_000
const AWAY_WAIT_MS = 1_000
/** Longest rest without a look whether the job is still wanted. */
const REST_MS = 500

type Parts = Pick<Platform, 'stores' | 'telemetry'>
type Held = { readonly job: Job; readonly ownerUuid: string; readonly signal: AbortSignal }

/** Does a job that `ownerUuid` has claimed, until it ends, rests, belongs to somebody else, or `signal` aborts. */
export const doJob = async (parts: Parts, work: JobWork, held: Held): Promise<void> => {
  const { job, ownerUuid, signal } = held
  const { jobs } = parts.stores
  const { tenant, jobId } = job
  const { logger } = parts.telemetry
  let state: JobState = job
  while (!signal.aborted) {
    const { matched, done, failed } = state
    if (work.isOver(state)) {
      await jobs.finish({ tenant, jobId, ownerUuid, status: 'completed' })
      logger.info({ jobId, action: work.action, by: job.by, matched, done, failed }, 'job done')
      return
    }
    let restMs = AWAY_WAIT_MS
    const begunMs = performance.now()
    try {
      state = await work.step(state)
      const dueMs = ((state.done + state.failed - done - failed) / work.ratePerSecond) * 1_000
      restMs = Math.max(0, dueMs - (performance.now() - begunMs)) // Z2
    } catch (error) {
      const fault = toFault(error)
      if (!isRetryable(fault.code) || fault.code === 'handler.failed') {
        await jobs.finish({ tenant, jobId, ownerUuid, status: 'failed', fault: { code: fault.code, message: fault.message } })
        return
      }
      logger.warn({ jobId, code: fault.code, reason: fault.message }, 'job waits') // Z3
    }
    if (!(await keep(parts, held, { state, restMs }))) return
  }
}

/** Writes down how far the job is, then rests. False when it is not ours any more. */
const keep = async (
  { stores }: Parts,
  { job, ownerUuid, signal }: Held,
  { state, restMs }: { state: JobState; restMs: number },
): Promise<boolean> => {
  const { matched, done, failed, place } = state
  const advance = { tenant: job.tenant, jobId: job.jobId, ownerUuid, place, matched, done, failed, leaseMs: LEASE_MS }
  for (let leftMs = restMs; ; leftMs -= REST_MS) {
    if (!(await stores.jobs.advance(advance))) return false
    if (leftMs <= 0 || signal.aborted) return true
    await sleep(Math.min(leftMs, REST_MS), undefined, { signal }).catch(() => undefined)
  }
}
