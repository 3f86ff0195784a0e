import { describe, expect, it } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { topicManifest } from '../topics.ts'
import { accessCommands, accessRules } from './access-rules.ts'
import { strimziTopics, strimziUsers } from './strimzi.ts'

const rules = accessRules({ topicPrefix: 'p.', foreign: { reads: ['tickets'], writes: ['orders.decided'] } })
const of = (user: string) => rules.filter((rule) => rule.user === user)

describe('access rules', () => {
  it('R1: no rule is for everything', () => {
    expect(rules.filter(({ name }) => name === '*' || name === '' || name === 'p.')).toEqual([])
    expect(rules.filter(({ pattern }) => pattern === 'prefixed').map(({ user, name }) => `${user} ${name}`)).toEqual([
      'baton-gateway p.gateway.trigger.',
      'baton-routing p.baton.tasks.',
      'baton-product p.product.',
      'baton-operator p.baton.',
    ])
  })
  it('a service that only writes a topic may not read it', () => {
    expect(of('baton-models').find(({ name }) => name === 'p.baton.events')?.operations).toEqual(['Write', 'Describe', 'DescribeConfigs'])
    const ofPeople = of('baton-models')
      .filter(({ name }) => name.includes('hitl'))
      .flatMap(({ operations }) => operations)
    expect(ofPeople).not.toContain('Read') // It leaves samples there, and sees nothing of what others are asked.
  })
  it('topics of other teams are read by the gateway and written by routing', () => {
    expect(of('baton-gateway').find(({ name }) => name === 'p.tickets')?.operations).toContain('Read')
    expect(of('baton-routing').find(({ name }) => name === 'p.orders.decided')?.operations).toContain('Write')
  })
  it('R2: one command and one rule of a KafkaUser for each', () => {
    expect(accessCommands(of('baton-tracing'))[0]).toBe(
      'kafka-acls.sh --bootstrap-server "$KAFKA_BROKERS" --command-config admin.properties --add --allow-principal User:baton-tracing' +
        " --operation Read --operation Describe --operation DescribeConfigs --topic 'p.baton.journal' --resource-pattern-type literal",
    )
    const users = parseAllDocuments(strimziUsers({ topicPrefix: 'p.', foreign: { reads: ['tickets'], writes: ['orders.decided'] } }))
      .map((document) => document.toJS())
      .filter((user) => user !== null)
    expect(users.flatMap(({ spec }) => spec.authorization.acls)).toHaveLength(rules.length)
    expect(users.map(({ metadata }) => metadata.name)).toEqual([...new Set(rules.map(({ user }) => user))])
  })
  it('every topic is a KafkaTopic with its settings', () => {
    const topics = parseAllDocuments(strimziTopics({ replicationFactor: 2, cluster: 'prod' }))
      .map((document) => document.toJS())
      .filter((topic) => topic !== null)
    expect(topics.map(({ spec }) => spec.topicName)).toEqual(topicManifest().map(({ name }) => name))
    expect(topics[0]).toMatchObject({
      kind: 'KafkaTopic',
      metadata: { name: 'baton.requests', labels: { 'strimzi.io/cluster': 'prod' } },
      spec: { partitions: 12, replicas: 2, config: { 'retention.ms': '604800000', 'min.insync.replicas': '1' } },
    })
  })
})
