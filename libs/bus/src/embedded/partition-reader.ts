// Records at rest, from memory or from the segments.
import { Fault } from '@baton/contracts/fault'
import type { BusRecord } from '../bus.ts'
import { checkFrame, decodeContent, decodeNumbers, FRAME_HEADER_BYTES } from './codec.ts'
import type { PartitionLog, Run } from './partition-log.ts'
import type { Segment } from './segment.ts'

/** Read at once from a file; records of other partitions lie between. */
const WINDOW_BYTES = 256 << 10

/** At most `limit` records with an offset of at least `offset`, in order; fewer do not mean the end. Empty only at the end. */
export const readRecords = async (log: PartitionLog, offset: number, limit: number): Promise<readonly BusRecord[]> => {
  if (log.topic.compacted) return newestFrom(log, offset, limit)
  const from = Math.max(offset, log.first) // What was given up may still be in memory.
  const memory = log.fromMemory(from, limit)
  if (memory !== undefined) return memory
  const carried = carriedFrom(log, from)
  const [lowest] = carried
  const run = log.runs.find(({ first, count }) => first + count > from)
  if (lowest !== undefined && (run === undefined || lowest < run.first)) {
    const records: BusRecord[] = []
    for (const kept of carried.slice(0, limit)) {
      if (run !== undefined && kept >= run.first) break
      const place = log.carried.get(kept)
      if (place !== undefined) records.push(await readOne(log, place.segment, place.position))
    }
    return records
  }
  return run === undefined ? [] : readRun(log, { run, from: Math.max(from, run.first), limit })
}

const newestFrom = (log: PartitionLog, from: number, limit: number): readonly BusRecord[] =>
  [...log.newest.values()]
    .map(({ record }) => record)
    .filter(({ offset }) => offset >= from)
    .toSorted((left, right) => left.offset - right.offset)
    .slice(0, limit)

const carriedFrom = (log: PartitionLog, from: number): readonly number[] =>
  log.carried.size === 0 ? [] : [...log.carried.keys()].filter((offset) => offset >= from).toSorted((left, right) => left - right)

const readRun = async (
  log: PartitionLog,
  { run, from, limit }: { run: Run; from: number; limit: number },
): Promise<readonly BusRecord[]> => {
  const start = run.positions[from - run.first] ?? 0
  const window = await run.segment.read(start, WINDOW_BYTES)
  const records: BusRecord[] = []
  for (let index = from - run.first; index < run.count && records.length < limit; index++) {
    const at = (run.positions[index] ?? 0) - start
    const known = at + FRAME_HEADER_BYTES <= window.length
    if (!known || at + FRAME_HEADER_BYTES + window.readUInt32BE(at) > window.length) break
    records.push(decode(log, window, at, run.segment))
  }
  if (records.length > 0) return records
  return [await readOne(log, run.segment, start)] // Larger than the window, or damaged.
}

const readOne = async (log: PartitionLog, segment: Segment, position: number): Promise<BusRecord> => {
  const header = await segment.read(position, FRAME_HEADER_BYTES)
  const length = header.length === FRAME_HEADER_BYTES ? header.readUInt32BE(0) : 0
  return decode(log, await segment.read(position, FRAME_HEADER_BYTES + length), 0, segment)
}

const decode = (log: PartitionLog, bytes: Buffer, at: number, segment: Segment): BusRecord => {
  if (checkFrame(bytes, at) === undefined) {
    const detail = { topic: log.topic.name, partition: log.partition, path: segment.path }
    throw new Fault('log.corrupt', `a record of ${log.topic.name} in ${segment.path} does not match its checksum`, detail)
  }
  const { offset, timeMs } = decodeNumbers(bytes, at)
  const { text, headers, value } = decodeContent(bytes, at)
  return { topic: log.topic.name, partition: log.partition, offset, key: text, value, headers, timestampMs: timeMs }
}
