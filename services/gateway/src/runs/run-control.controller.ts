// Changes of one run over HTTP. Each is appended to the log of the run, with who asked for it; the engine acts on it (V1).
import { randomUUID } from 'node:crypto'
import { Controller, Headers, HttpCode, Inject, Param, Patch, Post } from '@nestjs/common'
import type { OutgoingRecord } from '@baton/bus/bus'
import { Fault, TOPICS, type Json, type JsonObject } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import { checkEvent, flowOfRun } from '../events/event-check.ts'
import type { FlowCatalog } from '../flows/flow-catalog.ts'
import { CATALOG } from '../tokens.ts'
import { ControlBody, EventBody, PatchBody } from './control-bodies.ts'
import { CONTROL_ACTIONS, isSettledFor, requireOpenTo, type ControlAction } from './control.policy.ts'
import { actionRecord, changeRecord, retryIdOf } from './control-records.ts'
import { findKnownRun, type KnownRun } from './known-run.ts'
import { patchOf, requireFirstStep } from './run-patch.ts'

type RequestHeaders = Readonly<Record<string, string | undefined>>
type Controlled = { readonly runId: string; readonly status: string; readonly retryOf?: string; readonly requestId?: string }

/** Who asked, where nobody says. */
const CALLER = 'http'
const KEY_CHARS_MAX = 256
const ONGOING: Readonly<Record<ControlAction, string>> = {
  cancel: 'cancelling',
  pause: 'pausing',
  resume: 'resuming',
  retry: 'retrying',
}

const isAction = (text: string): text is ControlAction => CONTROL_ACTIONS.some((action) => action === text)

@Controller('v1/runs')
export class RunControlController {
  readonly #platform: Platform
  readonly #catalog: FlowCatalog

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(CATALOG) catalog: FlowCatalog) {
    this.#platform = platform
    this.#catalog = catalog
  }

  /** `POST /v1/runs/{id}:cancel|:pause|:resume|:retry`. A retry answers with the id of the new run. */
  @Post(':target')
  @HttpCode(202)
  async act(
    @Param('target') target: string,
    @ValidBody(ControlBody) body: ControlBody,
    @Headers() headers: RequestHeaders,
  ): Promise<Controlled> {
    const mark = target.lastIndexOf(':')
    const [runId, action] = mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
    if (!isAction(action))
      throw new Fault('request.not_found', `runs have no action ${action === '' ? '(none)' : action}`, { field: 'action' })
    const tenant = tenantOf(headers[TENANT_HEADER])
    const run = await this.#run(action, { tenant, runId })
    const { by = CALLER, reason, undo, from } = body ?? {}
    if (action === 'retry' && from !== undefined) requireFirstStep((await flowOfRun(this.#catalog, run, tenant)).plan, from)
    const key = keyOf(headers)
    const options = { by, reason, undo, from }
    await this.#append(actionRecord(run, action, { options, key, tenant, nowMs: this.#platform.nowMs(), partitions: this.#partitions }))
    if (action !== 'retry') return { runId, status: ONGOING[action] }
    const { newRunId, requestId } = retryIdOf({ runId, tenant, cause: key })
    return { runId: newRunId, status: ONGOING.retry, retryOf: runId, requestId }
  }

  /** Changes input and params of a paused run; checked against the plan that it runs on. */
  @Patch(':id')
  @HttpCode(202)
  async patch(@Param('id') runId: string, @ValidBody(PatchBody) body: PatchBody, @Headers() headers: RequestHeaders): Promise<Controlled> {
    const tenant = tenantOf(headers[TENANT_HEADER])
    const run = await this.#run('patch', { tenant, runId })
    // The body was parsed from JSON.
    const { input, params } = body as { input?: JsonObject; params?: JsonObject }
    const change = patchOf((await flowOfRun(this.#catalog, run, tenant)).plan, { input, params })
    const data = { runId, by: body.by ?? CALLER, ...change }
    await this.#append(
      changeRecord(run, { name: 'run.patch', data, tenant, cause: `patch/${keyOf(headers)}`, partitions: this.#partitions }),
    )
    return { runId, status: 'patching' }
  }

  /** Tells a run of an event; the same event twice is one. */
  @Post(':id/events')
  @HttpCode(202)
  async send(
    @Param('id') runId: string,
    @ValidBody(EventBody) body: EventBody,
    @Headers() headers: RequestHeaders,
  ): Promise<{ runId: string; eventId: string }> {
    const tenant = tenantOf(headers[TENANT_HEADER])
    const run = await this.#run('send', { tenant, runId })
    const eventId = headers['idempotency-key'] === undefined ? (body.id ?? randomUUID()) : keyOf(headers)
    // The body was parsed from JSON.
    const data = { runId, eventId, event: body.event, data: (body.data ?? null) as Json, by: body.by ?? CALLER }
    await checkEvent(this.#catalog, run, { tenant, event: data.event, data: data.data }) // V5
    await this.#append(changeRecord(run, { name: 'run.event', data, tenant, cause: `event/${eventId}`, partitions: this.#partitions }))
    return { runId, eventId }
  }

  get #partitions(): number {
    return this.#platform.bus.partitions(TOPICS.events)
  }

  async #run(change: ControlAction | 'patch' | 'send', of: { tenant: string; runId: string }): Promise<KnownRun> {
    const run = await findKnownRun(this.#platform.call, { ...of, isExpected: (known) => isSettledFor(change, known) })
    requireOpenTo(change, run)
    return run
  }

  /** What the engine is told has to fit into a message: it never follows a reference. */
  async #append(record: OutgoingRecord): Promise<void> {
    const { inlineBytesMax } = this.#platform.config
    if (record.value.length > inlineBytesMax)
      throw new Fault('request.too_large', `the change has ${record.value.length} bytes, at most ${inlineBytesMax} are taken`, {
        field: '(root)',
        bytes: record.value.length,
        bytesMax: inlineBytesMax,
      })
    await this.#platform.bus.publish([record])
  }
}

const keyOf = (headers: RequestHeaders): string => {
  const key = headers['idempotency-key'] ?? randomUUID()
  if (key.length > KEY_CHARS_MAX)
    throw new Fault('request.malformed', `Idempotency-Key is longer than ${KEY_CHARS_MAX} characters`, { field: 'idempotency-key' })
  return key
}
