// Who waits for an event, for the gateway, which has the event and a key, and not the run.
import { Controller, Get, Headers, Inject } from '@nestjs/common'
import { PLATFORM, ValidQuery, type Platform } from '@baton/service'
import { z } from 'zod'
import { eventWaits } from './event-waits.queries.ts'
import { TENANT_HEADER, tenantOf } from './tenant.ts'

const Query = z.object({ event: z.string().min(1).max(200), key: z.string().min(1).max(500) })

@Controller('v1/event-waits')
export class EventWaitController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  /** Those that waited first come first. */
  @Get()
  async list(@Headers(TENANT_HEADER) tenant: string | undefined, @ValidQuery(Query) query: z.infer<typeof Query>): Promise<object> {
    return { items: await eventWaits(this.#platform.db, { ...query, tenant: tenantOf(tenant) }) }
  }
}
