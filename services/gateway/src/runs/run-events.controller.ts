// The journal of one run as server-sent events: first what is there already, then each transition as it happens.
//   G8. The id of an event is its place in the journal; `Last-Event-ID` goes on behind it, so nothing is missed or repeated.
import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { partitionOf, TOPICS } from '@baton/contracts'
import { PLATFORM, type Platform } from '@baton/service'
import { JOURNAL } from '../tokens.ts'
import type { TopicWatch } from './topic-watch.ts'

/** How far back a first connection looks for the beginning of a run. */
const LOOKBACK_RECORDS_MAX = 5_000
const READ_RECORDS_MAX = 500
const HEARTBEAT_MS = 15_000

type RawReply = {
  hijack(): unknown
  readonly raw: {
    writeHead(status: number, headers: Readonly<Record<string, string>>): unknown
    write(text: string): boolean
    end(): unknown
    on(event: 'close', listener: () => void): unknown
  }
}

const eventOf = ({ offset, headers, value }: BusRecord): string =>
  `id: ${offset}\nevent: ${headers['ce_type'] ?? 'message'}\ndata: ${value.toString('utf8')}\n\n`
const endsRun = ({ headers }: BusRecord): boolean => (headers['ce_type'] ?? '').startsWith('baton.journal.run.ended.')

@Controller('v1/runs')
export class RunEventsController {
  readonly #platform: Platform
  readonly #journal: TopicWatch

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(JOURNAL) journal: TopicWatch) {
    this.#platform = platform
    this.#journal = journal
  }

  /** Ends with the run, or when the caller goes. */
  @Get(':id/events')
  async events(
    @Param('id') runId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: RawReply,
  ): Promise<void> {
    const { bus } = this.#platform
    const partition = partitionOf(runId, bus.partitions(TOPICS.journal))
    const live: BusRecord[] = []
    let deliver = (record: BusRecord): void => void live.push(record)
    const leave = await this.#journal.watch(runId, (record) => deliver(record))
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS).unref()
    raw.on('close', () => {
      clearInterval(heartbeat)
      leave()
    })
    let next = await this.#firstOffset(partition, lastEventId)
    let ended = false
    const emit = (record: BusRecord): void => {
      if (record.offset < next || ended) return // G8
      next = record.offset + 1
      ended = endsRun(record)
      raw.write(eventOf(record))
      if (ended) raw.end()
    }
    for await (const record of this.#stored(partition, next, runId)) emit(record)
    for (const record of live) emit(record)
    deliver = emit
  }

  async #firstOffset(partition: number, lastEventId: string | undefined): Promise<number> {
    if (lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId)) return Number(lastEventId) + 1
    const range = (await this.#platform.bus.describe(TOPICS.journal)).partitions.find((known) => known.partition === partition)
    return range === undefined ? 0 : Math.max(range.first, range.next - LOOKBACK_RECORDS_MAX)
  }

  async *#stored(partition: number, from: number, runId: string): AsyncGenerator<BusRecord> {
    let offset = from
    for (;;) {
      const records = await this.#platform.bus.read({ topic: TOPICS.journal, partition, offset, limit: READ_RECORDS_MAX })
      const last = records.at(-1)
      if (last === undefined) return
      for (const record of records) if (record.key === runId) yield record
      offset = last.offset + 1
    }
  }
}
