import { describe, expect, it } from '@jest/globals'
import { parseTopicFile, planTopics } from './topic-file.ts'

const planned = (text: string, more: Partial<Parameters<typeof planTopics>[1]> = {}) =>
  planTopics(parseTopicFile(text), { eventsPartitions: 3, config: { topicPrefix: 'p.' }, ...more })
const of = (plan: ReturnType<typeof planTopics>, name: string) => plan.topics.find((topic) => topic.name === name)

const FILE = `
replication: 3
minInsyncReplicas: 2
topics:
  baton.journal: { retention: 30d }
  baton.models.commands: { partitions: 12, replication: 5 }
environments:
  laptop:
    replication: 1
    minInsyncReplicas: 1
    flushEveryBatch: true
    topics: { baton.journal: { retention: 1h } }
otherTeams:
  reads: [tickets]
`

describe('topics.yaml', () => {
  it('says nothing where there is none', () => {
    expect(planned('')).toMatchObject({ topicPrefix: 'p.', foreign: { reads: [], writes: [] } })
    expect(planned('').replicationFactor).toBeUndefined()
  })
  it('changes retention, partitions and replication of topics, and of all', () => {
    const plan = planned(FILE)
    expect(plan).toMatchObject({ replicationFactor: 3, minInsyncReplicas: 2, foreign: { reads: ['tickets'], writes: [] } })
    expect(of(plan, 'baton.journal')).toMatchObject({ retentionMs: 30 * 86_400_000, partitions: 3 })
    expect(of(plan, 'baton.models.commands')).toMatchObject({ partitions: 12, replication: 5 })
    expect(of(plan, 'baton.events')).toMatchObject({ retentionMs: 7 * 86_400_000 })
  })
  it('an environment goes before the general part, and a variable before both', () => {
    const laptop = planned(FILE, { config: { topicPrefix: '', environment: 'laptop' } })
    expect(laptop).toMatchObject({ replicationFactor: 1, minInsyncReplicas: 1, flushEveryBatch: true })
    expect(of(laptop, 'baton.journal')?.retentionMs).toBe(3_600_000)
    expect(planned(FILE, { kafka: { brokers: ['a:1'], replication: 2 } }).replicationFactor).toBe(2)
  })
  it.each([
    ['topics: { baton.journl: { retention: 1d } }', 'baton.journl: there is no such topic'],
    ['topics: { baton.journal: { retention: soon } }', 'topics.baton.journal.retention: is a time like'],
    ['replicaton: 3', '(root): Unrecognized key'],
    ['topics: [', 'topics.yaml:'],
  ])('refuses %s and says why', (text, reason) => {
    expect(() => planned(text)).toThrow(reason)
  })
  it.each(['baton.events', 'baton.journal', 'baton.models.dlt'])('F1: refuses to change the partitions of %s', (name) => {
    expect(() => planned(`environments: { x: { topics: { ${name}: { partitions: 4 } } } }`)).toThrow('BATON_EVENTS_PARTITIONS')
  })
})
