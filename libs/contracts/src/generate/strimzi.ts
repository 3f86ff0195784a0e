// The topics and users of an installation as resources of the Strimzi operator, which makes and keeps them on Kubernetes.
import { minInsyncOf, replicationOf, topicConfig, topicManifest, type TopicSpec } from '../topics.ts'
import { accessRules, type AccessOptions, type AccessRule } from './access-rules.ts'

export type StrimziOptions = AccessOptions & {
  /** Name of the Kafka resource. Default `kafka`. */
  readonly cluster?: string
  readonly topics?: readonly TopicSpec[]
  /** Default 3. */
  readonly replicationFactor?: number | undefined
  /** Default 2 of 3. */
  readonly minInsyncReplicas?: number | undefined
}

const BROKERS = 3
const HEAD = `# Generated from the topic manifest by \`baton topics --strimzi\`; change the manifest or config/topics.yaml, not this file.
# \`strimzi.io/cluster\` names your Kafka resource. The entity operator keeps topics and users as they are here.
`
const quoted = (text: string): string => JSON.stringify(text)

/** A name of Kubernetes: small letters, digits, dash and dot. The name on the broker stays as it is. */
const resourceName = (topic: string): string => topic.toLowerCase().replaceAll('_', '-')

const topicResource = (
  spec: TopicSpec,
  { topicPrefix = '', cluster = 'kafka', replicationFactor, minInsyncReplicas }: StrimziOptions,
): string => {
  const name = topicPrefix + spec.name
  const replicas = replicationOf(spec, { brokers: BROKERS, wanted: replicationFactor })
  const config = topicConfig(spec, { minInsyncReplicas: minInsyncOf(spec, { replication: replicas, wanted: minInsyncReplicas }) })
  return `---
# ${spec.about}
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: ${resourceName(name)}
  labels:
    strimzi.io/cluster: ${cluster}
spec:
  topicName: ${name}
  partitions: ${spec.partitions}
  replicas: ${replicas}
  config:
${Object.entries(config)
  .map(([key, value]) => `    ${key}: ${quoted(value)}`)
  .join('\n')}
`
}

const rule = ({ resource, name, pattern, operations }: AccessRule): string => `      - resource:
          type: ${resource}
          name: ${quoted(name)}
          patternType: ${pattern === 'literal' ? 'literal' : 'prefix'}
        operations: [${operations.join(', ')}]
`

const userResource = (user: string, rules: readonly AccessRule[], cluster: string): string => `---
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: ${user}
  labels:
    strimzi.io/cluster: ${cluster}
spec:
  authentication:
    type: scram-sha-512
  authorization:
    type: simple
    acls:
${rules.map(rule).join('')}`

/** Topics as YAML. */
export const strimziTopics = (options: StrimziOptions = {}): string =>
  HEAD + (options.topics ?? topicManifest()).map((spec) => topicResource(spec, options)).join('')

/** Users with their rights as YAML. */
export const strimziUsers = (options: StrimziOptions = {}): string => {
  const rules = accessRules(options)
  const users = [...new Set(rules.map(({ user }) => user))]
  const ofUser = (name: string): readonly AccessRule[] => rules.filter(({ user }) => user === name)
  return HEAD + users.map((user) => userResource(user, ofUser(user), options.cluster ?? 'kafka')).join('')
}
