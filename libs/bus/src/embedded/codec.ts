// Bytes of the write-ahead log. A segment file is a header and groups; a group is a header and frames; a frame is one entry.
//   C1. What is decoded equals what was encoded, byte for byte; nothing is decoded whose checksum does not match.
//   C2. Groups are numbered without gaps over all segments, so old bytes left in a file are never taken for new ones.
//
//   group  | u32 'BTNG' | f64 number | u32 bytes of frames | u32 frames | u32 crc of these 20 bytes |
//   frame  | u32 length | u32 crc of the payload | payload |
//   payload| u8 kind | u16 topic | u16 partition | f64 offset | f64 time | u16 strings | varint lengths | u32 bytes | text | value |
import { crc32 } from 'node:zlib'

export const SEGMENT_HEADER = Buffer.from('BATONLOG\u0001\0\0\0\0\0\0\0', 'latin1')
export const GROUP_HEADER_BYTES = 24
export const FRAME_HEADER_BYTES = 8
const GROUP_MAGIC = 0x42544e47
const GROUP_MAGIC_BYTES = Buffer.from('BTNG', 'latin1')
const PAYLOAD_FIXED_BYTES = 23
const VARINT_BYTES_MAX = 5

/** What an entry is; the meaning of its numbers and strings follows from it. */
export const KIND = {
  /** A record: its offset and time; key, then header names and values by turns; its value. */
  record: 1,
  /** A topic: `topic` is its number, `partition` the count of partitions; name and id. */
  topic: 2,
  /** A partition as it stands: next offset and last time; first offset as text. */
  partition: 3,
  /** How far a group is: the next offset; the name of the group. */
  position: 4,
  /** A log reader needs everything from this offset on. */
  hold: 5,
} as const
type Kind = (typeof KIND)[keyof typeof KIND]

export type Entry = {
  readonly kind: Kind
  readonly topic: number
  readonly partition: number
  readonly offset: number
  readonly timeMs: number
  /** First string, the key of a record. */
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Uint8Array
}

export type GroupHeader = { readonly number: number; readonly bytes: number; readonly frames: number }

const FIRST_ARENA_BYTES = 1 << 20

/** Encodes groups, one after the other, into memory of its own: what `finish` returns is valid until the next `begin`. */
export class GroupEncoder {
  private arena = Buffer.allocUnsafeSlow(FIRST_ARENA_BYTES)
  private view = viewOf(this.arena)
  private end = 0
  private frames = 0
  private number = 0
  private lengths: number[] = []

  begin(number: number): void {
    this.number = number
    this.frames = 0
    this.end = GROUP_HEADER_BYTES
  }

  get bytes(): number {
    return this.end
  }

  get count(): number {
    return this.frames
  }

  /** Adds an entry and returns where it stands in the group. */
  add(entry: Entry): number {
    const { headers, value, lengths } = { headers: entry.headers, value: entry.value, lengths: this.lengths }
    lengths.length = 0
    lengths.push(entry.text.length)
    let text = entry.text
    for (const name of Object.keys(headers)) {
      const header = headers[name] ?? ''
      lengths.push(name.length, header.length)
      text += name + header
    }
    this.reserve(FRAME_HEADER_BYTES + PAYLOAD_FIXED_BYTES + lengths.length * VARINT_BYTES_MAX + 4 + text.length * 3 + value.length)
    const at = this.end
    const start = at + FRAME_HEADER_BYTES
    const { view, arena } = this
    view.setUint8(start, entry.kind)
    view.setUint16(start + 1, entry.topic)
    view.setUint16(start + 3, entry.partition)
    view.setFloat64(start + 5, entry.offset)
    view.setFloat64(start + 13, entry.timeMs)
    view.setUint16(start + 21, lengths.length)
    let position = this.putVarints(start + PAYLOAD_FIXED_BYTES)
    const textBytes = arena.write(text, position + 4)
    view.setUint32(position, textBytes)
    position += 4 + textBytes
    arena.set(value, position)
    this.end = position + value.length
    view.setUint32(at, this.end - start)
    view.setUint32(at + 4, crc32(arena.subarray(start, this.end)))
    this.frames++
    return at
  }

