// The environment of a process, read once.
//   E1. All problems are told at once, each with the name of its variable.
//   E2. Values are never printed: any of them may be a secret (H5).
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { Fault, SERVICES, type ServiceName } from '@baton/contracts'
import type { ServiceConfig } from './platform.ts'

/** Ports of services that run alone on one machine, unless `--port` or a URL says otherwise. */
export const DEFAULT_PORTS: Readonly<Record<ServiceName, number>> = {
  gateway: 8080,
  routing: 8081,
  models: 8082,
  tools: 8083,
  validation: 8084,
  hitl: 8085,
  tracing: 8086,
}

export type KafkaEnvironment = {
  readonly brokers: readonly string[]
  readonly ssl?: KafkaTls
  readonly sasl?: KafkaLogin
  /** The client library; absent: kafkajs. */
  readonly client?: 'kafkajs' | 'platformatic'
  /** Replicas of topics that are made, and how many must confirm a record; absent: what topics.yaml says, else 3 and 2. */
  readonly replication?: number
  readonly minInsyncReplicas?: number
}

/** PEM, as text or in files. */
export type KafkaTls = {
  readonly ca?: string
  readonly caFile?: string
  readonly cert?: string
  readonly certFile?: string
  readonly key?: string
  readonly keyFile?: string
  readonly keyPassword?: string
}

/** The password as text or in a file. */
export type KafkaLogin = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password?: string
  readonly passwordFile?: string
}

export type Environment = {
  readonly config: ServiceConfig
  /** Absent in one process. */
  readonly kafka?: KafkaEnvironment
  /** Absent: PGlite in the data directory. */
  readonly databaseUrl?: string
  /** Where commands find a running system. */
  readonly url: string
  readonly host: string
  /** Absent: the service's default port. */
  readonly port?: number
  readonly eventsPartitions: number
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly logFormat: 'pretty' | 'json'
  readonly otlpEndpoint?: string
  /** Base URL of each service's HTTP interface in a distributed installation. */
  readonly serviceUrls: Readonly<Record<ServiceName, string>>
}

const text = z.string().trim().min(1)
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max)
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1')
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })
/** A variable holds its line ends, or `\n` where whoever sets it cannot write them. */
const pem = z
  .string()
  .transform((value) => value.replaceAll('\\n', '\n').trim())
  .pipe(
    z
      .string()
      .regex(/^-----BEGIN [A-Z ]+-----\n[\s\S]+\n-----END [A-Z ]+-----$/, 'must be PEM text; for a path there is the same name with _FILE'),
  )
const prefix = z.string().regex(/^[A-Za-z0-9._-]{0,64}$/, 'may hold letters, digits, dot, dash and underscore')

const Variables = z.object({
  KAFKA_BROKERS: text
    .transform((list) => list.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d{1,5}$/, 'must be HOST:PORT, separated by commas')).min(1))
    .optional(),
  KAFKA_REPLICATION: count(1, 15).optional(),
  KAFKA_MIN_INSYNC_REPLICAS: count(1, 15).optional(),
  KAFKA_SASL_MECHANISM: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
  KAFKA_SASL_USERNAME: text.optional(),
  KAFKA_SASL_PASSWORD: text.optional(),
  KAFKA_SASL_PASSWORD_FILE: text.optional(),
  KAFKA_SSL: flag.optional(),
  KAFKA_SSL_CA: pem.optional(),
  KAFKA_SSL_CA_FILE: text.optional(),
  KAFKA_SSL_CERT: pem.optional(),
  KAFKA_SSL_CERT_FILE: text.optional(),
  KAFKA_SSL_KEY: pem.optional(),
  KAFKA_SSL_KEY_FILE: text.optional(),
  KAFKA_SSL_KEY_PASSWORD: text.optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
    .optional(),
  BATON_URL: httpUrl.default(`http://127.0.0.1:${DEFAULT_PORTS.gateway}`),
  BATON_HOST: text.default('127.0.0.1'),
  BATON_PORT: count(0, 65_535).optional(),
  BATON_DATA_DIR: text.default('.baton'),
  BATON_MODELS_DIR: text.optional(),
  BATON_CONFIG_DIR: text.default('config'),
  BATON_ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'may hold small letters, digits, dot, dash and underscore')
    .optional(),
  BATON_FLOWS_DIR: text.default('flows'),
  BATON_KAFKA_CLIENT: z.enum(['kafkajs', 'platformatic']).optional(),
  BATON_TOPIC_PREFIX: prefix.default(''),
  BATON_EVENTS_PARTITIONS: count(1, 1_024).default(12),
  BATON_DRAIN_MS: count(0, 600_000).default(10_000),
  BATON_REQUEST_BYTES_MAX: count(1_024, 16_777_216).default(524_288),
  BATON_INLINE_BYTES_MAX: count(1_024, 524_288).default(65_536),
  BATON_KEEP_CONTENT: flag.default(true),
  BATON_TRIGGERS: flag.default(true),
  BATON_CATCH_UP_MS: count(0, 31_536_000_000).default(86_400_000),
  // Not below what topics keep: a record that comes again must find what became of it.
  BATON_RUNS_KEEP_DAYS: count(8, 3_650).default(30),
  BATON_TRACES_KEEP_DAYS: count(1, 3_650).default(30),
  BATON_RETIRE_EVERY_MS: count(100, 3_600_000).default(30_000),
  OPENAI_BASE_URL: httpUrl.optional(),
  OPENAI_API_KEY: text.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LOG_FORMAT: z.enum(['pretty', 'json']).optional(),
})
type Variables = z.infer<typeof Variables>

