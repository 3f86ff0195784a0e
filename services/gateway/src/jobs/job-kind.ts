// What a kind of job is to the loop that does it.
import type { Json } from '@baton/contracts'
import type { Job } from '@baton/store'

/** How far a job is. */
export type JobState = { readonly place: Json; readonly matched: number; readonly done: number; readonly failed: number }

/** A job that was taken up. */
export type JobWork = {
  readonly action: string
  /** Things done a second, at most. */
  readonly ratePerSecond: number
  readonly isOver: (state: JobState) => boolean
  /** One step forward: looks for more to do, or does a part of it. Doing a step again after a crash must do no harm. */
  readonly step: (state: JobState) => Promise<JobState>
}

/** What callers are told of a job beside its figures. */
export type JobAbout = {
  readonly action: string
  readonly dryRun: boolean
  readonly query: object
  readonly found?: object
}

export type JobKind = {
  /** As it is in the store. */
  readonly kind: string
  readonly open: (job: Job) => JobWork
  readonly about: (job: Job) => JobAbout
}

/** How many things to do before the place is written down again: what a rate allows in a part of a second. */
export const chunkOf = (ratePerSecond: number): number => Math.min(CHUNK_MAX, Math.max(1, Math.floor((ratePerSecond * CHUNK_MS) / 1_000)))

const CHUNK_MAX = 50
const CHUNK_MS = 200
