// A simulated installation around one lane runner, on jest's clock: a broker that holds what paused partitions do not take, producers at
// steady rates, handlers that take a while. Nothing waits in real time, so what it shows is the logic of the lanes and not the machine.
import { setImmediate as turn } from 'node:timers/promises'
import { jest } from '@jest/globals'
import type { BusRecord, OutgoingRecord } from '../bus.ts'
import { ack } from './lane-runner.fixture.ts'
import { LaneRunner, type LaneRunnerOptions } from './lane-runner.ts'

const TICK_MS = 1
const RETRY_TOPICS = [
  { topic: 'retry.1s', delayMs: 1_000 },
  { topic: 'retry.5s', delayMs: 5_000 },
  { topic: 'retry.30s', delayMs: 30_000 },
]

/** Records of one kind at a steady rate. Every record has a key of its own. */
type Producer = { readonly tenant: string; readonly topic: string; readonly perSecond: number; readonly bytes?: number }

export type Load = {
  readonly topics: readonly string[]
  readonly partitions: number
  readonly handlerMs: number
  readonly producers: readonly Producer[]
  readonly forMs: number
  readonly lanes: Partial<LaneRunnerOptions>
}

type Log = { readonly records: BusRecord[]; taken: number; paused: boolean }

/** From the moment a record was produced until its handler was done, by `tenant/topic`, and the most that was held at a time. */
export type Outcome = {
  readonly times: ReadonlyMap<string, readonly number[]>
  readonly produced: ReadonlyMap<string, number>
  readonly heldBytes: readonly number[]
}

/** Turns of the event loop stay real: handlers that end at one moment settle in it. */
export const simulate = async (load: Load): Promise<Outcome> => {
  jest.useFakeTimers({ now: 1_000_000_000_000, doNotFake: ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask'] })
  try {
    return await played(load)
  } finally {
    jest.useRealTimers()
  }
}

const tick = async (ms: number): Promise<void> => {
  jest.advanceTimersByTime(ms)
  await turn()
}

const played = async ({ topics, partitions, handlerMs, producers, forMs, lanes }: Load): Promise<Outcome> => {
  const logs = new Map<string, Log>()
  const times = new Map<string, number[]>()
  const produced = new Map<string, number>()
  const heldBytes: number[] = []
  const logOf = (topic: string, partition: number): Log => {
    const id = `${topic}/${partition}`
    const log = logs.get(id) ?? { records: [], taken: 0, paused: false }
    logs.set(id, log)
    return log
  }
  const append = ({ topic, partition, ...rest }: OutgoingRecord & { partition: number }): void => {
    const log = logOf(topic, partition)
    log.records.push({ topic, partition, offset: log.records.length, timestampMs: Date.now(), ...rest })
  }
  const runner = new LaneRunner({
    group: 'g',
    topics,
    nowMs: Date.now,
    retry: { laneAttemptsMax: 2, laneDelayMs: 100, retryTopics: RETRY_TOPICS, deadLetterTopic: 'dlt' },
    publish: async (records) => records.forEach((record) => append({ ...record, partition: 0 })),
    pause: (topic, partition) => void (logOf(topic, partition).paused = true),
    resume: (topic, partition) => void (logOf(topic, partition).paused = false),
    handler: async ({ topic, headers }) => {
      await new Promise((resolve) => setTimeout(resolve, handlerMs))
      const id = `${headers['ce_tenant']}/${topic}`
      const passed = Date.now() - Number(headers['at'])
      const known = times.get(id)
      if (known === undefined) times.set(id, [passed])
      else known.push(passed)
      return ack
    },
    ...lanes,
  })
  for (const topic of topics) for (let partition = 0; partition < partitions; partition++) runner.assign(topic, partition, 0)
  for (const { topic } of RETRY_TOPICS) runner.assign(topic, 0, 0)
  const produce = ({ tenant, topic, perSecond, bytes = 100 }: Producer, passedMs: number): void => {
    const id = `${tenant}/${topic}`
    const before = produced.get(id) ?? 0
    const due = Math.floor((passedMs * perSecond) / 1_000)
    for (let n = before; n < due; n++) {
      const headers = { ce_id: `${id}/${n}`, ce_tenant: tenant, at: String(Date.now()) }
      append({ topic, partition: n % partitions, key: `${id}/${n}`, value: Buffer.alloc(bytes), headers })
    }
    produced.set(id, due)
  }
  const feed = (): void => {
    for (const [id, log] of logs) {
      if (log.paused || log.taken === log.records.length) continue
      const [topic = '', partition = ''] = id.split('/')
      const batch = log.records.slice(log.taken)
      log.taken = log.records.length
      runner.enqueue(topic, Number(partition), batch)
    }
  }
  for (let passedMs = TICK_MS; passedMs <= forMs; passedMs += TICK_MS) {
    for (const producer of producers) produce(producer, passedMs)
    feed()
    await tick(TICK_MS)
    if (passedMs % 100 === 0) heldBytes.push(runner.stats().heldBytes)
  }
  const draining = runner.drain({ graceMs: handlerMs * 2 })
  await tick(handlerMs * 2)
  await draining
  return { times, produced, heldBytes }
}

export const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((left, right) => left - right)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Infinity
