// What the parts share: buses on topics of their own, percentiles, waiting.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaBus } from '@baton/bus'

export const topic = (name, partitions) => ({
  name,
  partitions,
  retentionMs: 3_600_000,
  compacted: false,
  logAppendTime: true,
  about: 'bench',
})
const RETRIES = [
  ['retry.1s', 1_000],
  ['retry.5s', 5_000],
  ['retry.30s', 30_000],
]
export const RETRY = {
  laneAttemptsMax: 2,
  laneDelayMs: 100,
  retryTopics: RETRIES.map(([name, delayMs]) => ({ topic: name, delayMs })),
  deadLetterTopic: 'dlt',
}
export const ACK = { outcome: 'ack' }

/** A bus on topics of its own, those of the retry ladder among them. */
export const openBus = async (brokers, topics, more = {}) => {
  const prefix = `b${randomUUID().slice(0, 8)}.`
  const all = [...topics, ...RETRIES.map(([name]) => topic(name, 3)), topic('dlt', 1)]
  const open = () => openKafkaBus({ brokers, clientId: 'bench', topicPrefix: prefix, topics: all, ensureTopics: true, ...more })
  return { bus: await open(), prefix, open }
}

export const percentile = (values, share) => {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** The least and the most of the rounds. */
export const range = (values, digits = 2) =>
  `(${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)}, n=${values.length})`

export const until = async (condition, everyMs = 2) => {
  while (!condition()) await sleep(everyMs)
}

/** Publishes many records in pieces. */
export const publishAll = async (bus, count, recordOf) => {
  for (let from = 0; from < count; from += 2_000) {
    const size = Math.min(2_000, count - from)
    await bus.publish(Array.from({ length: size }, (_, n) => recordOf(from + n)))
  }
}

/** Calls `send(n)` so that after t ms there were t * perSecond / 1,000 calls; ends after `forMs`. */
export const atRate = async (perSecond, forMs, send) => {
  const begun = performance.now()
  let sent = 0
  for (let passed = 0; passed < forMs; passed = performance.now() - begun) {
    const due = Math.floor((passed * perSecond) / 1_000)
    if (due > sent) send(sent, due - sent)
    sent = Math.max(sent, due)
    await sleep(2)
  }
  return sent
}
