import { Controller, Get, Headers, Inject } from '@nestjs/common'
import { PLATFORM, ValidQuery, type Platform } from '@baton/service'
import { z } from 'zod'
import { flowStats } from './stats.queries.ts'
import { TENANT_HEADER, tenantOf } from './tenant.ts'

const DAY_MS = 86_400_000

const StatsQuery = z.object({
  flow: z.string().max(200).optional(),
  days: z.coerce.number().positive().max(366).default(30),
})

/** What happened lately, by flow (G4). */
@Controller('v1/stats')
export class StatsController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @Get()
  async stats(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @ValidQuery(StatsQuery) { flow, days }: z.infer<typeof StatsQuery>,
  ): Promise<object> {
    const { db, nowMs } = this.#platform
    const sinceMs = Math.floor(nowMs() - days * DAY_MS)
    return { items: await flowStats(db, { tenant: tenantOf(tenant), flow, sinceMs }), sinceMs }
  }
}
