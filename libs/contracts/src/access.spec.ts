import { describe, expect, it } from '@jest/globals'
import { accessOf, topicsOfServices } from './access.ts'
import { RETRY_DELAYS, SERVICES, topicManifest, TOPICS } from './topics.ts'

const names = new Set(topicManifest().map(({ name }) => name))

describe('access', () => {
  it('A2: every topic is read and written by some service, but what only other teams write or a person reads', () => {
    const read = new Set(SERVICES.flatMap((service) => accessOf(service).reads))
    const written = new Set(SERVICES.flatMap((service) => accessOf(service).writes))
    expect([...names].filter((name) => !read.has(name))).toEqual([])
    expect([...names].filter((name) => !written.has(name))).toEqual([])
    expect(topicsOfServices(SERVICES)).toEqual(topicManifest())
  })
  it.each(SERVICES)('A1: %s is given no topic that does not exist, and none twice', (service) => {
    const { reads, writes } = accessOf(service)
    expect([...reads, ...writes].filter((name) => !names.has(name))).toEqual([])
    expect([new Set(reads).size, new Set(writes).size]).toEqual([reads.length, writes.length])
  })
  it('A1: only routing reads the log of the runs, and only the gateway writes what is published', () => {
    expect(SERVICES.filter((service) => accessOf(service).reads.includes(TOPICS.events))).toEqual(['routing'])
    expect(SERVICES.filter((service) => accessOf(service).writes.includes(TOPICS.config))).toEqual(['gateway'])
  })
  it('a service of its own looks after its own topics', () => {
    expect(topicsOfServices(['models']).map(({ name }) => name)).toEqual([
      'baton.results',
      'baton.events',
      'baton.journal',
      'baton.stream',
      'baton.config',
      'baton.models.commands.high',
      'baton.models.commands',
      'baton.models.commands.bulk',
      'baton.hitl.commands.bulk',
      ...Object.keys(RETRY_DELAYS).map((delay) => `baton.models.retry.${delay}`),
      'baton.models.dlt',
    ])
  })
})
