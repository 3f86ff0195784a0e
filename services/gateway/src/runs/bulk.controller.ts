// Control of many runs by a query, as jobs that can be watched and stopped.
import { randomUUID } from 'node:crypto'
import { Controller, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common'
import { Fault } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import type { JobRunner } from '../jobs/job-runner.ts'
import { JOBS } from '../tokens.ts'
import { CONTROL_JOB } from './control-job.ts'
import { CONTROL_ACTIONS } from './control.policy.ts'
import { BulkBody, jobBodyOf } from './job-bodies.ts'

const KEY_CHARS_MAX = 256
const CALLER = 'http'

@Controller('v1')
export class BulkController {
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
}
