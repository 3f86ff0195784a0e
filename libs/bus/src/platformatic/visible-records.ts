// What a reader may see of the batches a fetch brought.
//   V1. Nothing before the offset asked for, no control record, nothing of a transaction that was taken back.
//   V2. Where the topic has the broker's clock, a record's time is the time of its append, which the batch has.
import { IS_CONTROL, IS_TRANSACTIONAL } from '@platformatic/kafka'
import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka'
import type { HeaderValue, RawRecord } from '../kafka/records.ts'

const LOG_APPEND_TIME = 0b1000
const ABORT = 0
const CONTROL_TYPE_AT = 2

type Aborted = { readonly producerId: bigint; readonly firstOffset: bigint }
export type Fetched = { readonly batches: readonly RecordsBatch[]; readonly aborted: readonly Aborted[] }

export const visibleRecords = (from: number, { batches, aborted }: Fetched): readonly RawRecord[] => {
  const records: RawRecord[] = []
  const taken = takenBack(aborted)
  for (const batch of batches) {
    const first = Number(batch.firstOffset)
    const hidden = taken?.hides(batch) === true || (batch.attributes & IS_CONTROL) !== 0 // V1
    if (hidden || first + batch.lastOffsetDelta < from) continue
    const began = Number(batch.firstTimestamp)
    const appended = (batch.attributes & LOG_APPEND_TIME) === 0 ? undefined : Number(batch.maxTimestamp) // V2
    for (const record of batch.records) {
      const offset = first + record.offsetDelta
      if (offset < from) continue // V1
      const timestamp = appended ?? began + Number(record.timestampDelta)
      records.push({ offset, timestamp, key: record.key, value: record.value, headers: headersOf(record) })
    }
  }
  return records
}

/** Where the log goes on. A batch may end in records that compaction removed. */
export const positionAfter = (from: number, batches: readonly RecordsBatch[]): number => {
  const last = batches.at(-1)
  return last === undefined ? from : Math.max(from, Number(last.firstOffset) + last.lastOffsetDelta + 1)
}

const headersOf = ({ headers }: KafkaRecord): Record<string, HeaderValue> => {
  const found: Record<string, HeaderValue> = {}
  for (const [name, value] of headers) if (name !== null) found[name.toString()] = value
  return found
}

/** Told of every batch in order. Undefined when no transaction was taken back, as nearly always. */
const takenBack = (aborted: readonly Aborted[]): { hides(batch: RecordsBatch): boolean } | undefined => {
  if (aborted.length === 0) return undefined
  const waiting = aborted.toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
  const open = new Set<bigint>()
  return {
    hides: (batch) => {
      const end = batch.firstOffset + BigInt(batch.lastOffsetDelta)
      for (let next = waiting[0]; next !== undefined && next.firstOffset <= end; next = waiting[0]) {
        open.add(next.producerId)
        waiting.shift()
      }
      if ((batch.attributes & IS_CONTROL) !== 0) {
        if (batch.records[0]?.key?.readInt16BE(CONTROL_TYPE_AT) === ABORT) open.delete(batch.producerId)
        return true
      }
      return (batch.attributes & IS_TRANSACTIONAL) !== 0 && open.has(batch.producerId)
    },
  }
}
