import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  checkFrame,
  decodeContent,
  decodeGroupHeader,
  decodeNumbers,
  GROUP_HEADER_BYTES,
  GroupEncoder,
  hasLaterGroup,
  KIND,
  type Entry,
} from './codec.ts'

const entries = fc.record({
  kind: fc.constantFrom(...Object.values(KIND)),
  topic: fc.nat(65_535),
  partition: fc.nat(65_535),
  offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  timeMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  text: fc.string({ unit: 'binary', maxLength: 200 }),
  headers: fc.dictionary(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 200 }), {
    maxKeys: 8,
    noNullPrototype: true,
  }),
  value: fc.uint8Array({ maxLength: 400 }),
})

const encode = (encoder: GroupEncoder, number: number, group: readonly Entry[]): Buffer => {
  encoder.begin(number)
  for (const entry of group) encoder.add(entry)
  return Buffer.from(encoder.finish())
}

const decode = (bytes: Buffer): Entry[] => {
  const decoded: Entry[] = []
  for (let at = GROUP_HEADER_BYTES; at < bytes.length;) {
    const length = checkFrame(bytes, at)
    if (length === undefined) throw new Error(`no frame at ${at}`)
    const { kind, ...numbers } = decodeNumbers(bytes, at)
    const known = Object.values(KIND).find((one) => one === kind)
    if (known === undefined) throw new Error(`no kind ${kind}`)
    const { value, ...strings } = decodeContent(bytes, at)
    decoded.push({ kind: known, ...numbers, ...strings, value: Uint8Array.from(value) })
    at += length
  }
  return decoded
}

describe('codec', () => {
  it('C1: what is decoded equals what was encoded', () => {
    const encoder = new GroupEncoder()
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 6 }), fc.nat(), (group, number) => {
        const bytes = encode(encoder, number, group)
        expect(decodeGroupHeader(bytes, 0)).toEqual({ number, bytes: bytes.length - GROUP_HEADER_BYTES, frames: group.length })
        expect(decode(bytes)).toEqual(group)
      }),
    )
  })

  it('C1: a frame or header with any byte changed is not decoded', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (entry, place, mask) => {
        const bytes = encode(new GroupEncoder(), 1, [entry])
        const at = place % bytes.length
        bytes[at] = (bytes[at] ?? 0) ^ mask
        const intact =
          decodeGroupHeader(bytes, 0) !== undefined && checkFrame(bytes, GROUP_HEADER_BYTES) === bytes.length - GROUP_HEADER_BYTES
        expect(intact).toBe(false)
      }),
    )
  })

  it('C1: values and texts larger than the memory of the encoder are kept', () => {
    const value = new Uint8Array(3 << 20).fill(7)
    const entry: Entry = {
      kind: KIND.record,
      topic: 1,
      partition: 2,
      offset: 3,
      timeMs: 4,
      text: 'k'.repeat(70_000),
      headers: { h: 'ü'.repeat(70_000) },
      value,
    }
    for (const { text, headers, value: decoded } of decode(encode(new GroupEncoder(), 1, [entry, entry]))) {
      expect({ text, headers, same: Buffer.compare(decoded, value) === 0 }).toEqual({
        text: entry.text,
        headers: entry.headers,
        same: true,
      })
    }
  })

  it('C1: no header name is special', () => {
    const headers = Object.fromEntries(['__proto__', 'constructor', 'toString', '', '7'].map((name) => [name, `${name}!`]))
    const entry: Entry = { kind: KIND.record, topic: 0, partition: 0, offset: 0, timeMs: 0, text: '', headers, value: new Uint8Array() }
    expect(Object.entries(decode(encode(new GroupEncoder(), 1, [entry]))[0]?.headers ?? {})).toEqual(Object.entries(headers))
  })

  it('C2: a later group is found behind damage, an earlier one is not taken for it', () => {
    const encoder = new GroupEncoder()
    const bytes = Buffer.concat([encode(encoder, 7, []), Buffer.from('rubbish BTNG'), encode(encoder, 8, [])])
    expect([hasLaterGroup(bytes, 1, 7), hasLaterGroup(bytes, 1, 8), hasLaterGroup(bytes, bytes.length - 5, 7)]).toEqual([
      true,
      false,
      false,
    ])
  })
})
