// The access rules of a broker, from the table of who uses which topic: as data, as commands of Kafka's own tool, as users of Strimzi.
//   R1. Nobody is given a wildcard; a beginning of names is given only where flows name the topics.
//   R2. The same rules give the same bytes, in whatever form.
import { accessOf } from '../access.ts'
import { SERVICES, TOPICS, type ServiceName } from '../topics.ts'

type AccessOperation = 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs'

/** One right of one user. */
export type AccessRule = {
  readonly user: string
  readonly resource: 'topic' | 'group'
  /** With prefix. */
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
  readonly operations: readonly AccessOperation[]
}

/** Topics of other teams that flows name: triggers are read by the gateway, results and emitted messages are written by routing. */
export type ForeignTopics = { readonly reads: readonly string[]; readonly writes: readonly string[] }

export type AccessOptions = {
  readonly topicPrefix?: string
  /** In front of the name of every user. Default `baton-`. */
  readonly userPrefix?: string
  readonly foreign?: Partial<ForeignTopics>
}

type Topics = { readonly reads: readonly string[]; readonly writes: readonly string[]; readonly writesBelow?: readonly string[] }
type Rights = Topics & { readonly groups?: readonly string[]; readonly groupsBelow?: readonly string[] }

const rulesOf = (
  user: string,
  prefix: string,
  { reads, writes, writesBelow = [], groups = [], groupsBelow = [] }: Rights,
): readonly AccessRule[] => {
  const topic = (name: string): AccessRule => ({
    user,
    resource: 'topic',
    name: prefix + name,
    pattern: 'literal',
    operations: [
      ...(reads.includes(name) ? (['Read'] as const) : []),
      ...(writes.includes(name) ? (['Write'] as const) : []),
      'Describe',
      'DescribeConfigs',
    ],
  })
  const below = (name: string): AccessRule => ({
    user,
    resource: 'topic',
    name: prefix + name,
    pattern: 'prefixed',
    operations: ['Write', 'Describe'],
  })
  const group = (name: string, pattern: AccessRule['pattern']): AccessRule => ({
    user,
    resource: 'group',
    name: prefix + name,
    pattern,
    operations: ['Read', 'Describe'],
  })
  return [
    ...[...new Set([...reads, ...writes])].toSorted().map(topic),
    ...writesBelow.map(below), // R1
    ...groups.map((name) => group(name, 'literal')),
    ...groupsBelow.map((name) => group(name, 'prefixed')),
  ]
}

/** What a service may do with topics of other teams. */
const foreignOf = (service: ServiceName, { reads = [], writes = [] }: Partial<ForeignTopics>): ForeignTopics => {
  if (service === 'gateway') return { reads, writes: [] }
  return service === 'routing' ? { reads: [], writes } : { reads: [], writes: [] }
}

/** Every rule an installation needs: of its services, of products that ask for runs, of whoever makes the topics. */
export const accessRules = ({ topicPrefix = '', userPrefix = 'baton-', foreign = {} }: AccessOptions = {}): readonly AccessRule[] => {
  const product = `${userPrefix}product`
  const operator = `${userPrefix}operator`
  return [
    ...SERVICES.flatMap((service) => {
      const { reads, writes, ...rest } = accessOf(service)
      const others = foreignOf(service, foreign)
      return rulesOf(userPrefix + service, topicPrefix, {
        reads: [...reads, ...others.reads],
        writes: [...writes, ...others.writes],
        ...rest,
      })
    }),
    ...rulesOf(product, topicPrefix, { reads: [TOPICS.results, TOPICS.journal], writes: [TOPICS.requests], groupsBelow: ['product.'] }),
    {
      user: operator,
      resource: 'topic',
      name: `${topicPrefix}baton.`,
      pattern: 'prefixed',
      operations: ['Create', 'Describe', 'DescribeConfigs', 'AlterConfigs'],
    },
  ]
}

/** The rules as commands of the tool that comes with Kafka. */
export const accessCommands = (rules: readonly AccessRule[]): readonly string[] =>
  rules.map(({ user, resource, name, pattern, operations }) =>
    [
      'kafka-acls.sh --bootstrap-server "$KAFKA_BROKERS" --command-config admin.properties --add',
      `--allow-principal User:${user}`,
      ...operations.map((operation) => `--operation ${operation}`),
      `--${resource} '${name}'`,
      `--resource-pattern-type ${pattern}`,
    ].join(' '),
  )
