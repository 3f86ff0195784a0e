// Gives disk space back, oldest segment first.
//   K1. A segment goes only when nobody needs it: no log reader, no consumer group within the retention.
//   K2. It goes when its records are past their retention, or when the log takes more than a quarter of what it may.
//   K3. The newest record of each key of a compacted topic, and dead letters within their retention, are carried into the newest segment first.
import type { BusRecord } from '../bus.ts'
import type { Catalog } from './catalog.ts'
import type { PartitionLog, Run } from './partition-log.ts'
import { readRecords } from './partition-reader.ts'
import type { Segment } from './segment.ts'
import type { Wal } from './wal.ts'

/** Share of `diskBytesMax` from which on space is taken back before the retention is over. */
const PRESSURE = 0.25
/** Records carried forward in one go. */
const CARRY_RECORDS_MAX = 500

type Move = { readonly log: PartitionLog; readonly record: BusRecord }

export type Reclaimer = {
  readonly run: () => Promise<void>
  /** Whether space is wanted. */
  readonly isPressed: () => boolean
  /** Who needs the oldest segment, in words. */
  readonly neededBy: () => string
}

/** Makes the one that frees segments; calls while it is at work are answered by that work. */
export const createReclaimer = ({
  wal,
  catalog,
  diskBytesMax,
  nowMs,
}: {
  wal: Wal
  catalog: Catalog
  diskBytesMax: number
  nowMs: () => number
}): Reclaimer => {
  let running: Promise<void> | undefined
  const logs = (): readonly PartitionLog[] => catalog.topics.flatMap(({ partitions }) => partitions)

  const isPressed = (): boolean => wal.usedBytes > diskBytesMax * PRESSURE

  const freeSegments = async (): Promise<void> => {
    for (let oldest = wal.segments[0]; oldest !== undefined && wal.segments.length > 1; oldest = wal.segments[0]) {
      const segment = oldest
      const pressed = isPressed()
      if (logs().some((log) => needOf(log, segment, { pressed, now: nowMs() }) !== undefined)) return
      if (pressed && carriedBytes(logs(), segment, nowMs()) > segment.bytes / 2) return // Nothing won by moving it round.
      for (const log of logs()) await carry(log, segment)
      for (const log of logs()) forget(log, segment)
      wal.drop(segment)
    }
  }

  const carry = async (log: PartitionLog, segment: Segment): Promise<void> => {
    for (const moves of await movesOf(log, segment, nowMs())) await wal.move(moves) // K3
  }

  return {
    isPressed,
    run: async () => (running ??= freeSegments().finally(() => (running = undefined))),
    neededBy() {
      const [oldest] = wal.segments
      const needs = oldest === undefined ? [] : logs().flatMap((log) => needOf(log, oldest, { pressed: true, now: nowMs() }) ?? [])
      return needs[0] ?? 'nobody; they are being deleted'
    },
  }
}

const runIn = (log: PartitionLog, segment: Segment): Run | undefined => {
  const run = log.runs[0]
  return run?.segment === segment ? run : undefined
}

/** K1, K2. Why the segment must stay, as far as this partition is concerned. */
const needOf = (log: PartitionLog, segment: Segment, { pressed, now }: { pressed: boolean; now: number }): string | undefined => {
  const run = runIn(log, segment)
  const { keeping, name } = log.topic
  if (run === undefined || keeping.carried || keeping.compacted) return undefined
  const end = run.first + run.count
  const where = `of ${name}/${log.partition}`
  if (log.hold !== undefined && log.hold < end) return `the log reader ${where} at ${log.hold}`
  const expired = run.lastTimeMs + keeping.retentionMs < now
  if (expired) return undefined
  if (!pressed) return `the retention ${where}`
  for (const [group, next] of log.positions) if (next < end) return `the group ${group} ${where} at ${next}`
  return undefined
}

const movesOf = async (log: PartitionLog, segment: Segment, now: number): Promise<readonly Move[][]> => {
  const { keeping } = log.topic
  if (keeping.compacted) {
    const newest = [...log.newest.values()].filter((entry) => entry.segment === segment)
    return inPieces(newest.map(({ record }) => ({ log, record })))
  }
  if (!keeping.carried) return []
  const records: BusRecord[] = []
  for (const offset of offsetsToCarry(log, segment, now)) records.push(...(await readRecords(log, offset, 1)))
  return inPieces(records.map((record) => ({ log, record })))
}

const offsetsToCarry = (log: PartitionLog, segment: Segment, now: number): readonly number[] => {
  const fresh = (timeMs: number): boolean => timeMs + log.topic.keeping.retentionMs >= now
  const carried = [...log.carried].filter(([, place]) => place.segment === segment && fresh(place.timeMs)).map(([offset]) => offset)
  const run = runIn(log, segment)
  if (run === undefined || !fresh(run.lastTimeMs)) return carried
  return [...carried, ...Array.from({ length: run.count }, (_, index) => run.first + index)]
}

const carriedBytes = (logs: readonly PartitionLog[], segment: Segment, now: number): number => {
  let bytes = 0
  for (const log of logs) {
    const { keeping } = log.topic
    if (keeping.compacted) for (const entry of log.newest.values()) bytes += entry.segment === segment ? entry.record.value.length : 0
    else if (keeping.carried) bytes += offsetsToCarry(log, segment, now).length * CARRIED_BYTES
  }
  return bytes
}

/** A dead letter, roughly. */
const CARRIED_BYTES = 2_048

const forget = (log: PartitionLog, segment: Segment): void => {
  if (runIn(log, segment) !== undefined) log.runs.shift()
  for (const [offset, place] of log.carried) if (place.segment === segment) log.carried.delete(offset)
}

const inPieces = (moves: readonly Move[]): Move[][] => {
  const pieces: Move[][] = []
  for (let from = 0; from < moves.length; from += CARRY_RECORDS_MAX) pieces.push(moves.slice(from, from + CARRY_RECORDS_MAX))
  return pieces
}
