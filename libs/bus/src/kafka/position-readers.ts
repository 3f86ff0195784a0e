// The port's readers that keep their own position: a log, a table, and records at rest.
import { Fault } from '@baton/contracts/fault'
import type { BusRecord, LogOptions, LogReader, TableOptions, TableReader } from '../bus.ts'
import { fetchRanges, outside, PartitionReader, truncated } from './partition-reader.ts'
import type { KafkaSession } from './session.ts'

/** All its partitions are read from the start on: none is added later that would have to wait. */
const TABLE_IDLE_WAIT_MS = 1_000

export type ReaderContext = { readonly session: KafkaSession; readonly topicPrefix: string }

/** B5. The reader says which partitions and from where. */
export const openLog = ({ session, topicPrefix }: ReaderContext, { topic, onBatch, onFault, onHeard }: LogOptions): LogReader => {
  const wireTopic = topicPrefix + topic
  const reader = new PartitionReader({
    session,
    topicPrefix,
    onBatch: ({ partition }, records) => onBatch(partition, records),
    onFault: ({ partition }, fault) => onFault(partition, fault.data),
    ...(onHeard === undefined ? {} : { onHeard }),
  })
  /** The newest wish for a partition: an older one that is still being checked is dropped. */
  const wishes = new Map<number, object>()
  return {
    seek: async (partition, next) => {
      const wish = {}
      wishes.set(partition, wish)
      reader.release({ topic, partition })
      const range = (await fetchRanges(session, wireTopic)).find((candidate) => candidate.partition === partition)
      if (wishes.get(partition) !== wish) return
      if (range === undefined)
        throw new Fault('config.invalid', `Topic ${wireTopic} has no partition ${partition}`, { topic: wireTopic, partition })
      if (outside(range, next)) onFault(partition, truncated(range, next).data)
      else reader.read({ topic, partition }, next)
    },
    release: async (partition) => {
      wishes.delete(partition)
      reader.release({ topic, partition })
    },
    close: async () => {
      wishes.clear()
      await reader.close()
    },
  }
}

/** B6. Everything there is, then every change. Where compaction or retention overtakes the reader it goes on from the new beginning. */
export const openTable = async ({ session, topicPrefix }: ReaderContext, { topic, onRecord }: TableOptions): Promise<TableReader> => {
  const wireTopic = topicPrefix + topic
  const ranges = await fetchRanges(session, wireTopic)
  const behind = new Map(ranges.filter(({ first, next }) => first < next).map(({ partition, next }) => [partition, next]))
  let resolve = (): void => {}
  let refuse = (_fault: Fault): void => {}
  const ready = new Promise<void>((settle, reject) => {
    resolve = settle
    refuse = reject
  })
  ready.catch(() => undefined) // Told to whoever waits for it.
  const reached = (partition: number, position: number): void => {
    const end = behind.get(partition)
    if (end !== undefined && position >= end) behind.delete(partition)
    if (behind.size === 0) resolve()
  }
  const restart = async (partition: number): Promise<void> => {
    const range = (await fetchRanges(session, wireTopic)).find((candidate) => candidate.partition === partition)
    if (range === undefined) return
    reached(partition, range.first)
    reader.read({ topic, partition }, range.first)
  }
  const reader = new PartitionReader({
    session,
    topicPrefix,
    idleWaitMs: TABLE_IDLE_WAIT_MS,
    onBatch: (_, records) => {
      for (const record of records) onRecord(record)
    },
    onPosition: ({ partition }, next) => reached(partition, next),
    onFault: ({ partition }, fault) => {
      if (fault.code === 'bus.unauthorized') refuse(fault)
      else void restart(partition).catch(() => undefined) // Only when the brokers are gone for good: nothing is read then.
    },
  })
  for (const { partition, first } of ranges) reader.read({ topic, partition }, first)
  if (behind.size === 0) resolve()
  return { ready, close: () => reader.close() }
}

export type RestQuery = { readonly topic: string; readonly partition: number; readonly offset: number; readonly limit: number }

/** Records at rest, at most `limit` from `offset` on; what is gone by retention is passed over. */
export const readAtRest = async ({ session, topicPrefix }: ReaderContext, query: RestQuery): Promise<readonly BusRecord[]> => {
  const { topic, partition, offset, limit } = query
  const range = (await fetchRanges(session, topicPrefix + topic)).find((candidate) => candidate.partition === partition)
  const from = Math.max(offset, range?.first ?? 0)
  if (range === undefined || from >= range.next || limit <= 0) return []
  const found: BusRecord[] = []
  let reader: PartitionReader | undefined
  const read = new Promise<void>((resolve, reject) => {
    const reading = new PartitionReader({
      session,
      topicPrefix,
      onBatch: (_, records) => {
        for (const record of records) if (found.length < limit && record.offset < range.next) found.push(record)
      },
      onPosition: (_, next) => {
        if (found.length < limit && next < range.next) return
        reading.release({ topic, partition }) // Or it would poll for more before it is closed.
        resolve()
      },
      onFault: (_, fault) => reject(fault),
    })
    reader = reading
    reading.read({ topic, partition }, from)
  })
  try {
    await read
  } finally {
    await reader?.close()
  }
  return found
}
