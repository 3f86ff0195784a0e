import { describe, expect, it } from '@jest/globals'
import type { KafkaFacts, TopicFacts } from '@baton/bus'
import { topicManifest } from '@baton/contracts'
import { installationFindings } from './cluster.ts'
import { nodeFinding } from './machine.ts'
import { driftFindings, topicFindings } from './topics.policy.ts'

const MANIFEST = topicManifest({ eventsPartitions: 12 })
const SOUND: TopicFacts['settings'] = {
  'message.timestamp.type': 'LogAppendTime',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
}

/** A cluster that has everything, with one topic changed. */
const cluster = ({
  brokers = 3,
  prefix = '',
  events = {},
  settings = {},
}: { brokers?: number; prefix?: string; events?: Partial<TopicFacts>; settings?: TopicFacts['settings'] } = {}): KafkaFacts => {
  const replicas = Math.min(3, brokers)
  const facts = MANIFEST.map(({ name, partitions }): [string, TopicFacts] => [
    `${prefix}${name}`,
    { partitions, replicas, inSync: replicas, settings: { ...SOUND, ...settings }, ...(name === 'baton.events' ? events : {}) },
  ])
  return { brokers, topics: new Map(facts) }
}
const found = (kafka: KafkaFacts, prefix = ''): readonly string[] =>
  topicFindings(MANIFEST, prefix, kafka)
    .filter(({ level }) => level !== 'pass')
    .map(({ check, level, message }) => `${level} ${check}: ${message}`)

describe('topics as the doctor sees them', () => {
  it('T1: finds nothing on three brokers with everything as it should be, under any prefix', () => {
    expect(found(cluster())).toEqual([])
    expect(found(cluster({ prefix: 'team.' }), 'team.')).toEqual([])
  })

  it('takes a cluster without topics for a new installation', () => {
    expect(found({ brokers: 3, topics: new Map() })).toEqual([expect.stringMatching(/^warn topics: none of the \d+ topics exists yet$/)])
  })

  it('T2: what differs from the manifest is a warning with the command to look at', () => {
    const plan = { topicPrefix: '', topics: MANIFEST }
    expect(driftFindings(plan, cluster())).toMatchObject([{ level: 'pass' }])
    expect(driftFindings(plan, { brokers: 3, topics: new Map() })).toEqual([])
    const [warning, ...others] = driftFindings(plan, cluster({ settings: { 'retention.ms': '1' } }))
    expect(others).toEqual([])
    expect(warning).toMatchObject({ level: 'warn', help: expect.stringContaining('baton topics --diff') })
    expect(warning?.message).toMatch(/baton\.requests: retention\.ms is 1, should be 604800000[\s\S]*and \d+ more/)
  })

  it('names what is missing', () => {
    const { brokers, topics } = cluster()
    expect(found({ brokers, topics: new Map([...topics].filter(([name]) => name !== 'baton.journal')) })).toEqual([
      'warn topics: missing: baton.journal',
    ])
  })

  it.each<[string, Partial<TopicFacts>, string]>([
    ['another number of partitions', { partitions: 24 }, 'fail partitions: baton.events has 24, needs 12'],
    [
      'the clock of the sender',
      { settings: { ...SOUND, 'message.timestamp.type': 'CreateTime' } },
      'fail clock: message.timestamp.type is not LogAppendTime: baton.events',
    ],
    [
      'an unclean election',
      { settings: { ...SOUND, 'unclean.leader.election.enable': 'true' } },
      'fail durability: a replica that lags may become leader and lose confirmed records: baton.events',
    ],
    ['too few replicas', { replicas: 1, inSync: 1 }, 'fail durability: fewer than 3 replicas: baton.events'],
    [
      'confirmation by one replica',
      { settings: { ...SOUND, 'min.insync.replicas': '1' } },
      'fail durability: a record counts as written before 2 replicas have it: baton.events',
    ],
    ['replicas that are away', { inSync: 1 }, 'fail durability: too few replicas are in sync to write: baton.events'],
  ])('L12, T1: fails on %s', (_name, events, expected) => {
    expect(found(cluster({ events }))).toEqual([expected])
  })

  it('L12, T1: warns that one broker does not survive a loss of power unless it flushes every batch', () => {
    expect(found(cluster({ brokers: 1 }))).toEqual([
      'warn durability: one broker: confirmed records survive the death of the process, not a loss of power',
    ])
    expect(found(cluster({ brokers: 1, settings: { 'flush.messages': '1' } }))).toEqual([
      expect.stringContaining('every batch is on disk before it counts'),
    ])
  })
})

describe('log and database', () => {
  const asked = { log: 'baton.events', eventsPartitions: 12 }

  it('L5: belong together by the id of the topic', () => {
    const installed = { partitions: 12, topicIds: ['a'] }
    expect(installationFindings(asked, { topicId: 'a' }, installed)).toMatchObject([{ level: 'pass' }])
    expect(installationFindings(asked, { topicId: 'b' }, installed)).toMatchObject([{ level: 'fail' }])
    expect(installationFindings(asked, {}, installed)).toMatchObject([{ level: 'fail' }])
    expect(installationFindings(asked, { topicId: 'b' }, undefined)).toEqual([])
  })

  it('belong together by the number of partitions', () => {
    expect(installationFindings({ ...asked, eventsPartitions: 6 }, { topicId: 'a' }, { partitions: 12, topicIds: ['a'] })).toMatchObject([
      { level: 'fail', help: 'set BATON_EVENTS_PARTITIONS=12' },
    ])
  })
})

it.each([
  ['24.1.0', 'pass'],
  ['20.19.0', 'pass'],
  ['20.18.9', 'fail'],
  ['18.20.0', 'fail'],
])('Node %s: %s', (version, level) => {
  expect(nodeFinding(version).level).toBe(level)
})
