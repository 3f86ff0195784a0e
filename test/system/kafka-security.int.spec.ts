// A broker with TLS, users and an authorizer that denies by default (F2, I1): every service works with exactly the rights that are generated
// for it, and whoever is refused is told why and what to do.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createKafkaTopics, openKafkaBus, type Bus, type KafkaBusOptions } from '@baton/bus'
import {
  accessOf,
  decodeEvent,
  SERVICES,
  topicManifest,
  TOPICS,
  topicsOfServices,
  type Fault,
  type RunResult,
  type ServiceName,
} from '@baton/contracts'
import { accessRules } from '@baton/contracts/generate'
import { readEnvironment } from '@baton/service'
import { describeWithPostgres } from '@baton/testing/suite'
import { openPlatform } from 'baton/platform'
import { freePorts } from '../../libs/testing/src/servers/machine.ts'
import { startFakeProvider, type FakeProvider } from './fake-provider.ts'
import { secureKafkaMissing, startSecureKafka, type SecureKafka } from './secure-kafka.ts'
import { makeHome, until, type Home } from './system.ts'

jest.setTimeout(180_000)
const missing = secureKafkaMissing()
if (missing !== undefined) process.stderr.write(`skipped: a secure broker: ${missing}\n`)

const USERS = [...SERVICES.map((service) => `baton-${service}`), 'baton-product', 'baton-operator', 'baton-nobody']
/** One installation runs, the other is there to be tried at. */
const PREFIX = 'run.'
const TRIED = 'tried.'
const PARTITIONS = 2
const topics = topicManifest({ eventsPartitions: PARTITIONS })

let kafka: SecureKafka
let client: NonNullable<KafkaBusOptions['client']> = 'kafkajs'
const connection = (user: string, more: { ca?: string; password?: string; brokers?: readonly string[] } = {}) => ({
  brokers: more.brokers ?? kafka.server.brokers,
  clientId: user,
  ssl: { ca: more.ca ?? kafka.ca },
  sasl: { mechanism: 'scram-sha-512' as const, username: user, password: more.password ?? kafka.password(user) },
})
const open = (user: string, more: Partial<KafkaBusOptions> = {}): Promise<Bus> =>
  openKafkaBus({ client, ...connection(user), topicPrefix: TRIED, topics: [], ensureTopics: false, ...more })
const faultOf = async (work: Promise<unknown>): Promise<Pick<Fault, 'code' | 'message' | 'detail'>> =>
  work.then(
    () => ({ code: 'request.not_found', message: 'it was allowed', detail: {} }),
    (error: Fault) => error,
  )

const FLOW = `
flow: test/secure@1.0.0
limits: { time: 60s }
input: { text: string }
steps:
  - sort: { prompt: 'What does this customer want? {{ text }}', with: { text: =input.text }, returns: { intent: refund | other } }
  - echo: { tool: demo/echo, with: { text: =input.text } }
  - clean: { check: { forbidden: { words: [nonsense] } }, with: { text: =input.text } }
  - ask: { human: { queue: secure, sla: 10m, title: Is this right? }, with: { draft: { text: =echo.text } }, returns: { text: string } }
output: { intent: =sort.intent, text: =ask.text }
`
const MODELS =
  'models:\n  fake: { provider: openai, model: fake, price: { input: 1, output: 2 }, temperature: 0 }\nroutes: { default: [fake] }\n'

