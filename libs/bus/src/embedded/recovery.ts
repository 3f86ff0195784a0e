// Reads a log from its first segment to its last when the bus opens.
//   V1. What was acknowledged is there again; a group that was being written when the process died is cut off, whole.
//   V2. Damage anywhere else is `log.corrupt`: nothing is skipped silently.
import { Fault } from '@baton/contracts/fault'
import * as fs from 'node:fs'
import type { Catalog } from './catalog.ts'
import { checkFrame, decodeGroupHeader, FRAME_HEADER_BYTES, GROUP_HEADER_BYTES, hasLaterGroup, SEGMENT_HEADER } from './codec.ts'
import { listSegments, Segment, segmentPath } from './segment.ts'

export type Recovered = {
  readonly segments: Segment[]
  /** Number of the next group. */
  readonly nextGroup: number
  /** Bytes of an unfinished group that were cut off. */
  readonly tornBytes: number
}

type Scan = { readonly bytes: number; readonly nextGroup: number }

/** Fills the catalog from the segments in `dir`. */
export const recover = (dir: string, catalog: Catalog): Recovered => {
  const ids = listSegments(dir)
  const segments: Segment[] = []
  let nextGroup: number | undefined
  let tornBytes = 0
  for (const [index, id] of ids.entries()) {
    const path = segmentPath(dir, id)
    const last = index === ids.length - 1
    if (index > 0 && id !== (ids[index - 1] ?? 0) + 1) throw new Fault('log.corrupt', `the segment before ${path} is missing`, { path })
    const bytes = fs.readFileSync(path)
    if (!bytes.subarray(0, SEGMENT_HEADER.length).equals(SEGMENT_HEADER)) {
      if (!last || hasLaterGroup(bytes, 0, (nextGroup ?? 0) - 1))
        throw new Fault('log.corrupt', `${path} does not begin as a segment`, { path })
      fs.rmSync(path) // V1: it was being created.
      tornBytes += bytes.length
      break
    }
    const segment = Segment.existing(dir, id, bytes.length)
    const scan = scanSegment(bytes, { segment, catalog, last, ...(nextGroup === undefined ? {} : { nextGroup }) })
    nextGroup = scan.nextGroup
    tornBytes += lengthOfContent(bytes) > scan.bytes ? bytes.length - scan.bytes : 0
    segment.cut(scan.bytes)
    segments.push(segment)
  }
  return { segments, nextGroup: nextGroup ?? 1, tornBytes }
}

const scanSegment = (
  bytes: Buffer,
  { segment, catalog, last, nextGroup }: { segment: Segment; catalog: Catalog; last: boolean; nextGroup?: number },
): Scan => {
  let at = SEGMENT_HEADER.length
  let expected = nextGroup
  for (;;) {
    const end = checkGroup(bytes, at, expected)
    if (end === undefined) break
    expected = (decodeGroupHeader(bytes, at)?.number ?? 0) + 1
    for (let frame = at + GROUP_HEADER_BYTES; frame < end; frame += checkedLength(bytes, frame)) catalog.apply(bytes, frame, segment)
    at = end
  }
  if (lengthOfContent(bytes) > at && !(last && isTorn(bytes, at, expected))) {
    throw new Fault('log.corrupt', `${segment.path} is damaged at byte ${at}`, { path: segment.path, position: at }) // V2
  }
  return { bytes: at, nextGroup: expected ?? 1 }
}

/** True when the damage at `position` can only be a group that was being written: nothing was written after it. */
const isTorn = (bytes: Buffer, position: number, expected: number | undefined): boolean =>
  !hasLaterGroup(bytes, position + 1, expected ?? decodeGroupHeader(bytes, position)?.number ?? 0)

/** Where the group at `position` ends, when it is complete, unharmed and the one expected. */
const checkGroup = (bytes: Buffer, position: number, expected: number | undefined): number | undefined => {
  const header = decodeGroupHeader(bytes, position)
  if (header === undefined || (expected !== undefined && header.number !== expected)) return undefined
  const end = position + GROUP_HEADER_BYTES + header.bytes
  if (end > bytes.length) return undefined
  let frames = 0
  let at = position + GROUP_HEADER_BYTES
  for (; at < end; frames++) {
    const length = checkFrame(bytes, at)
    if (length === undefined) return undefined
    at += length
  }
  return at === end && frames === header.frames ? end : undefined
}

const checkedLength = (bytes: Buffer, position: number): number => bytes.readUInt32BE(position) + FRAME_HEADER_BYTES

/** Length without the zeros at the end. */
const lengthOfContent = (bytes: Buffer): number => {
  let end = bytes.length
  while (end >= 4096 && bytes.subarray(end - 4096, end).equals(ZEROS)) end -= 4096
  while (end > 0 && bytes[end - 1] === 0) end--
  return end
}

const ZEROS = Buffer.alloc(4096)
