// What happens to reviews, as server-sent events, for inboxes.
//   G11. It tells that something changed and what, not everything that ever did: who was away reads the list again.
import { Controller, Get, Headers, Inject, Res } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { TENANT_HEADER, tenantOf } from '@baton/service'
import { JOURNAL } from '../tokens.ts'
import { EVERY_KEY, type TopicWatch } from '../runs/topic-watch.ts'

const HEARTBEAT_MS = 15_000
const REVIEW = /^baton\.review\.(\w+)\./

type RawReply = {
  hijack(): unknown
  readonly raw: {
    writeHead(status: number, headers: Readonly<Record<string, string>>): unknown
    write(text: string): boolean
    on(event: 'close', listener: () => void): unknown
  }
}

/** What is told of a record; undefined for one that is not about a review of the tenant, or says what was decided about content. */
const eventOf = ({ partition, offset, headers, value }: BusRecord, tenant: string): string | undefined => {
  const [, name] = REVIEW.exec(headers['ce_type'] ?? '') ?? []
  if (name === undefined || headers['ce_tenant'] !== tenant) return undefined
  const { taskId, runId, queue, status, by, change } = JSON.parse(value.toString('utf8')) as Readonly<Record<string, unknown>> // our own services wrote it
  return `id: ${partition}:${offset}\nevent: ${name}\ndata: ${JSON.stringify({ taskId, runId, queue, status, by, change })}\n\n`
}

@Controller('v1/reviews')
export class ReviewEventsController {
  readonly #journal: TopicWatch

  constructor(@Inject(JOURNAL) journal: TopicWatch) {
    this.#journal = journal
  }

  /** Until the caller goes. */
  @Get('events')
  async events(@Headers(TENANT_HEADER) tenantHeader: string | undefined, @Res() reply: RawReply): Promise<void> {
    const tenant = tenantOf(tenantHeader)
    const waiting: string[] = []
    let write = (text: string): void => void waiting.push(text)
    const leave = await this.#journal.watch(EVERY_KEY, (record) => {
      const event = eventOf(record, tenant)
      if (event !== undefined) write(event)
    })
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS).unref()
    raw.on('close', () => {
      clearInterval(heartbeat)
      leave()
    })
    raw.write(': from now on\n\n') // G11
    for (const text of waiting) raw.write(text)
    write = (text) => void raw.write(text)
  }
}
