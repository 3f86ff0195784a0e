// What the topics of a cluster mean for the promises of the engine (L1, L12).
//   T1. What would break a promise fails; what only one broker cannot give is a warning that says what it costs.
//   T2. What only differs from the manifest is a warning: an operator may have meant it.
import type { TopicSpec } from '@baton/contracts'
import { topicDrift, type KafkaFacts, type TopicFacts, type TopicPlan } from '@baton/bus'
import { fail, pass, warn, type Finding } from './finding.ts'

/** Replicas that durable topics have, and how many of them must confirm. */
const REPLICAS = 3
const IN_SYNC_MIN = 2

type Topic = { readonly spec: TopicSpec; readonly name: string; readonly facts: TopicFacts }

const list = (topics: readonly { readonly name: string }[]): string => {
  const names = topics.map(({ name }) => name)
  return names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
}

/** Names, counts, clock and durability of the topics of an installation. */
export const topicFindings = (manifest: readonly TopicSpec[], topicPrefix: string, kafka: KafkaFacts): readonly Finding[] => {
  const named = manifest.map((spec) => ({ spec, name: `${topicPrefix}${spec.name}` }))
  const present = named.flatMap((topic): readonly Topic[] => {
    const facts = kafka.topics.get(topic.name)
    return facts === undefined ? [] : [{ ...topic, facts }]
  })
  const missing = named.filter(({ name }) => !kafka.topics.has(name))
  if (present.length === 0) {
    return [warn({ check: 'topics', message: `none of the ${named.length} topics exists yet`, help: 'the first "baton up" makes them' })]
  }
  return [existence(present, missing), partitionCounts(present), clock(present), ...durability(present, kafka.brokers)]
}

const existence = (present: readonly Topic[], missing: readonly { readonly name: string }[]): Finding =>
  missing.length === 0
    ? pass({ check: 'topics', message: `all ${present.length} topics exist` })
    : warn({
        check: 'topics',
        message: `missing: ${list(missing)}`,
        help: '"baton up" makes what is missing; if these existed before, their records are lost',
      })

const partitionCounts = (present: readonly Topic[]): Finding => {
  const wrong = present.filter(({ spec, facts }) => spec.partitions !== facts.partitions)
  const said = wrong.map(({ name, spec, facts }) => `${name} has ${facts.partitions}, needs ${spec.partitions}`)
  return wrong.length === 0
    ? pass({ check: 'partitions', message: 'every topic has its number of partitions' })
    : fail({
        check: 'partitions',
        message: said.join('; '),
        help: 'keys would move between partitions: set BATON_EVENTS_PARTITIONS to what the installation was made with, and never add partitions',
      })
}

const clock = (present: readonly Topic[]): Finding => {
  const wrong = present.filter(({ spec, facts }) => spec.logAppendTime && facts.settings['message.timestamp.type'] !== 'LogAppendTime')
  return wrong.length === 0
    ? pass({ check: 'clock', message: 'the broker stamps the time of every record' })
    : fail({
        check: 'clock',
        message: `message.timestamp.type is not LogAppendTime: ${list(wrong)}`,
        help: 'kafka-configs --alter --entity-type topics --entity-name NAME --add-config message.timestamp.type=LogAppendTime',
      })
}

const durability = (present: readonly Topic[], brokers: number): readonly Finding[] => {
  const check = 'durability'
  const unclean = present.filter(({ facts }) => facts.settings['unclean.leader.election.enable'] === 'true')
  const elections =
    unclean.length === 0
      ? []
      : [
          fail({
            check,
            message: `a replica that lags may become leader and lose confirmed records: ${list(unclean)}`,
            help: 'set unclean.leader.election.enable=false on these topics',
          }),
        ]
  if (brokers < REPLICAS) return [...elections, fewBrokers(present, brokers)]
  const thin = present.filter(({ facts }) => facts.replicas < REPLICAS)
  const hasty = present.filter(({ facts }) => Number(facts.settings['min.insync.replicas'] ?? 1) < IN_SYNC_MIN)
  const behind = present.filter(({ facts }) => facts.inSync < Math.min(IN_SYNC_MIN, facts.replicas))
  const findings = [
    ...elections,
    ...(thin.length === 0
      ? []
      : [
          fail({
            check,
            message: `fewer than ${REPLICAS} replicas: ${list(thin)}`,
            help: 'raise the replication factor with kafka-reassign-partitions',
          }),
        ]),
    ...(hasty.length === 0
      ? []
      : [
          fail({
            check,
            message: `a record counts as written before ${IN_SYNC_MIN} replicas have it: ${list(hasty)}`,
            help: `set min.insync.replicas=${IN_SYNC_MIN} on these topics`,
          }),
        ]),
    ...(behind.length === 0
      ? []
      : [
          fail({
            check,
            message: `too few replicas are in sync to write: ${list(behind)}`,
            help: 'bring the brokers back that are down or behind',
          }),
        ]),
  ]
  return findings.length > 0
    ? findings
    : [pass({ check, message: `${REPLICAS} replicas, ${IN_SYNC_MIN} of them confirm, no unclean election` })]
}

/** T1. */
const fewBrokers = (present: readonly Topic[], brokers: number): Finding => {
  const check = 'durability'
  const said = brokers === 1 ? 'one broker' : `${brokers} brokers`
  const unflushed = present.filter(({ facts }) => facts.settings['flush.messages'] !== '1')
  return unflushed.length === 0
    ? warn({
        check,
        message: `${said}: every batch is on disk before it counts, but nothing survives the loss of a disk`,
        help: 'run three brokers where that matters',
      })
    : warn({
        check,
        message: `${said}: confirmed records survive the death of the process, not a loss of power`,
        help: 'run three brokers, or set flush.messages=1 on the topics (about a third of the throughput)',
      })
}

/** What the other findings look at by themselves. */
const LOOKED_AT: ReadonlySet<string> = new Set(['missing', 'partitions', 'message.timestamp.type', 'unclean.leader.election.enable'])
const DIFFERENCES_SHOWN = 6

/** What else differs from the manifest and `topics.yaml`; nothing where no topic exists yet (T2). */
export const driftFindings = (plan: TopicPlan, kafka: KafkaFacts): readonly Finding[] => {
  if (kafka.topics.size === 0) return []
  const found = topicDrift(plan, kafka).filter(({ what }) => !LOOKED_AT.has(what))
  const check = 'drift'
  if (found.length === 0) return [pass({ check, message: 'every topic has the settings of the manifest' })]
  const said = found
    .slice(0, DIFFERENCES_SHOWN)
    .map(({ topic, what, wanted, found: is }) => `${topic}: ${what} is ${is}, should be ${wanted}`)
  const more = found.length > said.length ? [`and ${found.length - said.length} more`] : []
  return [
    warn({
      check,
      message: [...said, ...more].join('\n'),
      help: '"baton topics --diff" prints the command that ends each; or say in config/topics.yaml that it is meant',
    }),
  ]
}
