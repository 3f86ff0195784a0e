// What is known of the letters of one dead-letter topic, without their bytes, read on from where it was read last.
//   K1. After `refresh` everything is known that was in the topic when it was called.
//   K2. Bounded: beyond `lettersMax` the oldest letters are forgotten here; they stay in the topic, and can be shown and redriven by place.
//   K3. What retention took away is forgotten; a topic that was made anew is read anew.
import { isFaultCode, type FaultCode } from '@baton/contracts/fault'
import type { Bus, BusRecord } from '../bus.ts'
import { letterOf, noLetter, readMark, type DeadLetter, type LetterAction } from './letter.ts'
import { scan } from './letter-reader.ts'

const LETTERS_MAX = 50_000
const MESSAGE_CHARS_MAX = 300
/** Largest value that is read for the tenant in it. */
const PEEK_BYTES_MAX = 65_536
const PARTITION = 0
/** Records read at once where single ones are wanted: they often lie together. */
const WINDOW_RECORDS = 100
const DEFAULT_TENANT = 'default'

/** A letter without its bytes. */
export type LetterSummary = Pick<DeadLetter, 'offset' | 'key' | 'fingerprint' | 'deadAtMs' | 'redrives' | 'state'> & {
  readonly tenant: string
  readonly code: FaultCode
  readonly message: string
  readonly originTopic: string
  readonly type?: string
  readonly attempts: number
  readonly bytes: number
  readonly firstFailedAtMs: number
}

type Entry = { summary: LetterSummary; actions: readonly LetterAction[] }

/** The letters of a topic of one partition, oldest first. */
export class LetterBook {
  readonly #bus: Bus
  readonly #topic: string
  readonly #lettersMax: number
  readonly #onLetter: (letter: LetterSummary) => void
  readonly #entries = new Map<number, Entry>()
  #topicId: string | undefined
  #next = 0
  #forgotten = 0
  #reading: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined

  constructor(options: { bus: Bus; topic: string; lettersMax?: number; onLetter?: (letter: LetterSummary) => void }) {
    this.#bus = options.bus
    this.#topic = options.topic
    this.#lettersMax = options.lettersMax ?? LETTERS_MAX
    this.#onLetter = options.onLetter ?? (() => undefined)
  }

  /** K1. Calls that come together read once. */
  refresh(): Promise<void> {
    this.#waiting ??= this.#reading
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined
        this.#reading = this.#read()
        return this.#reading
      })
    return this.#waiting
  }

  /** Oldest first. */
  *letters(): Generator<LetterSummary> {
    for (const { summary } of this.#entries.values()) yield summary
  }

  /** Oldest first, those behind an offset. */
  *lettersAfter(offset: number): Generator<LetterSummary> {
    for (const { summary } of this.#entries.values()) if (summary.offset > offset) yield summary
  }

  get(offset: number): LetterSummary | undefined {
    return this.#entries.get(offset)?.summary
  }

  /** The end of the topic as it was at the last `refresh`. */
  get next(): number {
    return this.#next
  }

  /** Letters that were forgotten because there were too many (K2). */
  get forgotten(): number {
    return this.#forgotten
  }

  /** One letter with its bytes. `request.not_found` when there is none at this offset. */
  async read(offset: number): Promise<DeadLetter> {
    const [record] = await this.#bus.read({ topic: this.#topic, partition: PARTITION, offset, limit: 1 })
    const letter = record?.offset === offset ? letterOf(record, this.#entries.get(offset)?.actions ?? []) : undefined
    if (letter === undefined) throw noLetter(this.#topic, { partition: PARTITION, offset })
    return letter
  }

  /** Letters with their bytes, in the order of their offsets; those that are not there any more are left out. */
  async readMany(offsets: readonly number[]): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    let window: readonly BusRecord[] = []
    for (const offset of offsets.toSorted((one, other) => one - other)) {
      if (offset > (window.at(-1)?.offset ?? -1))
        window = await this.#bus.read({ topic: this.#topic, partition: PARTITION, offset, limit: WINDOW_RECORDS })
      const record = window.find((one) => one.offset === offset)
      const letter = record === undefined ? undefined : letterOf(record, this.#entries.get(offset)?.actions ?? [])
      if (letter !== undefined) letters.push(letter)
    }
    return letters
  }

  async #read(): Promise<void> {
    const { topicId, partitions } = await this.#bus.describe(this.#topic)
    const { first = 0, next = 0 } = partitions[PARTITION] ?? {}
    if (topicId !== this.#topicId) {
      this.#topicId = topicId
      this.#next = 0
      this.#entries.clear()
    }
    for (const offset of this.#entries.keys()) {
      if (offset >= first) break
      this.#entries.delete(offset) // K3
    }
    for await (const record of scan(this.#bus, { topic: this.#topic, partition: PARTITION, first: Math.max(first, this.#next), next })) {
      const mark = readMark(record)
      if (mark === undefined) this.#add(letterOf(record, []))
      else this.#note(mark.offset, mark.action)
      this.#next = record.offset + 1
    }
  }

  #add(letter: DeadLetter | undefined): void {
    if (letter === undefined) return
    const summary = summaryOf(letter)
    this.#entries.set(letter.offset, { summary, actions: [] })
    this.#onLetter(summary)
    if (this.#entries.size <= this.#lettersMax) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest) // K2
    this.#forgotten++
  }

  #note(offset: number, action: LetterAction): void {
    const entry = this.#entries.get(offset)
    if (entry === undefined) return
    entry.actions = [...entry.actions, action]
    entry.summary = { ...entry.summary, state: action.action }
  }
}

/** A letter without its bytes. */
export const summaryOf = (letter: DeadLetter): LetterSummary => {
  const { offset, key, fingerprint, deadAtMs, redrives, state, failure, value, headers, first } = letter
  const code = failure.fault?.code
  const type = headers['ce_type']
  return {
    offset,
    key,
    fingerprint,
    deadAtMs,
    redrives,
    state,
    tenant: tenantOf(letter),
    code: isFaultCode(code) ? code : 'handler.failed',
    message: (failure.fault?.message ?? '').slice(0, MESSAGE_CHARS_MAX),
    originTopic: failure.origin.topic,
    ...(type === undefined ? {} : { type }),
    attempts: Math.max(failure.attempts, letter.history.length),
    bytes: value.length,
    firstFailedAtMs: first.atMs,
  }
}

/** The tenant a letter names, in its header or else in its body. */
const tenantOf = ({ headers, value }: DeadLetter): string => {
  const named = headers['ce_tenant']
  if (named !== undefined && named !== '') return named
  if (value.length > PEEK_BYTES_MAX || value[0] !== '{'.charCodeAt(0)) return DEFAULT_TENANT
  try {
    const body: unknown = JSON.parse(value.toString('utf8'))
    const tenant = typeof body === 'object' && body !== null && 'tenant' in body ? body.tenant : undefined
    return typeof tenant === 'string' && tenant !== '' ? tenant.slice(0, 128) : DEFAULT_TENANT
  } catch {
    return DEFAULT_TENANT // It may well lie here because it cannot be read.
  }
}
