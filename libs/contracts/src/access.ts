// Who reads and writes which topic. From this table come the access rules of a broker and the list of topics that a process looks after.
//   A1. A service has what its code uses and nothing more; what only some flows need (tasks, topics of other teams) is said apart.
//   A2. Every topic of the manifest is read and written by somebody.
import {
  commandTopic,
  commandTopics,
  deadLetterTopic,
  RETRY_DELAYS,
  retryTopic,
  SERVICES,
  topicManifest,
  TOPICS,
  WORKER_SERVICES,
  type RetryDelay,
  type ServiceName,
  type TopicSpec,
  type WorkerService,
} from './topics.ts'

/** Rights of one service, in names without prefix. */
export type ServiceAccess = {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** Beginnings of names it writes to beside those: topics that flows name. */
  readonly writesBelow: readonly string[]
  /** Consumer groups, by name. */
  readonly groups: readonly string[]
  /** Beginnings of names of consumer groups. */
  readonly groupsBelow: readonly string[]
}

const RETRIES = Object.keys(RETRY_DELAYS).filter((delay): delay is RetryDelay => Object.hasOwn(RETRY_DELAYS, delay))
const retriesOf = (service: ServiceName): readonly string[] => RETRIES.map((delay) => retryTopic(service, delay))
/** Where workers leave what a person is to look at afterwards. */
const SAMPLES = commandTopic('hitl', 'bulk')
const allCommands = WORKER_SERVICES.flatMap(commandTopics)
const allDeadLetters = SERVICES.map(deadLetterTopic)
const { requests, results, events, journal, config, stream } = TOPICS

/** What every service does that takes messages from a group: retries and dead letters of its own. */
const consumer = (
  service: ServiceName,
  { reads, writes, groupsBelow = [] }: { reads: readonly string[]; writes: readonly string[]; groupsBelow?: readonly string[] },
): ServiceAccess => ({
  reads: [...reads, ...retriesOf(service)],
  writes: [...writes, ...retriesOf(service), deadLetterTopic(service)],
  writesBelow: [],
  groups: [service],
  groupsBelow,
})

const worker = (service: WorkerService, more: { reads?: readonly string[]; writes?: readonly string[] } = {}): ServiceAccess =>
  consumer(service, { reads: [...commandTopics(service), ...(more.reads ?? [])], writes: [events, ...(more.writes ?? [])] })

const gateway = consumer('gateway', {
  reads: [requests, results, journal, config, stream, ...allDeadLetters],
  // A redrive sends a message back to where it came from, whatever service that belongs to, and marks the letter.
  writes: [events, results, config, requests, journal, ...allCommands, ...allDeadLetters],
  groupsBelow: ['gateway.trigger.'],
})

const ACCESS: Readonly<Record<ServiceName, ServiceAccess>> = {
  gateway: { ...gateway, writes: [...new Set(gateway.writes)] },
  routing: {
    reads: [events],
    writes: [events, journal, results, ...allCommands, deadLetterTopic('routing')],
    writesBelow: ['baton.tasks.'],
    groups: [],
    groupsBelow: [],
  },
  models: worker('models', { reads: [config, journal, results], writes: [journal, stream, SAMPLES] }),
  tools: worker('tools', { reads: [config], writes: [journal, SAMPLES] }),
  validation: worker('validation', { reads: [config], writes: [journal] }),
  hitl: worker('hitl', { reads: [config, results], writes: [journal] }),
  tracing: consumer('tracing', { reads: [journal, results], writes: [] }),
}

/** The rights of a service (A1). */
export const accessOf = (service: ServiceName): ServiceAccess => ACCESS[service]

/** The part of the manifest that these services use: all that a process of theirs has to find on the broker. */
export const topicsOfServices = (
  services: readonly ServiceName[],
  manifest: readonly TopicSpec[] = topicManifest(),
): readonly TopicSpec[] => {
  const used = new Set(services.map(accessOf).flatMap(({ reads, writes }) => [...reads, ...writes]))
  return manifest.filter(({ name }) => used.has(name))
}
