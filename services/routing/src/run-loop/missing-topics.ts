// Topics that flows name and nobody has made: task topics, result topics of their own. A flow's mistake must not hold up a partition.
import { encodeFailure } from '@baton/bus'
import type { BusRecord, OutgoingRecord } from '@baton/bus/bus'
import { deadLetterTopic, topicManifest, type Fault, type FaultData } from '@baton/contracts'

/** A topic found missing is tried again after this time. */
const FORGOTTEN_AFTER_MS = 60_000

export type MissingTopics = {
  /** Takes in what the bus said of a failed publish. */
  learn(fault: Fault): void
  /** The output itself, or, where its topic is missing, the output as a dead letter that can be redriven to it. */
  redirect(output: OutgoingRecord, cause: BusRecord): OutgoingRecord
}

/** `topicPrefix` may stand in front of the name that the bus gives. */
export const createMissingTopics = ({ topicPrefix, nowMs }: { topicPrefix: string; nowMs: () => number }): MissingTopics => {
  const ours = new Set(topicManifest().map(({ name }) => name))
  const missing = new Map<string, { readonly fault: FaultData; readonly untilMs: number }>()
  return {
    learn: ({ code, detail, data }) => {
      const wire = detail['topic']
      // A topic that this service may not write to is as good as missing.
      if ((code !== 'config.invalid' && code !== 'bus.unauthorized') || typeof wire !== 'string') return
      const topic = wire.startsWith(topicPrefix) ? wire.slice(topicPrefix.length) : wire
      // One of ours is missing: the installation is broken, and waiting until it is mended loses nothing.
      if (!ours.has(topic)) missing.set(topic, { fault: data, untilMs: nowMs() + FORGOTTEN_AFTER_MS })
    },
    redirect: (output, { offset, timestampMs }) => {
      const known = missing.size === 0 ? undefined : missing.get(output.topic)
      if (known === undefined) return output
      if (known.untilMs <= nowMs()) {
        missing.delete(output.topic)
        return output
      }
      const { key, value, headers, topic } = output
      const origin = { topic, partition: 0, offset, timestampMs }
      return encodeFailure(
        deadLetterTopic('routing'),
        { key, value, headers },
        { origin, fault: known.fault, firstFailedAtMs: timestampMs, attempts: 1, stage: 0 },
      )
    },
  }
}
