// Control of many runs by a query, as jobs that can be watched and stopped.
import { randomUUID } from 'node:crypto'
import { Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, ValidQuery, type Platform } from '@baton/service'
import type { Job } from '@baton/store'
import { JOBS } from '../tokens.ts'
import { CONTROL_ACTIONS } from './control.policy.ts'
import { BulkBody, JobBody, jobBodyOf } from './job-bodies.ts'
import { CONTROL_JOB, type JobRunner } from './job-runner.ts'

const PAGE_MAX = 200
const KEY_CHARS_MAX = 256
const CALLER = 'http'

const ListQuery = z.looseObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'not one of ours')
    .optional(),
})
type ListQuery = z.infer<typeof ListQuery>

/** A job as callers see it. */
export type JobView = Pick<Job, 'jobId' | 'status' | 'by' | 'matched' | 'done' | 'failed' | 'fault' | 'createdAtMs' | 'endedAtMs'> & {
  readonly action: JobBody['action']
  readonly dryRun: boolean
  readonly query: Omit<JobBody, 'action' | 'dryRun'>
}

const viewOf = ({ jobId, status, by, matched, done, failed, fault, createdAtMs, endedAtMs, body }: Job): JobView => {
  const { action, dryRun, ...query } = JobBody.parse(body)
  return { jobId, action, status, dryRun, matched, done, failed, fault, by, query, createdAtMs, endedAtMs }
}

@Controller('v1')
export class JobController {
  readonly #platform: Platform
  readonly #runner: JobRunner

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(JOBS) runner: JobRunner) {
    this.#platform = platform
    this.#runner = runner
  }

  /** `POST /v1/runs:cancel|:pause|:resume|:retry`. */
  @Post('runs:action')
  @HttpCode(202)
  async begin(
    @Param('action') text: string,
    @ValidBody(BulkBody) body: BulkBody,
    @Headers(TENANT_HEADER) header: string | undefined,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<{ jobId: string }> {
    const action = CONTROL_ACTIONS.find((known) => text === `:${known}`)
    if (action === undefined) throw new Fault('request.not_found', `runs have no action ${text}`, { field: 'action' })
    if (key !== undefined && key.length > KEY_CHARS_MAX)
      throw new Fault('request.malformed', `Idempotency-Key is longer than ${KEY_CHARS_MAX} characters`, { field: 'idempotency-key' })
    const { jobId } = await this.#platform.stores.jobs.create({
      tenant: tenantOf(header),
      jobId: key ?? `job_${randomUUID()}`,
      kind: CONTROL_JOB,
      body: jobBodyOf(action, body),
      by: body.by ?? CALLER,
    })
    this.#runner.nudge()
    return { jobId }
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
    return { items: jobs.map(viewOf), nextCursor: next === null ? null : String(next) }
  }

  @Get('jobs/:id')
  async show(@Param('id') jobId: string, @Headers(TENANT_HEADER) header: string | undefined): Promise<JobView> {
    return found(jobId, await this.#platform.stores.jobs.find({ tenant: tenantOf(header), jobId }))
  }

  /** `POST /v1/jobs/{id}:cancel`: what was done stays done. */
  @Post('jobs/:target')
  @HttpCode(200)
  async cancel(@Param('target') target: string, @Headers(TENANT_HEADER) header: string | undefined): Promise<JobView> {
    if (!target.endsWith(':cancel')) throw new Fault('request.not_found', 'jobs have no action but cancel', { field: 'action' })
    const jobId = target.slice(0, -':cancel'.length)
    return found(jobId, await this.#platform.stores.jobs.cancel({ tenant: tenantOf(header), jobId }))
  }
}

const found = (jobId: string, job: Job | undefined): JobView => {
  if (job === undefined) throw new Fault('request.not_found', `no job ${jobId}`, { jobId })
  return viewOf(job)
}
