// `baton topics`: every topic of an installation and who may use it, from the manifest; what is missing on the cluster, and what differs.
import { Command, Option } from 'commander'
import { createKafkaTopics, inspectKafka, topicDrift, type InspectionOptions, type TopicDifference } from '@baton/bus'
import { Fault, TOPICS } from '@baton/contracts'
import { readEnvironment, type KafkaEnvironment } from '@baton/service/config'
import { kafkaSecurity } from '../platform/kafka-security.ts'
import { installedTopics, type InstalledTopics } from '../platform/topic-file.ts'
import { duration, table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'

type Options = {
  readonly json?: boolean
  readonly create?: boolean
  readonly diff?: boolean
  readonly acls?: boolean
  readonly commands?: boolean
  readonly strimzi?: string | true
  readonly users?: string
}

type Connection = InspectionOptions['connection']

const onKafka = async (kafka: KafkaEnvironment | undefined): Promise<Connection> => {
  if (kafka === undefined) throw new Fault('config.invalid', 'KAFKA_BROKERS is not set: an embedded system makes its own topics')
  const { brokers, client } = kafka
  return { brokers, clientId: 'baton-topics', ...(client === undefined ? {} : { client }), ...(await kafkaSecurity(kafka)) }
}

const list = (context: CommandContext, { topicPrefix, topics }: InstalledTopics, options: Options): void => {
  const named = topics.map((topic) => ({ ...topic, name: `${topicPrefix}${topic.name}` }))
  const rows = named.map((topic) => [
    topic.name,
    topic.partitions,
    topic.compacted ? 'newest of each key' : duration(topic.retentionMs),
    topic.about,
  ])
  show(context, named, { ...options, text: () => table(['topic', 'partitions', 'kept', 'about'], rows) })
}

const inWords = (differences: readonly TopicDifference[]): string =>
  differences.map(({ topic, what, wanted, found, help }) => `${topic}: ${what}: is ${found}, should be ${wanted}\n    → ${help}`).join('\n')

const differences = async (plan: InstalledTopics, connection: Connection): Promise<readonly TopicDifference[]> => {
  const facts = await inspectKafka({
    connection,
    topics: plan.topics.map(({ name }) => plan.topicPrefix + name),
    idOf: plan.topicPrefix + TOPICS.events,
  })
  return topicDrift(plan, facts)
}

const diff = async (context: CommandContext, plan: InstalledTopics, options: Options & { connection: Connection }): Promise<void> => {
  const found = await differences(plan, options.connection)
  const same = `all ${plan.topics.length} topics are as they should be`
  show(context, found, { ...options, text: () => (found.length === 0 ? same : inWords(found)) })
  if (found.length > 0) context.fail()
}

const create = async (context: CommandContext, plan: InstalledTopics, options: Options & { connection: Connection }): Promise<void> => {
  const { foreign: _foreign, ...settings } = plan
  const missing = (await differences(plan, options.connection)).filter(({ what }) => what === 'missing').map(({ topic }) => topic)
  if (missing.length > 0) await createKafkaTopics({ ...options.connection, ...settings, ensureTopics: true })
  const left = await differences(plan, options.connection)
  const made = missing.length === 0 ? 'nothing was missing' : `made ${missing.length} topics:\n  ${missing.join('\n  ')}`
  const text = left.length === 0 ? made : `${made}\nstill different:\n${inWords(left)}`
  show(context, { made: missing, differences: left }, { ...options, text: () => text })
  if (left.length > 0) context.fail()
}

const access = async (context: CommandContext, { topicPrefix, foreign }: InstalledTopics, options: Options): Promise<void> => {
  const { accessCommands, accessRules } = await import('@baton/contracts/generate')
  const rules = accessRules({ topicPrefix, foreign, ...(options.users === undefined ? {} : { userPrefix: options.users }) })
  if (options.commands === true) {
    context.terminal.print(accessCommands(rules).join('\n'))
    return
  }
  const rows = rules.map(({ user, resource, name, pattern, operations }) => [
    user,
    resource,
    pattern === 'prefixed' ? `${name}*` : name,
    operations.join(', '),
  ])
  show(context, rules, { ...options, text: () => table(['user', 'resource', 'name', 'may'], rows) })
}

const strimzi = async (context: CommandContext, plan: InstalledTopics, options: Options): Promise<void> => {
  const { strimziTopics, strimziUsers } = await import('@baton/contracts/generate')
  const resources = {
    ...plan,
    ...(typeof options.strimzi === 'string' ? { cluster: options.strimzi } : {}),
    ...(options.users === undefined ? {} : { userPrefix: options.users }),
  }
  context.terminal.print(strimziTopics(resources) + strimziUsers(resources))
}

/** `baton topics`. */
export const topicsCommand = (context: CommandContext): Command =>
  new Command('topics')
    .description('list the topics of an installation, make them, and say who may use them')
    .option('--create', 'make the topics that are missing; nothing that exists is changed')
    .addOption(
      new Option('--diff', 'what differs on the cluster, with the command that ends it; exit 1 when something does').conflicts('create'),
    )
    .addOption(new Option('--acls', 'the rights of every service and no more').conflicts(['create', 'diff']))
    .option('--commands', 'with --acls: as commands of kafka-acls.sh')
    .addOption(
      new Option('--strimzi [cluster]', 'topics and users as resources of the Strimzi operator, for this Kafka resource').conflicts([
        'create',
        'diff',
        'acls',
      ]),
    )
    .option('--users <prefix>', 'in front of the name of every user (default "baton-")')
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      const environment = readEnvironment(process.env)
      const plan = await installedTopics(environment)
      if (options.acls === true) await access(context, plan, options)
      else if (options.strimzi !== undefined) await strimzi(context, plan, options)
      else if (options.create === true) await create(context, plan, { ...options, connection: await onKafka(environment.kafka) })
      else if (options.diff === true) await diff(context, plan, { ...options, connection: await onKafka(environment.kafka) })
      else list(context, plan, options)
    })
