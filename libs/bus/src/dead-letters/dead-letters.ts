// Dead letters of one topic, read where they lie: for tools and tests that need no index. The promises X1 to X4 are those of send-again.ts.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '../bus.ts'
import { noLetter, type DeadLetter, type LetterPlace } from './letter.ts'
import { allLetters } from './letter-reader.ts'
import { sendAgain } from './send-again.ts'

const LIST_MAX = 100
const RATE_PER_SECOND = 100

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
  /** Those that were sent again or put away, too. */
  readonly includeClosed?: boolean
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
  readonly by?: string
  readonly signal?: AbortSignal
}

export type Redrive = { readonly redriveId: string; readonly dryRun: boolean; readonly letters: readonly LetterPlace[] }

/** Open letters, oldest first within each partition. `next` is there when there are more. */
export const listDeadLetters = async (
  bus: Bus,
  options: ListOptions,
): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: LetterPlace }> => {
  const { limit = LIST_MAX, after, includeClosed = false } = options
  const letters: DeadLetter[] = []
  for await (const letter of select(bus, options)) {
    if (after !== undefined && !isBehind(letter, after)) continue
    if (letter.state !== 'open' && !includeClosed) continue
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
  throw noLetter(topic, { partition, offset })
}

/** Sends letters to where they came from (X1). Open ones that match, or exactly those named. */
export const redriveDeadLetters = async (bus: Bus, options: RedriveOptions): Promise<Redrive> => {
  const { topic, only, dryRun = false, limit = Infinity, redriveId = randomUUID(), by, signal } = options
  const pace = paceOf(options.ratePerSecond ?? RATE_PER_SECOND)
  const sent: LetterPlace[] = []
  for await (const letter of select(bus, options)) {
    if (sent.length >= limit || signal?.aborted === true) break
    if (!isWanted(letter, only)) continue
    if (!dryRun) {
      await pace(sent.length)
      const sender = { id: redriveId, nowMs: Date.now(), ...(by === undefined ? {} : { by }) }
      await sendAgain(bus, topic, { letters: [{ letter }], sender })
    }
    sent.push({ partition: letter.partition, offset: letter.offset })
  }
  return { redriveId, dryRun, letters: sent }
}

const isWanted = (letter: DeadLetter, only: readonly LetterPlace[] | undefined): boolean =>
  only === undefined ? letter.state === 'open' : isAmong(letter, only)

/** Waits until the n-th may go. */
const paceOf = (ratePerSecond: number): ((n: number) => Promise<void>) => {
  const startMs = performance.now()
  const eachMs = 1_000 / Math.max(0.001, ratePerSecond)
  return async (n) => {
    const waitMs = startMs + n * eachMs - performance.now()
    if (waitMs > 1) await sleep(waitMs)
  }
}

async function* select(bus: Bus, { topic, where }: Selection): AsyncGenerator<DeadLetter> {
  for await (const letter of allLetters(bus, topic)) if (where === undefined || (await where(letter))) yield letter
}

const isBehind = (letter: LetterPlace, after: LetterPlace): boolean =>
  letter.partition > after.partition || (letter.partition === after.partition && letter.offset > after.offset)

const isAmong = (letter: LetterPlace, places: readonly LetterPlace[]): boolean =>
  places.some(({ partition, offset }) => letter.partition === partition && letter.offset === offset)
