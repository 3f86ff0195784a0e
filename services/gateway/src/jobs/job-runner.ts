// Does the jobs of this installation, in whichever gateway has time.
//   Z1. A job goes on after a restart of its gateway, in this one or another, from where it was; of two gateways one does it.
import { randomUUID } from 'node:crypto'
import { toFault } from '@baton/contracts'
import type { Platform } from '@baton/service'
import type { Job } from '@baton/store'
import type { JobAbout, JobKind } from './job-kind.ts'
import { doJob, LEASE_MS } from './job-loop.ts'

const JOBS_AT_ONCE = 4

export type JobRunner = {
  /** What a job is about, as far as this version knows its kind. */
  about(job: Job): JobAbout
  /** Looks for work now instead of at the next look. */
  nudge(): void
  start(): void
  /** Lets others go on (Z1). */
  close(): Promise<void>
}

/** Does jobs of this installation once started. `lookMs`: how often it asks for some that others left. */
export const createJobRunner = (
  platform: Pick<Platform, 'stores' | 'telemetry'>,
  { kinds: known, lookMs = 2_000 }: { kinds: readonly JobKind[]; lookMs?: number },
): JobRunner => {
  const { jobs } = platform.stores
  const { logger } = platform.telemetry
  const kinds = new Map(known.map((one) => [one.kind, one]))
  const ownerUuid = randomUUID()
  const stop = new AbortController()
  const active = new Set<Promise<void>>()
  let looking: NodeJS.Timeout | undefined
  let claiming: Promise<void> | undefined
  let wanted = false

  const work = async (job: Job): Promise<void> => {
    const kind = kinds.get(job.kind)
    if (kind !== undefined) await doJob(platform, kind.open(job), { job, ownerUuid, signal: stop.signal })
  }

  const track = (job: Job): void => {
    const working = work(job)
      .catch((error: unknown) => logger.warn({ jobId: job.jobId, reason: toFault(error).message }, 'job left for later'))
      .finally(() => {
        active.delete(working)
        nudge()
      })
    active.add(working)
  }

  const claimAll = async (): Promise<void> => {
    while (!stop.signal.aborted && active.size < JOBS_AT_ONCE) {
      wanted = false
      const job = await jobs.claim({ kinds: [...kinds.keys()], ownerUuid, leaseMs: LEASE_MS })
      if (job !== undefined) track(job)
      else if (!wanted) return
    }
  }

  const nudge = (): void => {
    wanted = true
    if (stop.signal.aborted) return
    claiming ??= claimAll()
      .catch((error: unknown) => logger.warn({ reason: toFault(error).message }, 'jobs cannot be looked for'))
      .finally(() => {
        claiming = undefined
      })
  }

  return {
    about: (job) => kinds.get(job.kind)?.about(job) ?? { action: job.kind, dryRun: false, query: {} },
    nudge,
    start: () => {
      nudge()
      looking = setInterval(nudge, lookMs).unref()
    },
    close: async () => {
      clearInterval(looking)
      stop.abort()
      await claiming
      await Promise.all(active)
      await jobs.release({ ownerUuid }).catch(() => undefined) // its lease runs out by itself
    },
  }
}
