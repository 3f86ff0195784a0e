import { describe, expect, it } from '@jest/globals'
import type { KafkaRecord, RecordsBatch } from '@platformatic/kafka'
import { positionAfter, visibleRecords } from './visible-records.ts'

const CONTROL = 0b10_0000
const TRANSACTIONAL = 0b1_0000
const APPEND_TIME = 0b1000

const record = (offsetDelta: number, key: Buffer | null = Buffer.from('k')): KafkaRecord => ({
  length: 0,
  attributes: 0,
  timestampDelta: BigInt(offsetDelta),
  offsetDelta,
  key,
  value: null,
  headers: [],
})

const batch = (first: number, count: number, more: Partial<RecordsBatch> = {}): RecordsBatch => ({
  firstOffset: BigInt(first),
  length: 0,
  partitionLeaderEpoch: 0,
  magic: 2,
  crc: 0,
  attributes: 0,
  lastOffsetDelta: count - 1,
  firstTimestamp: 1_000n,
  maxTimestamp: 9_000n,
  producerId: -1n,
  producerEpoch: 0,
  firstSequence: 0,
  records: Array.from({ length: count }, (_, n) => record(n)),
  ...more,
})
const sent = (first: number, producerId: bigint): RecordsBatch => batch(first, 2, { attributes: TRANSACTIONAL, producerId })
/** The end of a transaction as the broker writes it; type 0 takes it back. */
const end = (first: number, producerId: bigint, type: 0 | 1): RecordsBatch =>
  batch(first, 1, { attributes: TRANSACTIONAL | CONTROL, producerId, records: [record(0, Buffer.from([0, 0, 0, type]))] })

const seen = (from: number, batches: readonly RecordsBatch[], aborted: { producerId: bigint; firstOffset: bigint }[] = []) =>
  visibleRecords(from, { batches, aborted }).map(({ offset }) => offset)

describe('what a reader may see of a fetch', () => {
  it('V1: nothing before the offset asked for, which may lie inside a batch', () => {
    expect(seen(12, [batch(8, 2), batch(10, 4)])).toEqual([12, 13])
  })

  it('V1: nothing of a transaction that was taken back, and the next one of the same producer', () => {
    const batches = [sent(0, 7n), sent(2, 8n), end(4, 7n, 0), end(5, 8n, 1), sent(6, 7n), end(8, 7n, 1)]
    expect(seen(0, batches, [{ producerId: 7n, firstOffset: 0n }])).toEqual([2, 3, 6, 7])
  })

  it('V1: ends of transactions are no records, also when none was taken back', () => {
    expect(seen(0, [sent(0, 7n), end(2, 7n, 1), batch(3, 1)])).toEqual([0, 1, 3])
  })

  it("V2: the time of a record is the append's where the topic has the broker's clock, else the sender's", () => {
    const times = (attributes: number) =>
      visibleRecords(0, { batches: [batch(0, 2, { attributes })], aborted: [] }).map(({ timestamp }) => timestamp)
    expect(times(0)).toEqual([1_000, 1_001])
    expect(times(APPEND_TIME)).toEqual([9_000, 9_000])
  })

  it('the log goes on after the last batch, also where compaction took its last records', () => {
    expect(positionAfter(5, [batch(5, 3, { lastOffsetDelta: 9, records: [record(0)] })])).toBe(15)
    expect(positionAfter(5, [])).toBe(5)
    expect(positionAfter(5, [batch(0, 3)])).toBe(5)
  })
})