const ServiceUrls = z.object(Object.fromEntries(SERVICES.map((name) => [`BATON_${name.toUpperCase()}_URL`, httpUrl.optional()])))

type Source = Readonly<Record<string, string | undefined>>

/** An empty variable counts as absent: that is how compose files and charts leave one out. */
const present = (source: Source): Source =>
  Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value.trim() !== ''))

const problemsOf = (variables: z.ZodSafeParseResult<unknown>): readonly string[] =>
  variables.success ? [] : variables.error.issues.map((issue) => `${String(issue.path[0] ?? '')}: ${issue.message}`)

/** Rules between variables. */
const contradictions = (source: Source): readonly string[] => {
  const has = (name: string): boolean => source[name] !== undefined
  const problems: string[] = []
  if (has('KAFKA_BROKERS') && !has('DATABASE_URL')) problems.push('DATABASE_URL: is needed where KAFKA_BROKERS is set')
  const login = ['KAFKA_SASL_MECHANISM', 'KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']
  const given = (name: string): boolean => has(name) || has(`${name}_FILE`)
  if (login.some(given))
    for (const name of login) if (!given(name)) problems.push(`${name}: is needed where another KAFKA_SASL_ variable is set`)
  for (const name of ['KAFKA_SASL_PASSWORD', 'KAFKA_SSL_CA', 'KAFKA_SSL_CERT', 'KAFKA_SSL_KEY'])
    if (has(name) && has(`${name}_FILE`)) problems.push(`${name}: is set as text and as a file; one of them is enough`)
  if (given('KAFKA_SSL_CERT') !== given('KAFKA_SSL_KEY'))
    problems.push(`${given('KAFKA_SSL_CERT') ? 'KAFKA_SSL_KEY' : 'KAFKA_SSL_CERT'}: is needed with the other, or neither`)
  return problems
}

const given = <T extends Readonly<Record<string, string | undefined>>>(fields: T): { [K in keyof T]?: string } =>
  // Fields that are undefined are left out, which is all that the type says.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: string }

const kafkaTlsOf = (variables: Variables): KafkaTls | undefined => {
  const files = given({
    ca: variables.KAFKA_SSL_CA,
    caFile: variables.KAFKA_SSL_CA_FILE,
    cert: variables.KAFKA_SSL_CERT,
    certFile: variables.KAFKA_SSL_CERT_FILE,
    key: variables.KAFKA_SSL_KEY,
    keyFile: variables.KAFKA_SSL_KEY_FILE,
    keyPassword: variables.KAFKA_SSL_KEY_PASSWORD,
  })
  return variables.KAFKA_SSL === true || Object.keys(files).length > 0 ? files : undefined
}

