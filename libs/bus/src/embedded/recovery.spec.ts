import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { toFault } from '@baton/contracts/fault'
import type { TopicSpec } from '@baton/contracts/topics'
import fc from 'fast-check'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Catalog } from './catalog.ts'
import { decodeGroupHeader, GROUP_HEADER_BYTES, SEGMENT_HEADER } from './codec.ts'
import { openEmbeddedBus } from './embedded-bus.ts'
import { recover } from './recovery.ts'
import { segmentPath } from './segment.ts'

const topics: readonly TopicSpec[] = [{ name: 't', partitions: 1, retentionMs: 1e9, compacted: false, logAppendTime: true, about: '' }]
const keeping = new Map([['t', { compacted: false, carried: false, retentionMs: 1e9 }]])
const root = mkdtempSync(join(tmpdir(), 'baton-recovery-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A log of five groups with two records each. */
const original = join(root, 'original')
let bytes = Buffer.alloc(0)
/** Where each group begins, and at the end of the list, where the log ends. */
let bounds: number[] = []
/** `next` of the partition after each of the bounds. */
let nexts: number[] = []

beforeAll(async () => {
  const bus = await openEmbeddedBus({ dir: original, topics })
  for (let n = 0; n < 5; n++)
    await bus.publish([1, 2].map((i) => ({ topic: 't', key: `k${i}`, value: Buffer.from(`${n}/${i}`), headers: { n: String(n) } })))
  await bus.close()
  bytes = readFileSync(segmentPath(original, 1))
  bounds = [SEGMENT_HEADER.length]
  for (let at = SEGMENT_HEADER.length; at < bytes.length; bounds.push(at))
    at += GROUP_HEADER_BYTES + (decodeGroupHeader(bytes, at)?.bytes ?? 0)
  nexts = bounds.map((_, index) => Math.max(0, (index - 1) * 2))
})

const opened = (content: Buffer): { next: number; tornBytes: number } => {
  const dir = mkdtempSync(join(root, 'cut-'))
  writeFileSync(segmentPath(dir, 1), content)
  const catalog = new Catalog({ keeping, prefix: '' })
  const { tornBytes } = recover(dir, catalog)
  rmSync(dir, { recursive: true })
  return { next: catalog.has('t') ? (catalog.topic('t').partitions[0]?.next ?? -1) : 0, tornBytes }
}

const outcomeOf = (open: () => number): number | string => {
  try {
    return open()
  } catch (error) {
    return toFault(error).code
  }
}

/** `next` when the log ends at byte `length`. */
const nextAt = (length: number): number => nexts[bounds.findLastIndex((bound) => bound <= length)] ?? 0

describe('recovery', () => {
  it('V1: a log cut off at any byte of its groups keeps every group before, and nothing of the one that was cut', () => {
    expect(bounds).toHaveLength(7)
    for (let length = SEGMENT_HEADER.length; length <= bytes.length; length++) {
      expect([length, opened(bytes.subarray(0, length)).next]).toEqual([length, nextAt(length)])
    }
  })

  it('V1: zeros or rubbish instead of the end of the last group are the same as nothing', () => {
    const last = bounds.at(-2) ?? 0
    for (let at = last; at < bytes.length; at += 7) {
      for (const filler of [Buffer.alloc(5_000), Buffer.alloc(300, 0xa5)]) {
        expect(opened(Buffer.concat([bytes.subarray(0, at), filler])).next).toBe(nextAt(at))
      }
    }
  })

  it('V1: a segment cut off while it was being created is begun again', () => {
    for (let length = 0; length < SEGMENT_HEADER.length; length++) expect(opened(bytes.subarray(0, length)).next).toBe(0)
  })

  it('V1: the bus goes on where the good part ends', async () => {
    const dir = join(root, 'goes-on')
    cpSync(original, dir, { recursive: true })
    writeFileSync(segmentPath(dir, 1), bytes.subarray(0, bytes.length - 3))
    const bus = await openEmbeddedBus({ dir, topics })
    const [place] = await bus.publish([{ topic: 't', key: 'k', value: Buffer.from('new'), headers: {} }])
    expect(place?.offset).toBe(8)
    await bus.close()
    const again = await openEmbeddedBus({ dir, topics })
    const values = (await again.read({ topic: 't', partition: 0, offset: 6, limit: 9 })).map(({ value }) => value.toString())
    expect(values).toEqual(['3/1', '3/2', 'new'])
    await again.close()
  })

  it('V2: a changed byte before the last group is log.corrupt; in the last group it costs that group only', () => {
    const last = bounds.at(-2) ?? 0
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ mask
        expect(outcomeOf(() => opened(damaged).next)).toBe(at >= last ? nexts.at(-2) : 'log.corrupt')
      }),
      { numRuns: 300 },
    )
  })

  it('V2: a group that is missing in the middle, or a missing segment, is log.corrupt', () => {
    const [from, to] = [bounds[2] ?? 0, bounds[3] ?? 0]
    expect(() => opened(Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]))).toThrow(
      expect.objectContaining({ code: 'log.corrupt' }),
    )
    const dir = mkdtempSync(join(root, 'gap-'))
    for (const id of [1, 3]) writeFileSync(segmentPath(dir, id), bytes)
    expect(() => recover(dir, new Catalog({ keeping, prefix: '' }))).toThrow(expect.objectContaining({ code: 'log.corrupt' }))
  })
})
