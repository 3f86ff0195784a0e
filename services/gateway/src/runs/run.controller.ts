import { randomUUID } from 'node:crypto'
import { Controller, Get, Headers, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common'
import { Fault, RunRequest, runIdOf, type RunResult } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import { forward, type HttpReply, type HttpRequest } from '../forward/forward.ts'
import { patientCall } from '../forward/patient-call.ts'
import type { Accepted, IncomingRequest, Intake } from '../intake/intake.ts'
import { INTAKE, RESULTS } from '../tokens.ts'
import { endedResult, waitMsOf, withResult } from './run-wait.ts'
import type { TopicWatch } from './topic-watch.ts'

/** Source of requests over HTTP until keys have owners. */
const HTTP_SOURCE = 'http'

const IDEMPOTENCY_HEADER = 'idempotency-key'

type RequestHeaders = Readonly<Record<string, string | undefined>>
type Begun = { readonly runId: string; readonly requestId: string; readonly repeat: boolean }

@Controller('v1/runs')
export class RunController {
  readonly #platform: Platform
  readonly #intake: Intake
  readonly #results: TopicWatch

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(INTAKE) intake: Intake, @Inject(RESULTS) results: TopicWatch) {
    this.#platform = platform
    this.#intake = intake
    this.#results = results
  }

  /** Starts a run: 202 with its id; with `?wait=` the result, or 202 when the time was not enough. */
  @Post()
  @HttpCode(202)
  async start(
    @ValidBody(RunRequest) request: RunRequest,
    @Headers() headers: RequestHeaders,
    @Query('wait') wait: string | undefined,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<Begun | RunResult> {
    const waitMs = waitMsOf(wait)
    const incoming = this.#incoming(request, headers)
    const { requestId } = incoming
    if (waitMs === undefined) return { ...(await this.#accept(incoming)), requestId }
    const runId = runIdOf(incoming)
    const { started, result } = await withResult(this.#results, { runId, waitMs, start: () => this.#acceptOrEnded(incoming) })
    if (result === undefined) return { runId, requestId, repeat: started.repeat }
    reply.code(200)
    return result
  }

  @Get()
  list(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return forward(this.#platform.call, { service: 'tracing', request, reply })
  }

  @Get(':id')
  show(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return forward(patientCall(this.#platform.call), { service: 'tracing', request, reply })
  }

  @Get(':id/trace')
  trace(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return forward(patientCall(this.#platform.call), { service: 'tracing', request, reply })
  }

  @Get(':id/payloads/:ref')
  payload(@Req() request: HttpRequest, @Res() reply: HttpReply): Promise<void> {
    return forward(patientCall(this.#platform.call), { service: 'tracing', request, reply })
  }

  #incoming(request: RunRequest, headers: RequestHeaders): IncomingRequest {
    const { requestBytesMax } = this.#platform.config
    const bytes = Number(headers['content-length'] ?? 0) || Buffer.byteLength(JSON.stringify(request))
    if (bytes > requestBytesMax)
      throw new Fault('request.too_large', `the request has ${bytes} bytes, at most ${requestBytesMax} are taken`, {
        field: '(root)',
        bytes,
        bytesMax: requestBytesMax,
      })
    return {
      request,
      requestId: headers[IDEMPOTENCY_HEADER] ?? request.id ?? randomUUID(),
      tenant: tenantOf(headers[TENANT_HEADER] ?? request.tenant),
      source: request.source ?? HTTP_SOURCE,
      requestedAtMs: this.#platform.nowMs(),
      traceparent: headers['traceparent'],
    }
  }

  async #accept(incoming: IncomingRequest): Promise<Accepted> {
    try {
      const accepted = await this.#intake.accept(incoming)
      this.#platform.telemetry.metrics.count('baton_requests_total', { via: 'http', outcome: 'accepted' })
      return accepted
    } catch (error) {
      this.#platform.telemetry.metrics.count('baton_requests_total', { via: 'http', outcome: 'rejected' })
      throw error
    }
  }

  /** A repeat of a request whose run ended long ago gets no new result on the topic: tracing has it. */
  async #acceptOrEnded(incoming: IncomingRequest): Promise<Accepted & { ended?: RunResult | undefined }> {
    const accepted = await this.#accept(incoming)
    return accepted.repeat ? { ...accepted, ended: await endedResult(this.#platform.call, accepted.runId) } : accepted
  }
}
