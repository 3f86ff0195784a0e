// What the parts of the contract suite share: topics, records, waiting, and one fresh bus a test.
import { afterEach, jest } from '@jest/globals'
import type { TopicSpec } from '@baton/contracts/topics'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus, BusRecord, LaneHandler, LanesOptions, OutgoingRecord, RetryPolicy, Settlement } from '../bus.ts'

/** A bus on storage of its own. `reopen` opens the same storage again, after the bus was closed. */
export type OpenedBus = { readonly bus: Bus; readonly reopen: () => Promise<Bus> }

/** What an adapter brings to the suite. */
export type BusContract = {
  readonly name: string
  /** Opens a bus on fresh storage with exactly these topics, made and ready. */
  readonly open: (topics: readonly TopicSpec[]) => Promise<OpenedBus>
  /** Delay of the first retry topic; the second has twice as much. Long enough that a bystander is done before. Default 60. */
  readonly retryDelayMs?: number
  /** Of one test. Default 5,000; a broker that lets groups join slowly needs more. */
  readonly timeoutMs?: number
}

const DAY_MS = 86_400_000
const topic = (name: string, partitions: number, more: Partial<TopicSpec> = {}): TopicSpec => ({
  name,
  partitions,
  retentionMs: DAY_MS,
  compacted: false,
  logAppendTime: true,
  about: 'contract suite',
  ...more,
})

/** Topics of the suite. */
export const WORK = 'contract.work'
export const OTHER = 'contract.other'
export const LOG = 'contract.log'
export const TABLE = 'contract.table'
export const RETRIES = ['contract.retry.short', 'contract.retry.long'] as const
export const DEAD = 'contract.dlt'
const TOPICS = [
  topic(WORK, 3),
  topic(OTHER, 1),
  topic(LOG, 2),
  topic(TABLE, 1, { compacted: true }),
  ...RETRIES.map((name) => topic(name, 2)),
  topic(DEAD, 1),
]

export const ack: Settlement = { outcome: 'ack' }
export const retry = (afterMs?: number): Settlement => ({
  outcome: 'retry',
  fault: { code: 'tool.failed', message: 'the tool is down', detail: { status: 503 } },
  ...(afterMs === undefined ? {} : { afterMs }),
})
export const reject: Settlement = { outcome: 'reject', fault: { code: 'message.undecodable', message: 'not JSON' } }

/** A message of the suite; the value is not text, so that nobody decodes it on the way. */
export const message = (key: string, n: number, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
  topic: WORK,
  key,
  value: Buffer.concat([Buffer.from([0xff, 0x00, 0xc3]), Buffer.from(`${key}#${n}`)]),
  headers: { ce_id: `${key}/${n}`, 'x-own': 'größer ✓' },
  ...more,
})

/** The part of a record that its sender chose. */
export const sent = ({ topic: name, key, value, headers }: OutgoingRecord | BusRecord) => ({
  topic: name,
  key,
  value: value.toString('hex'),
  headers: { ...headers },
})

/** Waits until it is true; the test's own timeout ends it. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(5)
}

/** A promise and what resolves it. */
export const gate = (): { readonly open: () => void; readonly opened: Promise<void> } => {
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { open, opened }
}

export type Suite = ReturnType<typeof createSuite>

/** One bus a test, closed after it. */
export const createSuite = (contract: BusContract) => {
  const { open, retryDelayMs = 60, timeoutMs = 5_000 } = contract
  const buses: Bus[] = []
  jest.setTimeout(timeoutMs)
  afterEach(async () => {
    for (const bus of buses.splice(0)) await bus.close()
  })

  const policy: RetryPolicy = {
    laneAttemptsMax: 2,
    laneDelayMs: 5,
    retryTopics: RETRIES.map((name, index) => ({ topic: name, delayMs: retryDelayMs * (index + 1) })),
    deadLetterTopic: DEAD,
  }

  return {
    retryDelayMs,
    policy,
    start: async (): Promise<{ bus: Bus; reopen: () => Promise<Bus> }> => {
      const opened = await open(TOPICS)
      buses.push(opened.bus)
      const reopen = async (): Promise<Bus> => {
        await opened.bus.close()
        buses.splice(buses.indexOf(opened.bus), 1)
        const bus = await opened.reopen()
        buses.push(bus)
        return bus
      }
      return { bus: opened.bus, reopen }
    },
    lanes: async (bus: Bus, handler: LaneHandler, more: Partial<LanesOptions> = {}) =>
      bus.lanes({ group: 'contract', topics: [WORK], handler, retry: policy, ...more }),
    /** Waits until there are that many. */
    deadLetters: async (bus: Bus, count: number): Promise<readonly BusRecord[]> => {
      for (;;) {
        const letters = await bus.read({ topic: DEAD, partition: 0, offset: 0, limit: 100 })
        if (letters.length >= count) return letters
        await sleep(5)
      }
    },
  }
}