const suite = missing === undefined ? describe : describe.skip
suite.each(['kafkajs', 'platformatic'] as const)('a broker with TLS, users and rights, through %s', (library) => {
  beforeAll(async () => {
    client = library
    kafka = await startSecureKafka(USERS)
    for (const topicPrefix of [PREFIX, TRIED]) {
      await kafka.allow(accessRules({ topicPrefix }))
      await createKafkaTopics({ ...connection('baton-operator'), topicPrefix, topics, ensureTopics: true })
    }
  })
  afterAll(() => kafka.close())

  describe('who asks', () => {
    it('a service that finds no topics may not make them, and says who can', async () => {
      const fault = await faultOf(
        open('baton-models', { topicPrefix: 'none.', topics: topicsOfServices(['models'], topics), ensureTopics: true }),
      )
      expect(fault).toMatchObject({ code: 'bus.unauthorized', detail: { reason: 'topic' } })
      expect(fault.message).toMatch(/none\.baton\.events[\s\S]*`baton topics --create`/)
    })
    it('the operator makes topics, and has no right to what is in them', async () => {
      const bus = await open('baton-operator')
      const written = await faultOf(bus.publish([{ topic: TOPICS.events, key: 'k', value: Buffer.from('x'), headers: {} }]))
      await bus.close()
      expect(written).toMatchObject({ code: 'bus.unauthorized', detail: { reason: 'topic', topic: `${TRIED}${TOPICS.events}` } })
    })
    it.each<[string, () => Partial<KafkaBusOptions>, string, RegExp]>([
      [
        'a wrong password',
        () => connection('baton-models', { password: 'hunter2' }),
        'password',
        /KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/,
      ],
      ['an unknown user', () => ({ ...connection('nobody', { password: 'hunter2' }) }), 'password', /does not know this user/],
      [
        'a mechanism that is not enabled',
        () => ({ ...connection('baton-models'), sasl: { mechanism: 'plain', username: 'baton-models', password: 'hunter2' } }),
        'mechanism',
        /KAFKA_SASL_MECHANISM/,
      ],
      [
        'an authority that is not trusted',
        () => connection('baton-models', { ca: kafka.otherCa }),
        'certificate.unknown',
        /set KAFKA_SSL_CA/,
      ],
      ['no authority at all', () => ({ ...connection('baton-models'), ssl: true }), 'certificate.unknown', /set KAFKA_SSL_CA/],
      ['an expired certificate', () => connection('baton-models', { brokers: [kafka.expired] }), 'certificate.expired', /has expired/],
      [
        'a certificate for another host',
        () => connection('baton-models', { brokers: [kafka.strange] }),
        'certificate.name',
        /for another host/,
      ],
    ])('%s has a sentence of its own, without the password', async (_, how, reason, sentence) => {
      const fault = await faultOf(open('baton-models', how()))
      expect(fault).toMatchObject({ code: 'bus.unauthorized', detail: { reason } })
      expect(fault.message).toMatch(sentence)
      expect(JSON.stringify([fault.message, fault.detail])).not.toContain('hunter2')
    })
  })

  describe('what each service may do', () => {
    beforeAll(async () => {
      const bus = await open('admin', { topics })
      await bus.publish(topics.map(({ name }) => ({ topic: name, key: 'k', value: Buffer.from('{}'), headers: {}, partition: 0 })))
      await bus.close()
    })
    it.each(SERVICES)('%s reads and writes the topics of its table, and is refused by every other one', async (service) => {
      const { reads, writes } = accessOf(service)
      const bus = await open(`baton-${service}`, { topics: topicsOfServices([service], topics) })
      const wrong: string[] = []
      const tried = async (verb: string, topic: string, work: Promise<unknown>): Promise<void> => {
        const { code, message, detail } = await faultOf(work)
        const allowed = (verb === 'read' ? reads : writes).includes(topic)
        const expected = allowed ? 'request.not_found' : 'bus.unauthorized'
        if (code !== expected || (!allowed && detail['topic'] !== TRIED + topic)) wrong.push(`${verb} ${topic}: ${code} ${message}`)
      }
      for (const { name: topic } of topics) {
        await tried('write', topic, bus.publish([{ topic, key: 'k', value: Buffer.from('{}'), headers: {}, partition: 0 }]))
        await tried('read', topic, bus.read({ topic, partition: 0, offset: 0, limit: 1 }))
      }
      await bus.close()
      expect(wrong).toEqual([])
    })
    it('routing writes to tasks of any name, and no other service does', async () => {
      const admin = kafka.admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: `${TRIED}baton.tasks.convert`, numPartitions: 1 }] })
      await admin.disconnect()
      const write = async (user: string): Promise<string> => {
        const bus = await open(user)
        const { code } = await faultOf(bus.publish([{ topic: 'baton.tasks.convert', key: 'k', value: Buffer.from('{}'), headers: {} }]))
        await bus.close()
        return code
      }
      expect([await write('baton-routing'), await write('baton-models')]).toEqual(['request.not_found', 'bus.unauthorized'])
    })
    it('nobody joins the group of another service', async () => {
      const bus = await open('baton-hitl', { topics: topicsOfServices(['hitl'], topics) })
      const retry = { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: 'baton.hitl.dlt' }
      const join = bus.lanes({ group: 'tracing', topics: [TOPICS.results], handler: async () => ({ outcome: 'ack' }), retry })
      const fault = await faultOf(join)
      await bus.close()
      expect(fault).toMatchObject({ code: 'bus.unauthorized', detail: { reason: 'group', group: `${TRIED}tracing` } })
    })
    it('K4: lanes that may not read their topic say so, and go on once the right is given', async () => {
      const may = { user: 'baton-nobody', pattern: 'literal' } as const
      const topic = { ...may, resource: 'topic', name: `${TRIED}${TOPICS.config}` } as const
      await kafka.allow([
        { ...may, resource: 'group', name: `${TRIED}nobody`, operations: ['Read', 'Describe'] },
        { ...topic, operations: ['Describe', 'DescribeConfigs'] },
      ])
      const warnings: string[] = []
      const taken: string[] = []
      const bus = await open('baton-nobody', {
        topics: topics.filter(({ name }) => name === TOPICS.config),
        onWarning: (message) => void warnings.push(message),
      })
      const lanes = await bus.lanes({
        group: 'nobody',
        topics: [TOPICS.config],
        handler: async ({ key }) => {
          taken.push(key)
          return { outcome: 'ack' }
        },
        retry: { laneAttemptsMax: 1, laneDelayMs: 1, retryTopics: [], deadLetterTopic: 'baton.gateway.dlt' },
      })
      const said = await until('the warning', () => warnings.find((warning) => warning.includes('no right to use topic')), 60_000)
      expect(said).toContain(`${TRIED}${TOPICS.config}`)
      expect(taken).toEqual([])
      await kafka.allow([{ ...topic, operations: ['Read'] }])
      expect(await until('its record', () => taken[0], 60_000)).toBe('k')
      await lanes.close({ graceMs: 0 })
      await bus.close()
    })
    it('F6: a log that may not be read says so, and is not asked again and again', async () => {
      const bus = await open('baton-models', { topics: topicsOfServices(['models'], topics) })
      const told = new Promise((resolve) => {
        const onFault = (partition: number, fault: unknown): void => resolve([partition, fault])
        void bus.log({ topic: TOPICS.events, onBatch: () => undefined, onFault }).then((log) => log.seek(0, 0))
      })
      expect(await told).toMatchObject([0, { code: 'bus.unauthorized', detail: { topic: `${TRIED}${TOPICS.events}` } }])
      await bus.close()
    })
  })

  describeWithPostgres('and PostgreSQL', (postgres) => {
    type Opened = Awaited<ReturnType<typeof openPlatform>>
    const opened: Opened[] = []
    let home: Home
    let provider: FakeProvider
    let gateway = ''
    let product: Bus | undefined
    const results: RunResult[] = []

    const start = async (service: ServiceName, env: Readonly<Record<string, string>>, port: number): Promise<void> => {
      const environment = readEnvironment({ ...env, ...kafka.env(`baton-${service}`), BATON_KAFKA_CLIENT: client })
      const platform = await openPlatform({ environment, name: service, services: [service] })
      opened.push(platform)
      await platform.start({ host: '127.0.0.1', only: [service], port })
    }
    beforeAll(async () => {
      home = await makeHome({ flows: { 'secure/flow.yaml': FLOW }, models: MODELS })
      provider = await startFakeProvider()
      provider.script('Where is my money?', { fake: [{ text: '{"intent":"refund"}' }] })
      const ports = await freePorts(SERVICES.length)
      const urls = SERVICES.map((service, n) => [`BATON_${service.toUpperCase()}_URL`, `http://127.0.0.1:${ports[n] ?? 0}`] as const)
      gateway = urls[0]?.[1] ?? ''
      const env = {
        DATABASE_URL: await postgres.freshDatabase(),
        BATON_TOPIC_PREFIX: PREFIX,
        BATON_EVENTS_PARTITIONS: String(PARTITIONS),
        BATON_FLOWS_DIR: home.flowsDir,
        BATON_CONFIG_DIR: home.configDir,
        BATON_DATA_DIR: home.dataDir,
        OPENAI_BASE_URL: provider.baseUrl,
        OPENAI_API_KEY: provider.apiKey,
        LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
        ...Object.fromEntries(urls),
      }
      for (const service of [...SERVICES].reverse()) await start(service, env, ports[SERVICES.indexOf(service)] ?? 0)
      product = await open('baton-product', {
        topicPrefix: PREFIX,
        topics: topics.filter(({ name }) => [TOPICS.requests, TOPICS.results, TOPICS.journal].some((topic) => topic === name)),
      })
      const log = await product.log({
        topic: TOPICS.results,
        onBatch: (_, records) => {
          for (const record of records) {
            const event = decodeEvent(record)
            if (event.name === 'run.completed' || event.name === 'run.failed') results.push(event.data)
          }
        },
        onFault: () => undefined,
      })
      for (let partition = 0; partition < PARTITIONS; partition++) await log.seek(partition, 0)
    })
    afterAll(async () => {
      await product?.close()
      for (const platform of opened.reverse()) await platform.close({ graceMs: 2_000 })
      await provider.close()
      await home.remove()
    })

    const http = async <T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> => {
      const reply = await fetch(`${gateway}${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await reply.text()
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
      return JSON.parse(text) as T // each test names the shape it expects, and checks it
    }

    it('a run goes through every service, each with a user of its own', async () => {
      const request = { id: 'secure-1', flow: 'test/secure', input: { text: 'Where is my money?' } }
      await product?.publish([{ topic: TOPICS.requests, key: request.id, value: Buffer.from(JSON.stringify(request)), headers: {} }])
      const review = await until(
        'the review',
        async () => (await http<{ items: readonly { taskId: string; runId: string }[] }>('GET', '/v1/reviews?queue=secure')).items[0],
        60_000,
      )
      await http('POST', `/v1/reviews/${review.taskId}:decide`, { verdict: 'approve', by: 'anna', output: { text: 'It is on its way.' } })
      const result = await until('the result', () => results.find(({ runId }) => runId === review.runId), 60_000)
      expect(result).toMatchObject({ status: 'completed', output: { intent: 'refund' } })
      const traced = await until(
        'its trace',
        async () => {
          const run = await http<{ status: string }>('GET', `/v1/runs/${review.runId}`)
          return run.status === 'completed' ? run : undefined
        },
        30_000,
      )
      expect(traced).toMatchObject({ status: 'completed' })
    })

    it('a dead letter of models is found and sent again by the gateway', async () => {
      const admin = await open('admin', { topicPrefix: PREFIX, topics })
      await admin.publish([
        { topic: 'baton.models.commands', key: 'k', value: Buffer.from('nonsense'), headers: { ce_type: 'baton.model.invoke.v1' } },
      ])
      await admin.close()
      type Letters = { readonly items: readonly { readonly offset: number }[] }
      const letters = await until(
        'the letter',
        async () => {
          const page = await http<Letters>('GET', '/v1/dead-letters?service=models')
          return page.items.length > 0 ? page.items : undefined
        },
        60_000,
      )
      expect(letters).toHaveLength(1)
      const redriven = await http<{ redriven: number }>('POST', '/v1/dead-letters:redrive', { service: 'models', all: true })
      expect(redriven.redriven).toBe(1)
    })
  })
})
