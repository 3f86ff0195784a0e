// What the process that is killed and the test that looks at its log agree on.
import type { TopicSpec } from '@baton/contracts/topics'
import type { Bus, LaneConsumer } from '../bus.ts'

const topic = (name: string): TopicSpec => ({
  name,
  partitions: 2,
  retentionMs: 86_400_000,
  compacted: false,
  logAppendTime: true,
  about: '',
})

/** Topics of the crash test. */
export const CRASH_TOPICS = [topic('work'), topic('copies'), topic('dlt')]

/** Copies every message of `work` to `copies`. */
export const copyWork = async (bus: Bus): Promise<LaneConsumer> =>
  bus.lanes({
    group: 'copy',
    topics: ['work'],
    retry: { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: 'dlt' },
    handler: async ({ key, value, headers }) => {
      await bus.publish([{ topic: 'copies', key, value, headers }])
      return { outcome: 'ack' }
    },
  })
