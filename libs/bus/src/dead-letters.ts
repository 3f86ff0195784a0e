// Reading the dead letters of a service and sending them on their way again, on any bus.
//   X1. A redriven message goes to the topic and partition it came from with its own key, value and headers, so its idempotency key is the
//       same; only `x-redrive-id` is added, and its attempts count from one.
//   X2. A redriven letter is no longer open: a marker beside it in the topic says so. It can still be shown, and redriven again by name.
//   X3. A crash in the middle redrives a letter twice at worst, and never loses one: message and marker are published in one call.
import { Fault } from '@baton/contracts/fault'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, BusRecord, OutgoingRecord } from './bus.ts'
import { decodeFailure, HEADER, withoutFailure, type FailureRecord } from './lanes/failure-record.ts'

const PAGE_RECORDS = 200
const LIST_MAX = 100
const RATE_PER_SECOND = 100
const MARKER_VALUE = Buffer.from('redriven')

/** Where a letter lies. */
export type LetterPlace = { readonly partition: number; readonly offset: number }

export type DeadLetter = LetterPlace & {
  readonly key: string
  readonly value: Buffer
  /** The message's own headers. */
  readonly headers: Readonly<Record<string, string>>
  readonly failure: FailureRecord
  /** When it came to the dead letters. */
  readonly deadAtMs: number
  /** It was sent again already. */
  readonly redriven: boolean
}

type Selection = {
  /** The dead-letter topic. */
  readonly topic: string
  readonly where?: (letter: DeadLetter) => boolean | Promise<boolean>
}

export type ListOptions = Selection & {
  /** Default 100. */
  readonly limit?: number
  /** Goes on behind this letter. */
  readonly after?: LetterPlace
  /** Those that were sent again, too. */
  readonly includeRedriven?: boolean
}

export type RedriveOptions = Selection & {
  /** Only these, even if they were redriven before. */
  readonly only?: readonly LetterPlace[]
  /** Nothing is sent; the answer says what would be. */
  readonly dryRun?: boolean
  /** Default 100. */
  readonly ratePerSecond?: number
  /** At most so many. */
  readonly limit?: number
  /** Name of this redrive, in the header of every message it sends. Default drawn. */
  readonly redriveId?: string
  readonly signal?: AbortSignal
}

export type Redrive = { readonly redriveId: string; readonly dryRun: boolean; readonly letters: readonly LetterPlace[] }

/** Open letters, oldest first within each partition. `next` is there when there are more. */
export const listDeadLetters = async (
  bus: Bus,
  options: ListOptions,
): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: LetterPlace }> => {
  const { limit = LIST_MAX, after, includeRedriven = false } = options
  const letters: DeadLetter[] = []
  for await (const letter of select(bus, options)) {
    if (after !== undefined && !isBehind(letter, after)) continue
    if (letter.redriven && !includeRedriven) continue
    const last = letters.at(-1)
    if (letters.length >= limit && last !== undefined) return { letters, next: { partition: last.partition, offset: last.offset } }
    letters.push(letter)
  }
  return { letters }
}

/** One letter; `request.not_found` when there is none at that place. */
export const showDeadLetter = async (
  bus: Bus,
  { topic, partition, offset }: LetterPlace & { readonly topic: string },
): Promise<DeadLetter> => {
  const only = [{ partition, offset }]
  for await (const letter of select(bus, { topic, where: (one) => isAmong(one, only) })) return letter
  throw new Fault('request.not_found', `there is no dead letter at ${partition}/${offset} of ${topic}`, { topic, partition, offset })
}

/** Sends letters to where they came from (X1). Open ones that match, or exactly those named. */
export const redriveDeadLetters = async (bus: Bus, options: RedriveOptions): Promise<Redrive> => {
  const { only, dryRun = false, limit = Infinity, redriveId = randomUUID(), signal } = options
  const pace = paceOf(options.ratePerSecond ?? RATE_PER_SECOND)
  const sent: LetterPlace[] = []
  for await (const letter of select(bus, options)) {
    if (sent.length >= limit || signal?.aborted === true) break
    if (only === undefined ? letter.redriven : !isAmong(letter, only)) continue
    if (!dryRun) {
      await pace(sent.length)
      await bus.publish([again(bus, letter, redriveId), marker(options.topic, letter, redriveId)]) // X3
    }
    sent.push({ partition: letter.partition, offset: letter.offset })
  }
  return { redriveId, dryRun, letters: sent }
}

/** Waits until the n-th may go. */
const paceOf = (ratePerSecond: number): ((n: number) => Promise<void>) => {
  const startMs = performance.now()
  const eachMs = 1_000 / Math.max(0.001, ratePerSecond)
  return async (n) => {
    const waitMs = startMs + n * eachMs - performance.now()
    if (waitMs > 1) await sleep(waitMs)
  }
}

/** X1. */
const again = (bus: Bus, { key, value, headers, failure }: DeadLetter, redriveId: string): OutgoingRecord => {
  const { topic, partition } = failure.origin
  const record = { topic, key, value, headers: { ...headers, [HEADER.redriveId]: redriveId } }
  return partition < bus.partitions(topic) ? { ...record, partition } : record
}

/** X2. */
const marker = (topic: string, { key, partition, offset }: DeadLetter, redriveId: string): OutgoingRecord => ({
  topic,
  partition,
  key,
  value: MARKER_VALUE,
  headers: { [HEADER.redrivenOf]: String(offset), [HEADER.redriveId]: redriveId },
})

async function* select(bus: Bus, { topic, where }: Selection): AsyncGenerator<DeadLetter> {
  const { partitions } = await bus.describe(topic)
  for (const { partition, first, next } of partitions) {
    const range = { topic, partition, first, next }
    const redriven = new Set<number>()
    for await (const record of scan(bus, range)) if (isMarker(record)) redriven.add(Number(record.headers[HEADER.redrivenOf]))
    for await (const record of scan(bus, range)) {
      const failure = decodeFailure(record)
      if (failure === undefined) continue
      const letter = letterOf(record, failure, redriven.has(record.offset))
      if (where === undefined || (await where(letter))) yield letter
    }
  }
}

async function* scan(
  bus: Bus,
  { topic, partition, first, next }: { topic: string; partition: number; first: number; next: number },
): AsyncGenerator<BusRecord> {
  for (let offset = first; offset < next;) {
    const records = await bus.read({ topic, partition, offset, limit: PAGE_RECORDS })
    for (const record of records) if (record.offset < next) yield record
    const last = records.at(-1)
    if (last === undefined) return
    offset = last.offset + 1
  }
}

const isMarker = ({ headers }: BusRecord): boolean => headers[HEADER.redrivenOf] !== undefined && headers[HEADER.originTopic] === undefined

const letterOf = (record: BusRecord, failure: FailureRecord, redriven: boolean): DeadLetter => ({
  partition: record.partition,
  offset: record.offset,
  key: record.key,
  value: record.value,
  headers: withoutFailure(record.headers),
  failure,
  deadAtMs: record.timestampMs,
  redriven,
})

const isBehind = (letter: LetterPlace, after: LetterPlace): boolean =>
  letter.partition > after.partition || (letter.partition === after.partition && letter.offset > after.offset)

const isAmong = (letter: LetterPlace, places: readonly LetterPlace[]): boolean =>
  places.some(({ partition, offset }) => letter.partition === partition && letter.offset === offset)
