// Every topic of Baton, by name without prefix. From this table come topic creation, AsyncAPI and access rules.

export { minInsyncOf, replicationOf, topicConfig, type TopicDurability } from './topic-config.ts'

/** Services in the order in which they start. */
export const SERVICES = ['gateway', 'routing', 'models', 'tools', 'validation', 'hitl', 'tracing'] as const
export type ServiceName = (typeof SERVICES)[number]

/** Services that take commands. */
export const WORKER_SERVICES = ['models', 'tools', 'validation', 'hitl'] as const
export type WorkerService = (typeof WORKER_SERVICES)[number]

/** Delays of the retry topics, the shortest first. */
export const RETRY_DELAYS = { '1s': 1_000, '5s': 5_000, '30s': 30_000, '5m': 300_000, '1h': 3_600_000 } as const
export type RetryDelay = keyof typeof RETRY_DELAYS

export type TopicSpec = {
  readonly name: string
  readonly partitions: number
  readonly retentionMs: number
  readonly compacted: boolean
  /** The broker stamps the time: `decide` sees only this clock (L1). */
  readonly logAppendTime: boolean
  /** Absent: what the installation says, else three or as many as there are brokers. */
  readonly replication?: number
  /** Absent: what the installation says, else two of three. */
  readonly minInsyncReplicas?: number
  readonly about: string
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

export const TOPICS = {
  requests: 'baton.requests',
  results: 'baton.results',
  events: 'baton.events',
  journal: 'baton.journal',
  stream: 'baton.stream',
  config: 'baton.config',
} as const

/** Priority classes of a command topic: emergency and high share `.high`, low and bulk share `.bulk`. */
export const COMMAND_CLASSES = ['.high', '', '.bulk'] as const
export const commandTopic = (service: WorkerService, priority: 'emergency' | 'high' | 'normal' | 'low' | 'bulk' = 'normal'): string => {
  if (priority === 'normal') return `baton.${service}.commands`
  return `baton.${service}.commands${priority === 'emergency' || priority === 'high' ? '.high' : '.bulk'}`
}
export const commandTopics = (service: WorkerService): readonly string[] =>
  COMMAND_CLASSES.map((suffix) => `baton.${service}.commands${suffix}`)
export const taskTopic = (name: string): string => `baton.tasks.${name}`
export const retryTopic = (service: ServiceName, delay: RetryDelay): string => `baton.${service}.retry.${delay}`
export const deadLetterTopic = (service: ServiceName): string => `baton.${service}.dlt`

/** All topics of an installation. `eventsPartitions` is chosen once; changing it later would move runs between partitions. */
export const topicManifest = ({ eventsPartitions = 12 }: { eventsPartitions?: number } = {}): readonly TopicSpec[] => {
  const topic = (name: string, about: string, more: Partial<TopicSpec> = {}): TopicSpec => ({
    name,
    partitions: eventsPartitions,
    retentionMs: 7 * DAY_MS,
    compacted: false,
    logAppendTime: true,
    about,
    ...more,
  })
  return [
    topic(TOPICS.requests, 'Requests of other teams: CloudEvents or plain JSON'),
    topic(TOPICS.results, 'One result a run'),
    topic(TOPICS.events, 'The log of every run: the only input of the engine'),
    topic(TOPICS.journal, 'Every transition of every run, for anyone'),
    topic(TOPICS.stream, 'Pieces of text while models write them; kept for an hour', { retentionMs: HOUR_MS }),
    topic(TOPICS.config, 'Flows, params, routes, prompts and prices: the newest of each key', { partitions: 1, compacted: true }),
    ...WORKER_SERVICES.flatMap((service) =>
      COMMAND_CLASSES.map((suffix) =>
        topic(`baton.${service}.commands${suffix}`, `Commands for ${service}${suffix === '' ? '' : `, class ${suffix.slice(1)}`}`, {
          partitions: suffix === '' ? Math.min(6, eventsPartitions) : 2,
        }),
      ),
    ),
    ...SERVICES.filter((service) => service !== 'routing').flatMap((service) => [
      ...Object.keys(RETRY_DELAYS).map((delay) =>
        topic(`baton.${service}.retry.${delay}`, `Messages ${service} tries again after ${delay}`, { partitions: 3 }),
      ),
      topic(deadLetterTopic(service), `What ${service} could not handle, with the reason`, { partitions: 1, retentionMs: 30 * DAY_MS }),
    ]),
    topic(deadLetterTopic('routing'), 'Records of the log that the engine could not take', { partitions: 1, retentionMs: 30 * DAY_MS }),
  ]
}