  finish(): Buffer {
    const { view } = this
    view.setUint32(0, GROUP_MAGIC)
    view.setFloat64(4, this.number)
    view.setUint32(12, this.end - GROUP_HEADER_BYTES)
    view.setUint32(16, this.frames)
    view.setUint32(20, crc32(this.arena.subarray(0, 20)))
    return this.arena.subarray(0, this.end)
  }

  private putVarints(start: number): number {
    const { view } = this
    let position = start
    for (let length of this.lengths) {
      while (length > 127) {
        view.setUint8(position++, (length & 127) | 128)
        length >>>= 7
      }
      view.setUint8(position++, length)
    }
    return position
  }

  private reserve(bytes: number): void {
    if (this.end + bytes <= this.arena.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.arena.length * 2, this.end + bytes))
    this.arena.copy(larger, 0, 0, this.end)
    this.arena = larger
    this.view = viewOf(larger)
  }
}

/** The group header at `position`, or nothing when there is none. */
export const decodeGroupHeader = (bytes: Buffer, position: number): GroupHeader | undefined => {
  if (position + GROUP_HEADER_BYTES > bytes.length || bytes.readUInt32BE(position) !== GROUP_MAGIC) return undefined
  if (crc32(bytes.subarray(position, position + 20)) !== bytes.readUInt32BE(position + 20)) return undefined // C1
  return { number: bytes.readDoubleBE(position + 4), bytes: bytes.readUInt32BE(position + 12), frames: bytes.readUInt32BE(position + 16) }
}

/** True when a group with a higher number begins behind `position`: then what is damaged before it had been written completely. */
export const hasLaterGroup = (bytes: Buffer, position: number, number: number): boolean => {
  for (let at = bytes.indexOf(GROUP_MAGIC_BYTES, position); at !== -1; at = bytes.indexOf(GROUP_MAGIC_BYTES, at + 1)) {
    const header = decodeGroupHeader(bytes, at)
    if (header !== undefined && header.number > number) return true
  }
  return false
}

/** Length of the whole frame at `position`, or nothing when `bytes` ends before it or its checksum does not match (C1). */
export const checkFrame = (bytes: Buffer, position: number): number | undefined => {
  const start = position + FRAME_HEADER_BYTES
  if (start > bytes.length) return undefined
  const end = start + bytes.readUInt32BE(position)
  if (end > bytes.length || end < start + PAYLOAD_FIXED_BYTES) return undefined
  return crc32(bytes.subarray(start, end)) === bytes.readUInt32BE(position + 4) ? end - position : undefined
}

/** The numbers of a checked frame, without its strings and value. */
export const decodeNumbers = (
  bytes: Buffer,
  position: number,
): Pick<Entry, 'topic' | 'partition' | 'offset' | 'timeMs'> & { readonly kind: number } => {
  const start = position + FRAME_HEADER_BYTES
  return {
    kind: bytes[start] ?? 0,
    topic: bytes.readUInt16BE(start + 1),
    partition: bytes.readUInt16BE(start + 3),
    offset: bytes.readDoubleBE(start + 5),
    timeMs: bytes.readDoubleBE(start + 13),
  }
}

/** Strings and value of a checked frame. The value shares memory with `bytes`. */
export const decodeContent = (bytes: Buffer, position: number): Pick<Entry, 'text' | 'headers'> & { readonly value: Buffer } => {
  const start = position + FRAME_HEADER_BYTES
  const end = start + bytes.readUInt32BE(position)
  const count = bytes.readUInt16BE(start + 21)
  const lengths: number[] = []
  let at = start + PAYLOAD_FIXED_BYTES
  while (lengths.length < count) {
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    lengths.push(length)
  }
  const textStart = at + 4
  const textEnd = textStart + bytes.readUInt32BE(at)
  const all = bytes.toString('utf8', textStart, textEnd)
  let from = 0
  const next = (index: number): string => all.slice(from, (from += lengths[index] ?? 0))
  const text = next(0)
  const headers: Record<string, string> = {}
  for (let index = 1; index < count; index += 2) {
    const name = next(index)
    const header = next(index + 1)
    if (name !== '__proto__') headers[name] = header
    else Object.defineProperty(headers, name, { value: header, enumerable: true, writable: true, configurable: true }) // a stranger's; kept like any other
  }
  return { text, headers, value: bytes.subarray(textEnd, end) }
}

const viewOf = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
