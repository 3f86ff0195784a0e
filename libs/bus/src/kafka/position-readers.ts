// The port's readers that keep their own position: a log, a table, and records at rest.
import { Fault } from '@baton/contracts/fault'
import type { BusRecord, LogOptions, LogReader, TableOptions, TableReader } from '../bus.ts'
import { fetchRanges, outside, PartitionReader, truncated } from './partition-reader.ts'
import type { KafkaSession } from './session.ts'

export type ReaderTopic = {
  readonly session: KafkaSession
  /** Name on the wire. */
  readonly wireTopic: string
}

/** B5. The reader says which partitions and from where. */
export const openLog = ({ session, wireTopic }: ReaderTopic, { topic, onBatch, onFault }: LogOptions): LogReader => {
  const reader = new PartitionReader({
    session,
    topic: wireTopic,
    name: topic,
    onBatch,
    onFault: (partition, fault) => onFault(partition, fault.data),
  })
  /** The newest wish for a partition: an older one that is still being checked is dropped. */
  const wishes = new Map<number, object>()
  return {
    seek: async (partition, next) => {
      const wish = {}
      wishes.set(partition, wish)
      reader.release(partition)
      const range = (await fetchRanges(session, wireTopic)).find((candidate) => candidate.partition === partition)
      if (wishes.get(partition) !== wish) return
      if (range === undefined)
        throw new Fault('config.invalid', `Topic ${wireTopic} has no partition ${partition}`, { topic: wireTopic, partition })
      if (outside(range, next)) onFault(partition, truncated(range, next).data)
      else reader.read(partition, next)
    },
    release: async (partition) => {
      wishes.delete(partition)
      reader.release(partition)
    },
    close: async () => {
      wishes.clear()
      await reader.close()
    },
  }
}

/** B6. Everything there is, then every change. Where compaction or retention overtakes the reader it goes on from the new beginning. */
export const openTable = async ({ session, wireTopic }: ReaderTopic, { topic, onRecord }: TableOptions): Promise<TableReader> => {
  const ranges = await fetchRanges(session, wireTopic)
  const behind = new Map(ranges.filter(({ first, next }) => first < next).map(({ partition, next }) => [partition, next]))
  let resolve = (): void => {}
  const ready = new Promise<void>((settle) => {
    resolve = settle
  })
  const reached = (partition: number, position: number): void => {
    const end = behind.get(partition)
    if (end !== undefined && position >= end) behind.delete(partition)
    if (behind.size === 0) resolve()
  }
  const restart = async (partition: number): Promise<void> => {
    const range = (await fetchRanges(session, wireTopic)).find((candidate) => candidate.partition === partition)
    if (range === undefined) return
    reached(partition, range.first)
    reader.read(partition, range.first)
  }
  const reader = new PartitionReader({
    session,
    topic: wireTopic,
    name: topic,
    onBatch: (_, records) => {
      for (const record of records) onRecord(record)
    },
    onPosition: reached,
    onFault: (partition) => void restart(partition).catch(() => undefined), // Only when the brokers are gone for good: nothing is read then.
  })
  for (const { partition, first } of ranges) reader.read(partition, first)
  if (behind.size === 0) resolve()
  return { ready, close: () => reader.close() }
}

export type RestQuery = { readonly topic: string; readonly partition: number; readonly offset: number; readonly limit: number }

/** Records at rest, at most `limit` from `offset` on; what is gone by retention is passed over. */
export const readAtRest = async ({ session, wireTopic }: ReaderTopic, query: RestQuery): Promise<readonly BusRecord[]> => {
  const { topic, partition, offset, limit } = query
  const range = (await fetchRanges(session, wireTopic)).find((candidate) => candidate.partition === partition)
  const from = Math.max(offset, range?.first ?? 0)
  if (range === undefined || from >= range.next || limit <= 0) return []
  const found: BusRecord[] = []
  let reader: PartitionReader | undefined
  const read = new Promise<void>((resolve, reject) => {
    const reading = new PartitionReader({
      session,
      topic: wireTopic,
      name: topic,
      onBatch: (_, records) => {
        for (const record of records) if (found.length < limit && record.offset < range.next) found.push(record)
      },
      onPosition: (_, next) => {
        if (found.length < limit && next < range.next) return
        reading.release(partition) // Or it would poll for more before it is closed.
        resolve()
      },
      onFault: (_, fault) => reject(fault),
    })
    reader = reading
    reading.read(partition, from)
  })
  try {
    await read
  } finally {
    await reader?.close()
  }
  return found
}
