// What starts flows, over HTTP: shown, paused, taken up again.
import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common'
import { z } from 'zod'
import { Fault } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, type Platform } from '@baton/service'
import { announce } from '../flows/flow-publisher.ts'
import { TRIGGERS } from '../tokens.ts'
import type { Triggers, TriggerView } from './triggers.ts'

/** Who pauses a trigger or takes it up again. */
export const TriggerBody = z.looseObject({ by: z.string().min(1).max(200).optional() }).nullish()
type TriggerBody = z.infer<typeof TriggerBody>

@Controller('v1/triggers')
export class TriggerController {
  readonly #platform: Platform
  readonly #triggers: Triggers

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(TRIGGERS) triggers: Triggers) {
    this.#platform = platform
    this.#triggers = triggers
  }

  /** The triggers of all published flows, or of one. */
  @Get()
  async list(
    @Query('flow') flow: string | undefined,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<{ items: readonly TriggerView[] }> {
    const all = await this.#triggers.list(tenantOf(header))
    return { items: flow === undefined ? all : all.filter((trigger) => trigger.flow === flow) }
  }

  /** `POST /v1/triggers/{id}:pause` and `:resume`. */
  @Post(':target')
  @HttpCode(200)
  async act(
    @Param('target') target: string,
    @ValidBody(TriggerBody) body: TriggerBody,
    @Headers(TENANT_HEADER) header: string | undefined,
  ): Promise<TriggerView> {
    const [id = '', action] = target.split(':')
    if (action !== 'pause' && action !== 'resume')
      throw new Fault('request.not_found', `triggers have no action ${action ?? '(none)'}`, { field: 'action' })
    const view = await this.#triggers.pause({ id, tenant: tenantOf(header), paused: action === 'pause', by: body?.by ?? 'http' })
    await announce(this.#platform.bus, `trigger/${id}`, { id, state: view.state })
    return view
  }
}
