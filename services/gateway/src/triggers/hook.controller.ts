// Triggers over HTTP: a method and path that a flow has for itself, below `/hooks`.
//   O1. `event` is the body of a POST or PUT and the query of a GET, with the variables of the path in it.
//   O2. With `Idempotency-Key` the same event again is the same run, another event under the same key is refused.
import { randomUUID } from 'node:crypto'
import { All, Controller, Headers, HttpCode, Inject, Query, Req, Res } from '@nestjs/common'
import { DEFAULT_TENANT, Fault, isJsonObject, toFault, type Json } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, type Platform } from '@baton/service'
import type { HttpReply, HttpRequest } from '../forward/forward.ts'
import { TRIGGERS } from '../tokens.ts'
import type { HookMatch } from './trigger-book.ts'
import type { Triggers } from './triggers.ts'

type RequestHeaders = Readonly<Record<string, string | undefined>>
type Begun = { readonly started: boolean; readonly runId?: string; readonly requestId?: string; readonly repeat?: boolean }

const IDEMPOTENCY_HEADER = 'idempotency-key'
const KEY_CHARS_MAX = 256

@Controller('hooks')
export class HookController {
  readonly #platform: Platform
  readonly #triggers: Triggers

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(TRIGGERS) triggers: Triggers) {
    this.#platform = platform
    this.#triggers = triggers
  }

  /** 202 with the id of the run; 200 when the flow does not want this event. */
  @All('*')
  @HttpCode(202)
  async take(
    @Req() request: HttpRequest,
    @Query() query: Readonly<Record<string, string>>,
    @Headers() headers: RequestHeaders,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<Begun> {
    const tenant = tenantOf(headers[TENANT_HEADER])
    const path = pathOf(request.url)
    const match = this.#find(tenant, request.method, path)
    if (match.row.paused) throw new Fault('request.conflicting', `${match.trigger.subject} is paused`, { trigger: match.trigger.id })
    try {
      const begun = await this.#start(match, { tenant, request, query, headers })
      if (!begun.started) reply.code(200)
      return begun
    } catch (error) {
      this.#triggers.notes.failed(match.trigger.id, toFault(error))
      throw error
    }
  }

  #find(tenant: string, method: string, path: string): HookMatch {
    const own = this.#triggers.hook(tenant, method, path)
    if (own !== undefined) return own
    const shared = this.#triggers.hook(DEFAULT_TENANT, method, path)
    if (shared !== undefined && !this.#triggers.hasOwn(tenant, shared.trigger.flow)) return shared
    throw new Fault('request.not_found', `no flow is started by ${method} ${path}`, { field: 'path' })
  }

  async #start(
    { trigger, variables }: HookMatch,
    {
      tenant,
      request,
      query,
      headers,
    }: { tenant: string; request: HttpRequest; query: Readonly<Record<string, string>>; headers: RequestHeaders },
  ): Promise<Begun> {
    const sent: Json = trigger.spec.method === 'GET' ? { ...query } : bodyOf(request.body)
    const { requestBytesMax } = this.#platform.config
    const bytes = Number(headers['content-length'] ?? 0) || Buffer.byteLength(JSON.stringify(sent))
    if (bytes > requestBytesMax)
      throw new Fault('request.too_large', `the request has ${bytes} bytes, at most ${requestBytesMax} are taken`, { bytes })
    const event = isJsonObject(sent) ? { ...sent, ...variables } : sent // O1
    if (!trigger.program.matches(event)) return { started: false }
    const requestId = headers[IDEMPOTENCY_HEADER] ?? randomUUID()
    if (requestId.length > KEY_CHARS_MAX)
      throw new Fault('request.malformed', `${IDEMPOTENCY_HEADER}: is longer than ${KEY_CHARS_MAX} characters`, {
        field: IDEMPOTENCY_HEADER,
      })
    const accepted = await this.#triggers.startRun(trigger, {
      input: trigger.program.input(event),
      tenant,
      requestId,
      identity: { event }, // O2
      atMs: this.#platform.nowMs(),
      traceparent: headers['traceparent'],
    })
    this.#triggers.notes.started(trigger.id, accepted.runId)
    return { started: true, ...accepted, requestId }
  }
}

/** What the parser of the body made of it: JSON, or nothing where nothing was sent. */
const bodyOf = (body: unknown): Json => (body === undefined ? null : (body as Json)) // Fastify parses JSON alone

const PREFIX = '/hooks'

/** The path below `/hooks`, decoded. Throws `request.malformed`. */
const pathOf = (url: string): string => {
  const [path = ''] = url.slice(PREFIX.length).split('?')
  try {
    return decodeURIComponent(path)
  } catch {
    throw new Fault('request.malformed', 'the path is not an address', { field: 'path' })
  }
}
