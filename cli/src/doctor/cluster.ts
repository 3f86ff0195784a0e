// Kafka, and whether its log is the one that the database has its positions in.
import { inspectKafka, type KafkaFacts } from '@baton/bus'
import { TOPICS } from '@baton/contracts'
import type { Environment, KafkaEnvironment } from '@baton/service'
import { kafkaSecurity } from '../platform/kafka-security.ts'
import type { Installed } from './database.ts'
import { fail, pass, type Finding } from './finding.ts'
import { installedTopics } from '../platform/topic-file.ts'
import { driftFindings, topicFindings } from './topics.policy.ts'

/** Looks and changes nothing. Throws when no broker answers. */
export const clusterFindings = async (
  kafka: KafkaEnvironment,
  environment: Environment,
  installed: Installed | undefined,
): Promise<readonly Finding[]> => {
  const { eventsPartitions } = environment
  const plan = await installedTopics(environment)
  const { topicPrefix, topics: manifest } = plan
  const log = `${topicPrefix}${TOPICS.events}`
  const facts = await inspectKafka({
    connection: {
      brokers: kafka.brokers,
      clientId: 'baton-doctor',
      ...(kafka.client === undefined ? {} : { client: kafka.client }),
      ...(await kafkaSecurity(kafka)),
    },
    topics: manifest.map(({ name }) => `${topicPrefix}${name}`),
    idOf: log,
  })
  const reached = pass({
    check: 'kafka',
    message: `${facts.brokers} broker${facts.brokers === 1 ? '' : 's'} at ${kafka.brokers.join(', ')}`,
  })
  return [
    reached,
    ...topicFindings(manifest, topicPrefix, facts),
    ...driftFindings(plan, facts),
    ...installationFindings({ log, eventsPartitions }, facts, installed),
  ]
}

/** Positions of one log mean nothing in another (L5). */
export const installationFindings = (
  { log, eventsPartitions }: { readonly log: string; readonly eventsPartitions: number },
  { topicId }: Pick<KafkaFacts, 'topicId'>,
  installed: Installed | undefined,
): readonly Finding[] => {
  const check = 'installation'
  if (installed === undefined) return []
  const { partitions, topicIds } = installed
  if (partitions !== eventsPartitions) {
    const message = `made with ${partitions} partitions, BATON_EVENTS_PARTITIONS is ${eventsPartitions}`
    return [fail({ check, message, help: `set BATON_EVENTS_PARTITIONS=${partitions}` })]
  }
  if (topicIds.every((id) => id === topicId)) return [pass({ check, message: `${log} is the log that the database has its positions in` })]
  return [
    fail({
      check,
      message: `${log} is not the topic this installation was made with: it was deleted and made again`,
      help: 'use the database that belongs to the topic, or a new BATON_TOPIC_PREFIX for a new installation',
    }),
  ]
}
