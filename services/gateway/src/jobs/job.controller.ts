// Jobs of every kind: how far they are, and holding, resuming and stopping them.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidQuery, type Platform } from '@baton/service'
import type { Job } from '@baton/store'
import { JOBS } from '../tokens.ts'
import type { JobAbout } from './job-kind.ts'
import type { JobRunner } from './job-runner.ts'

const PAGE_MAX = 200

const ListQuery = z.looseObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'not one of ours')
    .optional(),
})
type ListQuery = z.infer<typeof ListQuery>

/** A job as callers see it. */
export type JobView = JobAbout &
  Pick<Job, 'jobId' | 'kind' | 'status' | 'by' | 'matched' | 'done' | 'failed' | 'fault' | 'createdAtMs' | 'endedAtMs'>

@Controller('v1')
export class JobController {
  readonly #platform: Platform
  readonly #runner: JobRunner

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(JOBS) runner: JobRunner) {
    this.#platform = platform
    this.#runner = runner
  }

  /** Newest first. */
  @Get('jobs')
  async list(
    @ValidQuery(ListQuery) { limit, cursor }: ListQuery,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<{ items: readonly JobView[]; nextCursor: string | null }> {
    const { jobs, next } = await this.#platform.stores.jobs.list({
      tenant: tenantOf(header),
      limit,
      ...(cursor === undefined ? {} : { before: Number(cursor) }),
    })
    return { items: jobs.map((job) => this.#viewOf(job)), nextCursor: next === null ? null : String(next) }
  }

  @Get('jobs/:id')
  async show(@Param('id') jobId: string, @Headers(TENANT_HEADER) header: string | undefined): Promise<JobView> {
    return this.#found(jobId, await this.#platform.stores.jobs.find({ tenant: tenantOf(header), jobId }))
  }

  /** `POST /v1/jobs/{id}:cancel|:pause|:resume`: what was done stays done. */
  @Post('jobs/:target')
  @HttpCode(200)
  async act(@Param('target') target: string, @Headers(TENANT_HEADER) header: string | undefined): Promise<JobView> {
    const [, jobId = '', action] = /^(.+):(cancel|pause|resume)$/.exec(target) ?? []
    const { jobs } = this.#platform.stores
    const job = { tenant: tenantOf(header), jobId }
    switch (action) {
      case 'cancel':
        return this.#found(jobId, await jobs.cancel(job))
      case 'pause':
        return this.#found(jobId, await jobs.pause({ ...job, paused: true }))
      case 'resume': {
        const view = this.#found(jobId, await jobs.pause({ ...job, paused: false }))
        this.#runner.nudge()
        return view
      }
      default:
        throw new Fault('request.not_found', 'jobs have the actions cancel, pause and resume', { field: 'action' })
    }
  }

  #found(jobId: string, job: Job | undefined): JobView {
    if (job === undefined) throw new Fault('request.not_found', `no job ${jobId}`, { jobId })
    return this.#viewOf(job)
  }

  #viewOf(job: Job): JobView {
    const { kind, status, by, matched, done, failed, fault, createdAtMs, endedAtMs } = job
    return { jobId: job.jobId, kind, status, matched, done, failed, fault, by, createdAtMs, endedAtMs, ...this.#runner.about(job) }
  }
}
