import { Controller, Get, Headers, Inject } from '@nestjs/common'
import { z } from 'zod'
import { PLATFORM, ValidQuery, type Platform } from '@baton/service'
import { TENANT_HEADER, tenantOf } from '../tenant.ts'
import { countTickets, findTickets, type Ticket } from './ticket.repository.ts'

const TicketQuery = z.object({
  run: z.string().max(80).optional(),
  customer: z.string().max(256).optional(),
  status: z.string().max(40).optional(),
  limit: z.coerce.number().int().min(0).max(500).default(50),
})

/** Reads of the ticket store. `total` and `runs` are equal when no run made two tickets. */
@Controller('v1/tickets')
export class TicketController {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @Get()
  async list(
    @Headers(TENANT_HEADER) header: string | undefined,
    @ValidQuery(TicketQuery) query: z.infer<typeof TicketQuery>,
  ): Promise<{ total: number; runs: number; items: readonly Ticket[] }> {
    const tenant = tenantOf(header)
    const { tickets: total, runs } = await countTickets(this.#platform.db, tenant)
    const items = await findTickets(this.#platform.db, {
      tenant,
      runId: query.run,
      customer: query.customer,
      status: query.status,
      limit: query.limit,
    })
    return { total, runs, items }
  }
}
