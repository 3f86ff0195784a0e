// The body of a produce request, version 7, with its record batches (magic 2), written into one buffer of exactly the right size:
// kafkajs allocates, clears and copies a buffer for every header of every record, which was two fifths of what the run loop cost.
// Format: https://kafka.apache.org/documentation/#recordbatch and https://kafka.apache.org/protocol (Produce v7). No compression, no
// transactions. The bytes are those that kafkajs would make (the spec compares them); it sends them and decodes the answer.
import type { ProducedMessage, ProduceRequest } from './cluster.ts'

export type Checksum = (bytes: Buffer) => number

const MAGIC = 2
const NONE = -1
/** First offset, length, leader epoch, magic and checksum. */
const BATCH_HEAD_BYTES = 8 + 4 + 4 + 1 + 4
const CRC_AT = BATCH_HEAD_BYTES - 4
/** Attributes, last offset delta, two timestamps, producer id and epoch, first sequence, number of records. */
const BATCH_INFO_BYTES = 2 + 4 + 8 + 8 + 8 + 2 + 4 + 4
const REQUEST_HEAD_BYTES = 2 + 2 + 4 + 4
/** A batch counts its length from behind the field on. */
const LENGTH_END_AT = 8 + 4
/** Longer texts are measured by Node, whose call costs more than a short loop. */
const SHORT_TEXT = 64
const NOT_ASCII = 0x80

/** Where the next byte goes. */
type Cursor = { readonly into: Buffer; at: number }

type Batch = { readonly records: readonly Sized[]; readonly bytes: number; readonly nowMs: number; readonly checksum: Checksum }

/** A record and the sizes that are written in front of it. */
type Sized = { readonly message: ProducedMessage; readonly headers: readonly (readonly [string, string])[]; readonly bytes: number }

/** `checksum` is CRC-32C; every client library has one. */
export const encodeProduceBody = ({ acks, timeout, topicData }: ProduceRequest, nowMs: number, checksum: Checksum): Buffer => {
  const topics = topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, messages }) => {
      const records = messages.map(sized)
      return { partition, records, bytes: records.reduce((sum, { bytes }) => sum + sizeOfVarint(bytes) + bytes, 0) }
    }),
  }))
  let size = REQUEST_HEAD_BYTES
  for (const { topic, partitions } of topics) {
    size += 2 + byteLength(topic) + 4
    for (const { bytes } of partitions) size += 4 + 4 + BATCH_HEAD_BYTES + BATCH_INFO_BYTES + bytes
  }
  const cursor: Cursor = { into: Buffer.allocUnsafe(size), at: 0 }
  int16(cursor, NONE)
  int16(cursor, acks)
  int32(cursor, timeout)
  int32(cursor, topics.length)
  for (const { topic, partitions } of topics) {
    int16(cursor, byteLength(topic))
    text(cursor, topic)
    int32(cursor, partitions.length)
    for (const { partition, records, bytes } of partitions) {
      int32(cursor, partition)
      int32(cursor, BATCH_HEAD_BYTES + BATCH_INFO_BYTES + bytes)
      batch(cursor, { records, bytes, nowMs, checksum })
    }
  }
  return cursor.into
}

const batch = (cursor: Cursor, { records, bytes, nowMs, checksum }: Batch): void => {
  const start = cursor.at
  int64(cursor, 0)
  int32(cursor, BATCH_HEAD_BYTES + BATCH_INFO_BYTES + bytes - LENGTH_END_AT)
  int32(cursor, 0)
  cursor.at = cursor.into.writeInt8(MAGIC, cursor.at)
  cursor.at += 4 // The checksum covers what follows it.
  int16(cursor, 0)
  int32(cursor, records.length - 1)
  int64(cursor, nowMs)
  int64(cursor, nowMs)
  int64(cursor, NONE)
  int16(cursor, 0)
  int32(cursor, 0)
  int32(cursor, records.length)
  for (const [index, record] of records.entries()) writeRecord(cursor, record, index)
  cursor.into.writeUInt32BE(checksum(cursor.into.subarray(start + BATCH_HEAD_BYTES, cursor.at)), start + CRC_AT)
}

const sized = (message: ProducedMessage, index: number): Sized => {
  const headers = Object.entries(message.headers)
  // Attributes and the difference of the timestamps take a byte each.
  let bytes = 2 + sizeOfVarint(index) + sizeOfVarint(headers.length)
  bytes += message.key === null ? 1 : sizeOfText(message.key)
  bytes += message.value === null ? 1 : sizeOfVarint(message.value.length) + message.value.length
  for (const [name, value] of headers) bytes += sizeOfText(name) + sizeOfText(value)
  return { message, headers, bytes }
}

const writeRecord = (cursor: Cursor, { message, headers, bytes }: Sized, index: number): void => {
  varint(cursor, bytes)
  varint(cursor, 0)
  varint(cursor, 0)
  varint(cursor, index)
  if (message.key === null) varint(cursor, NONE)
  else varintText(cursor, message.key)
  if (message.value === null) varint(cursor, NONE)
  else {
    varint(cursor, message.value.length)
    cursor.into.set(message.value, cursor.at)
    cursor.at += message.value.length
  }
  varint(cursor, headers.length)
  for (const [name, value] of headers) {
    varintText(cursor, name)
    varintText(cursor, value)
  }
}

const int16 = (cursor: Cursor, value: number): void => {
  cursor.at = cursor.into.writeInt16BE(value, cursor.at)
}

const int32 = (cursor: Cursor, value: number): void => {
  cursor.at = cursor.into.writeInt32BE(value, cursor.at)
}

const int64 = (cursor: Cursor, value: number): void => {
  cursor.at = cursor.into.writeInt32BE(Math.floor(value / 2 ** 32), cursor.at)
  cursor.at = cursor.into.writeUInt32BE(value < 0 ? value + 2 ** 32 : value % 2 ** 32, cursor.at)
}

/** Zigzag: small numbers of either sign are short. Of lengths and counts, so 31 bits are enough. */
const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0

const sizeOfVarint = (value: number): number => {
  let bytes = 1
  for (let rest = zigzag(value) >>> 7; rest !== 0; rest >>>= 7) bytes += 1
  return bytes
}

const varint = (cursor: Cursor, value: number): void => {
  let rest = zigzag(value)
  while (rest > 0x7f) {
    cursor.into[cursor.at++] = (rest & 0x7f) | NOT_ASCII
    rest >>>= 7
  }
  cursor.into[cursor.at++] = rest
}

const sizeOfText = (value: string): number => {
  const bytes = byteLength(value)
  return sizeOfVarint(bytes) + bytes
}

const byteLength = (value: string): number => {
  if (value.length > SHORT_TEXT) return Buffer.byteLength(value)
  for (let index = 0; index < value.length; index++) if (value.charCodeAt(index) >= NOT_ASCII) return Buffer.byteLength(value)
  return value.length
}

const varintText = (cursor: Cursor, value: string): void => {
  varint(cursor, byteLength(value))
  text(cursor, value)
}

/** UTF-8. Short ASCII, which is nearly all, without a call out of JavaScript. */
const text = (cursor: Cursor, value: string): void => {
  const { into } = cursor
  const start = cursor.at
  if (value.length > SHORT_TEXT) {
    cursor.at += into.write(value, start)
    return
  }
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code >= NOT_ASCII) {
      cursor.at = start + into.write(value, start)
      return
    }
    into[start + index] = code
  }
  cursor.at = start + value.length
}
