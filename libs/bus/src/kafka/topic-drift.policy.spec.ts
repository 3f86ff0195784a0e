import { describe, expect, it } from '@jest/globals'
import { topicManifest } from '@baton/contracts/topics'
import { topicDrift, type TopicPlan } from './topic-drift.policy.ts'
import type { TopicFacts } from './topic-facts.ts'

const DAY_MS = 86_400_000
const [spec] = topicManifest({ eventsPartitions: 3 })
if (spec === undefined) throw new Error('the manifest is empty')
const plan: TopicPlan = { topicPrefix: 'p.', topics: [spec] }
const facts: TopicFacts = {
  partitions: 3,
  replicas: 3,
  inSync: 3,
  settings: {
    'cleanup.policy': 'delete',
    'retention.ms': String(7 * DAY_MS),
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': '2',
    'unclean.leader.election.enable': 'false',
    'max.message.bytes': '1048588',
    'flush.messages': '9223372036854775807',
  },
}
const drift = (found: Partial<TopicFacts>, more: Partial<TopicPlan> = {}, brokers = 3): readonly string[] =>
  topicDrift({ ...plan, ...more }, { brokers, topics: new Map([['p.baton.requests', { ...facts, ...found }]]) }).map(
    ({ topic, what, wanted, found: is }) => `${topic} ${what} ${is} -> ${wanted}`,
  )

describe('topic drift', () => {
  it('is nothing where the cluster has what the manifest wants, and D1 says nothing of what it does not want', () => {
    expect(drift({})).toEqual([])
    expect(drift({ settings: {} })).toEqual([])
  })
  it('D2: names every difference and the command that ends it', () => {
    expect(drift({ partitions: 4, replicas: 1, settings: { ...facts.settings, 'retention.ms': '1', 'min.insync.replicas': '1' } })).toEqual(
      [
        'p.baton.requests partitions 4 -> 3',
        'p.baton.requests replication 1 -> 3',
        'p.baton.requests retention.ms 1 -> 604800000',
        'p.baton.requests min.insync.replicas 1 -> 2',
      ],
    )
    const [missing] = topicDrift(plan, { brokers: 3, topics: new Map() })
    expect(missing).toMatchObject({ what: 'missing', help: 'baton topics --create' })
  })
  it('wants as many replicas as there are brokers, unless the installation or the topic says how many', () => {
    expect(drift({ replicas: 1, settings: { ...facts.settings, 'min.insync.replicas': '1' } }, {}, 1)).toEqual([])
    expect(drift({}, { replicationFactor: 5, minInsyncReplicas: 3 })).toEqual([
      'p.baton.requests replication 3 -> 5',
      'p.baton.requests min.insync.replicas 2 -> 3',
    ])
    expect(drift({}, { replicationFactor: 5, topics: [{ ...spec, replication: 3, minInsyncReplicas: 2 }] })).toEqual([])
    expect(drift({}, { flushEveryBatch: true })).toEqual(['p.baton.requests flush.messages 9223372036854775807 -> 1'])
  })
})
