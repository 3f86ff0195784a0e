import type { Bus, BusRecord } from '../bus.ts'
import { letterOf, readMark, type DeadLetter, type LetterAction } from './letter.ts'

const PAGE_RECORDS = 200

/** Every record of a partition of a topic at rest, from `first` up to `next`. */
export async function* scan(
  bus: Bus,
  { topic, partition, first, next }: { topic: string; partition: number; first: number; next: number },
): AsyncGenerator<BusRecord> {
  for (let offset = first; offset < next;) {
    const records = await bus.read({ topic, partition, offset, limit: PAGE_RECORDS })
    for (const record of records) if (record.offset < next) yield record
    const last = records.at(-1)
    if (last === undefined) return
    offset = last.offset + 1
  }
}

/** Every letter of a topic with what was done with it, oldest first within each partition. Reads the topic twice. */
export async function* allLetters(bus: Bus, topic: string): AsyncGenerator<DeadLetter> {
  const { partitions } = await bus.describe(topic)
  for (const { partition, first, next } of partitions) {
    const range = { topic, partition, first, next }
    const actions = new Map<number, LetterAction[]>()
    for await (const record of scan(bus, range)) {
      const mark = readMark(record)
      if (mark !== undefined) actions.set(mark.offset, [...(actions.get(mark.offset) ?? []), mark.action])
    }
    for await (const record of scan(bus, range)) {
      const letter = letterOf(record, actions.get(record.offset) ?? [])
      if (letter !== undefined) yield letter
    }
  }
}
