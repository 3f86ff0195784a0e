// The AsyncAPI 3.1 document: what travels where, with an example of each message. Generated, validated by a test, never read at run time.
import { EXAMPLES } from '../examples.ts'
import type { Json, JsonObject } from '../json.ts'
import { CONTRACTS, contractNames, wireSchema, wireType, type ContractName } from '../registry.ts'
import { topicManifest, TOPICS, type TopicSpec } from '../topics.ts'
import { messageSchema } from './message-schemas.ts'

/** Which way a topic goes, seen from Baton: others write requests and answers, others read results, the journal and tasks. */
const directionsOf = (topic: string): readonly ('send' | 'receive')[] => {
  if (topic === TOPICS.requests) return ['receive']
  return topic === TOPICS.results || topic === TOPICS.journal || topic.startsWith('baton.tasks.') ? ['send'] : ['receive', 'send']
}

/** The document as JSON. */
export const asyncApiDocument = (): JsonObject => {
  const names = contractNames()
  const topics = [...new Set(names.flatMap((name) => CONTRACTS[name].topics))]
  const specs = new Map(topicManifest().map((spec) => [spec.name, spec]))
  return {
    asyncapi: '3.1.0',
    info: {
      title: 'Baton',
      version: '0.1.0',
      description:
        'Every message of Baton. Products publish run.request and consume run.completed, run.failed, run.cancelled and run.rejected; ' +
        'everything else is for services and for whoever wants to watch. BATON_TOPIC_PREFIX stands in front of every topic of an installation.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    servers: { kafka: { host: 'localhost:9092', protocol: 'kafka', description: 'The brokers of KAFKA_BROKERS' } },
    channels: Object.fromEntries(topics.map((topic) => [channelId(topic), channel(topic, { names, spec: specs.get(topic) })])),
    operations: Object.fromEntries(
      topics.flatMap((topic) => directionsOf(topic).map((action) => [`${action}.${channelId(topic)}`, operation(action, topic)])),
    ),
    components: {
      messages: Object.fromEntries(names.map((name) => [name, message(name)])),
      messageTraits: {
        cloudEvent: {
          headers: CLOUD_EVENT_HEADERS,
          bindings: {
            kafka: {
              key: { type: 'string', description: 'the run id; of most commands with the path of their step behind it' },
              bindingVersion: '0.5.0',
            },
          },
        },
      },
    },
  }
}

const channelId = (topic: string): string => topic.replace(/[{}]/g, '')

const channel = (topic: string, { names, spec }: { names: readonly ContractName[]; spec: TopicSpec | undefined }): Json => ({
  address: topic,
  ...(spec === undefined ? {} : { description: spec.about }),
  ...(topic.includes('{') ? { parameters: { task: { description: 'the name of the task in the flow' } } } : {}),
  messages: Object.fromEntries(
    names.filter((name) => CONTRACTS[name].topics.includes(topic)).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
  ),
  ...(spec === undefined ? {} : { bindings: { kafka: kafkaBinding(spec) } }),
})

const kafkaBinding = ({ partitions, retentionMs, compacted }: TopicSpec): JsonObject => ({
  partitions,
  topicConfiguration: { 'cleanup.policy': [compacted ? 'compact' : 'delete'], ...(compacted ? {} : { 'retention.ms': retentionMs }) },
  bindingVersion: '0.5.0',
})

const operation = (action: 'send' | 'receive', topic: string): JsonObject => ({
  action,
  channel: { $ref: `#/channels/${channelId(topic)}` },
})

const message = (name: ContractName): JsonObject => ({
  name: wireType(name),
  title: CONTRACTS[name].about,
  contentType: 'application/json',
  traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
  ...(CONTRACTS[name].topics.includes(TOPICS.results)
    ? { correlationId: { location: '$message.header#/ce_correlationid', description: 'the id of the request' } }
    : {}),
  payload: messageSchema(name, 'draft-7'),
  // An example of the headers would only repeat what their schema says.
  examples: [{ name: 'example', payload: exampleOf(name) }],
  'x-dataschema': wireSchema(name),
})

/** Through JSON, because an example may hold fields that are undefined. */
const exampleOf = (name: ContractName): Json => JSON.parse(JSON.stringify(EXAMPLES[name]))

const text = (description: string, more: JsonObject = {}): JsonObject => ({ type: 'string', description, ...more })

const CLOUD_EVENT_HEADERS: JsonObject = {
  type: 'object',
  description: 'CloudEvents 1.0, Kafka binding, binary mode. The request topic takes plain JSON and structured mode as well.',
  properties: {
    ce_specversion: text('always 1.0', { const: '1.0' }),
    ce_id: text('deterministic; drop repeats by it'),
    ce_source: text('who made it, /baton/routing'),
    ce_type: text('name and major version of the message'),
    ce_subject: text('the run id'),
    ce_tenant: text('the tenant, default where none is named'),
    ce_time: text('when it was made', { format: 'date-time' }),
    ce_dataschema: text('urn of the schema with its version'),
    ce_correlationid: text('the id of the request, on results'),
    traceparent: text('W3C trace context of this hop'),
    'content-type': text('application/json'),
  },
}
