// What the specs of the lane runner share: a runner over one partition `commands/0`, and what it published, paused and resumed.
import { setTimeout as sleep } from 'node:timers/promises'
import type { BusRecord, LanesOptions, OutgoingRecord, RetryPolicy, Settlement } from '../bus.ts'
import { LaneRunner, type LaneRunnerOptions } from './lane-runner.ts'

const retry: RetryPolicy = {
  laneAttemptsMax: 2,
  laneDelayMs: 5,
  retryTopics: [
    { topic: 'retry.short', delayMs: 20 },
    { topic: 'retry.long', delayMs: 40 },
  ],
  deadLetterTopic: 'dlt',
}
export const record = (offset: number, key = `k${offset}`, more: Partial<BusRecord> = {}): BusRecord => ({
  topic: 'commands',
  partition: 0,
  offset,
  key,
  value: Buffer.from(`v${offset}`),
  headers: { ce_id: String(offset) },
  timestampMs: 1_000 + offset,
  ...more,
})
export const ack: Settlement = { outcome: 'ack' }
export const fault = { code: 'tool.failed', message: 'no' } as const

export const deferred = <Value>(): { promise: Promise<Value>; resolve: (value: Value) => void } => {
  let resolve: (value: Value) => void = () => {}
  const promise = new Promise<Value>((settle) => (resolve = settle))
  return { promise, resolve }
}

export const eventually = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(2)
}

const open: LaneRunner[] = []
export const harness = (handler: LanesOptions['handler'], more: Partial<LaneRunnerOptions> = {}) => {
  const published: OutgoingRecord[] = []
  const flow: string[] = []
  const runner = new LaneRunner({
    group: 'g',
    topics: ['commands'],
    handler,
    retry,
    nowMs: Date.now,
    publish: async (records) => published.push(...records),
    pause: (topic) => flow.push(`pause ${topic}`),
    resume: (topic) => flow.push(`resume ${topic}`),
    ...more,
  })
  open.push(runner)
  runner.assign('commands', 0, 0)
  return { runner, published, flow, position: () => runner.positions().find(({ topic }) => topic === 'commands')?.next }
}

/** To be called after each test. */
export const drainAll = async (): Promise<void> => {
  for (const runner of open.splice(0)) await runner.drain({ graceMs: 0 })
}
