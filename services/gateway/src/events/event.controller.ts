// Events from outside that name what they are about instead of a run (A10).
import { Controller, Headers, HttpCode, Inject, Post } from '@nestjs/common'
import type { Json } from '@baton/contracts'
import { TENANT_HEADER, tenantOf, ValidBody } from '@baton/service'
import { z } from 'zod'
import { EVENTS } from '../tokens.ts'
import type { EventDelivery } from './event-delivery.ts'

export const KeyedEventBody = z.object({
  event: z.string().min(1).max(200),
  key: z.string().min(1).max(500),
  data: z.custom<Json>().optional(),
  id: z.string().min(1).max(256).optional(),
  by: z.string().min(1).max(200).optional(),
})
export type KeyedEventBody = z.infer<typeof KeyedEventBody>

@Controller('v1/events')
export class EventController {
  readonly #events: EventDelivery

  constructor(@Inject(EVENTS) events: EventDelivery) {
    this.#events = events
  }

  /** `runId` is null while nobody waits for it: it is kept for whoever will. */
  @Post()
  @HttpCode(202)
  send(
    @ValidBody(KeyedEventBody) { data = null, id, by = 'http', event, key }: KeyedEventBody,
    @Headers() headers: Readonly<Record<string, string | undefined>>,
  ): ReturnType<EventDelivery['send']> {
    const eventId = headers['idempotency-key'] ?? id
    return this.#events.send({
      tenant: tenantOf(headers[TENANT_HEADER]),
      event,
      key,
      data,
      by,
      ...(eventId === undefined ? {} : { id: eventId }),
    })
  }
}