const kafkaLoginOf = (variables: Variables): KafkaLogin | undefined => {
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username } = variables
  if (mechanism === undefined || username === undefined) return undefined
  return { mechanism, username, ...given({ password: variables.KAFKA_SASL_PASSWORD, passwordFile: variables.KAFKA_SASL_PASSWORD_FILE }) }
}

const kafkaOf = (variables: Variables): KafkaEnvironment | undefined => {
  if (variables.KAFKA_BROKERS === undefined) return undefined
  const ssl = kafkaTlsOf(variables)
  const sasl = kafkaLoginOf(variables)
  const { BATON_KAFKA_CLIENT: client, KAFKA_REPLICATION: replication, KAFKA_MIN_INSYNC_REPLICAS: minInsyncReplicas } = variables
  return {
    brokers: variables.KAFKA_BROKERS,
    ...(client === undefined ? {} : { client }),
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(replication === undefined ? {} : { replication }),
    ...(minInsyncReplicas === undefined ? {} : { minInsyncReplicas }),
  }
}

const configOf = (variables: Variables): ServiceConfig => {
  const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, BATON_ENVIRONMENT: environment } = variables
  return {
    topicPrefix: variables.BATON_TOPIC_PREFIX,
    flowsDir: resolve(variables.BATON_FLOWS_DIR),
    configDir: resolve(variables.BATON_CONFIG_DIR),
    dataDir: resolve(variables.BATON_DATA_DIR),
    modelsDir: resolve(variables.BATON_MODELS_DIR ?? join(variables.BATON_DATA_DIR, 'models')),
    embedded: variables.KAFKA_BROKERS === undefined,
    drainMs: variables.BATON_DRAIN_MS,
    requestBytesMax: variables.BATON_REQUEST_BYTES_MAX,
    inlineBytesMax: variables.BATON_INLINE_BYTES_MAX,
    keepContent: variables.BATON_KEEP_CONTENT,
    triggers: variables.BATON_TRIGGERS,
    catchUpMs: variables.BATON_CATCH_UP_MS,
    runsKeepDays: variables.BATON_RUNS_KEEP_DAYS,
    tracesKeepDays: variables.BATON_TRACES_KEEP_DAYS,
    retireEveryMs: variables.BATON_RETIRE_EVERY_MS,
    ...(environment === undefined ? {} : { environment }),
    ...(baseUrl === undefined ? {} : { openai: { baseUrl, ...(apiKey === undefined ? {} : { apiKey }) } }),
  }
}

const serviceUrlsOf = (source: Source): Record<ServiceName, string> => {
  const url = (name: ServiceName): string =>
    (source[`BATON_${name.toUpperCase()}_URL`] ?? `http://127.0.0.1:${DEFAULT_PORTS[name]}`).replace(/\/$/, '')
  return {
    gateway: url('gateway'),
    routing: url('routing'),
    models: url('models'),
    tools: url('tools'),
    validation: url('validation'),
    hitl: url('hitl'),
    tracing: url('tracing'),
  }
}

/** Reads the variables of DESIGN §9. Throws `config.invalid` with every problem (E1). */
export const readEnvironment = (source: Source): Environment => {
  const given = present(source)
  const parsed = Variables.safeParse(given)
  const problems = [...problemsOf(parsed), ...problemsOf(ServiceUrls.safeParse(given)), ...contradictions(given)]
  if (!parsed.success || problems.length > 0) throw new Fault('config.invalid', `the environment has mistakes:\n  ${problems.join('\n  ')}`) // E1, E2
  const variables = parsed.data
  const kafka = kafkaOf(variables)
  const { DATABASE_URL: databaseUrl, BATON_PORT: port, OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint } = variables
  return {
    config: configOf(variables),
    ...(kafka === undefined ? {} : { kafka }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    url: variables.BATON_URL.replace(/\/$/, ''),
    host: variables.BATON_HOST,
    ...(port === undefined ? {} : { port }),
    eventsPartitions: variables.BATON_EVENTS_PARTITIONS,
    logLevel: variables.LOG_LEVEL,
    logFormat: variables.LOG_FORMAT ?? (kafka === undefined ? 'pretty' : 'json'),
    ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
    serviceUrls: serviceUrlsOf(given),
  }
}
