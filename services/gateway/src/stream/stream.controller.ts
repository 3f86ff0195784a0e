// The text that models write for a run, as server-sent events while they write it (B11).
//   T1. The id of an event is its place on the stream topic; `Last-Event-ID` goes on behind it. A first connection begins with what is
//       there: pieces are kept for an hour.
//   T2. It ends with the run, a moment after, when its last pieces are there.
//   T3. A slow reader gets fewer, larger pieces (E2); nothing grows because of it.
import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common'
import type { BusRecord } from '@baton/bus/bus'
import { decodeEvent, partitionOf, TOPICS } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, type Platform } from '@baton/service'
import { JOURNAL, PIECES } from '../tokens.ts'
import type { TopicWatch } from '../runs/topic-watch.ts'
import { type Fed, PieceFeed } from './piece-feed.policy.ts'

const LOOKBACK_RECORDS_MAX = 20_000
const READ_RECORDS_MAX = 1_000
const HEARTBEAT_MS = 15_000
const LAST_PIECES_MS = 400

type RawReply = {
  hijack(): unknown
  readonly raw: {
    writeHead(status: number, headers: Readonly<Record<string, string>>): unknown
    write(text: string): boolean
    end(): unknown
    on(event: 'close' | 'drain', listener: () => void): unknown
  }
}

const eventOf = ({ offset, ...piece }: Fed): string => `id: ${offset}\nevent: piece\ndata: ${JSON.stringify(piece)}\n\n`
const endsRun = ({ headers }: BusRecord): boolean => (headers['ce_type'] ?? '').startsWith('baton.journal.run.ended.')

/** One connection. */
class Reader {
  readonly #raw: RawReply['raw']
  readonly #feed = new PieceFeed()
  #next: number
  #full = false
  #over = false

  constructor(raw: RawReply['raw'], next: number) {
    this.#raw = raw
    this.#next = next
    raw.on('drain', () => {
      this.#full = false
      this.#flush()
    })
  }

  take(record: BusRecord): void {
    if (record.offset < this.#next || this.#over) return // T1
    this.#next = record.offset + 1
    const event = decodeEvent(record)
    if (event.name === 'stream.piece' && this.#feed.take(event.data, record.offset)) this.#flush()
  }

  end(): void {
    if (this.#over) return
    this.#full = false
    this.#flush()
    this.#over = true
    this.#raw.write('event: end\ndata: {}\n\n')
    this.#raw.end()
  }

  #flush(): void {
    if (this.#full || this.#over) return // T3
    for (const piece of this.#feed.drain()) if (!this.#raw.write(eventOf(piece))) this.#full = true
  }
}

@Controller('v1/runs')
export class StreamController {
  readonly #platform: Platform
  readonly #pieces: TopicWatch
  readonly #journal: TopicWatch

  constructor(@Inject(PLATFORM) platform: Platform, @Inject(PIECES) pieces: TopicWatch, @Inject(JOURNAL) journal: TopicWatch) {
    this.#platform = platform
    this.#pieces = pieces
    this.#journal = journal
  }

  /** Ends with the run, or when the caller goes. */
  @Get(':id/stream')
  async stream(
    @Param('id') runId: string,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Res() reply: RawReply,
  ): Promise<void> {
    const partition = partitionOf(runId, this.#platform.bus.partitions(TOPICS.stream))
    const live: BusRecord[] = []
    let deliver = (record: BusRecord): void => void live.push(record)
    let ended = (): void => undefined
    const leave = await this.#pieces.watch(runId, (record) => deliver(record))
    const leaveJournal = await this.#journal.watch(runId, (record) => endsRun(record) && ended())
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
    const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS).unref()
    raw.on('close', () => {
      clearInterval(heartbeat)
      leave()
      leaveJournal()
    })
    const reader = new Reader(raw, await this.#firstOffset(partition, lastEventId))
    ended = () => void setTimeout(() => reader.end(), LAST_PIECES_MS) // T2
    for await (const record of this.#stored(partition, runId, lastEventId)) reader.take(record)
    for (const record of live) reader.take(record)
    deliver = (record) => reader.take(record)
    if (await this.#isOver(runId, tenantOf(tenant))) ended()
  }

  async #firstOffset(partition: number, lastEventId: string | undefined): Promise<number> {
    if (lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId)) return Number(lastEventId) + 1
    const range = (await this.#platform.bus.describe(TOPICS.stream)).partitions.find((known) => known.partition === partition)
    return range === undefined ? 0 : Math.max(range.first, range.next - LOOKBACK_RECORDS_MAX)
  }

  async *#stored(partition: number, runId: string, lastEventId: string | undefined): AsyncGenerator<BusRecord> {
    let offset = await this.#firstOffset(partition, lastEventId)
    for (;;) {
      const records = await this.#platform.bus.read({ topic: TOPICS.stream, partition, offset, limit: READ_RECORDS_MAX })
      const last = records.at(-1)
      if (last === undefined) return
      for (const record of records) if (record.key === runId) yield record
      offset = last.offset + 1
    }
  }

  /** Whether tracing has seen its end; if not, the journal will tell. */
  async #isOver(runId: string, tenant: string): Promise<boolean> {
    const path = `/v1/runs/${encodeURIComponent(runId)}`
    const reply = await this.#platform
      .call({ service: 'tracing', method: 'GET', path, headers: { [TENANT_HEADER]: tenant } })
      .catch(() => undefined)
    if (reply?.status !== 200) return false
    const run: unknown = JSON.parse(reply.body)
    return typeof run === 'object' && run !== null && 'endedAtMs' in run && run.endedAtMs !== null
  }
}
