import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SEGMENT_HEADER } from './codec.ts'
import { listSegments, Segment } from './segment.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'baton-segment-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const write = async (segment: Segment, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => segment.write(bytes, (error) => (error === null ? resolve() : reject(error))))

describe('segment', () => {
  it('G1: what was written is in the file when `write` calls back, and can be read from there', async () => {
    const segment = Segment.create(dir, 3)
    await write(segment, Buffer.from('one'))
    const at = segment.bytes
    await write(segment, Buffer.from('two'))
    expect(readFileSync(segment.path).subarray(0, segment.bytes)).toEqual(Buffer.concat([SEGMENT_HEADER, Buffer.from('onetwo')]))
    expect((await segment.read(at, 100)).toString()).toBe('two')
    expect(listSegments(dir)).toEqual([3])
    segment.close()
  })

  it('G2: zeros written ahead never fall on what is written, however large the groups are', async () => {
    const segment = Segment.create(dir, 1)
    const groups = Array.from({ length: 40 }, (_, n) => Buffer.alloc((n * 104_729) % 700_000 || 1, (n % 255) + 1))
    for (const group of groups) await write(segment, group)
    segment.truncate()
    segment.close()
    const written = readFileSync(segment.path).subarray(SEGMENT_HEADER.length, segment.bytes)
    expect(written.equals(Buffer.concat(groups))).toBe(true)
  })

  it('a segment deleted while it is read is closed after the read', async () => {
    const segment = Segment.create(dir, 1)
    await write(segment, Buffer.alloc(100_000, 1))
    const reading = segment.read(SEGMENT_HEADER.length, 100_000)
    segment.delete()
    expect((await reading).length).toBe(100_000)
    expect(listSegments(dir)).toEqual([])
  })
})
