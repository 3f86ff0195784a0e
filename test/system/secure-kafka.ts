// A broker as it runs in production: TLS, SCRAM users, an authorizer that denies by default. Certificates are made here, by openssl.
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessRule } from '@baton/contracts/generate'
import kafkajs from 'kafkajs'
import type { AclEntry } from 'kafkajs'
import { kafkaAvailable, startKafka, type KafkaServer } from '../../libs/testing/src/servers/kafka-server.ts'
import { freePorts } from '../../libs/testing/src/servers/machine.ts'

const SETTLE_MS = 200
const OVERLAY = join(import.meta.dirname, '..', '..', 'infra', 'kafka', 'secure.properties')

export type SecureKafka = {
  readonly server: KafkaServer
  /** Addresses whose certificate has expired, and whose certificate is for another host. */
  readonly expired: string
  readonly strange: string
  /** PEM of the authority that issued the broker's certificate, and of one that did not. */
  readonly ca: string
  readonly otherCa: string
  readonly password: (user: string) => string
  /** Variables of a process that logs in as this user. */
  readonly env: (user: string) => Readonly<Record<string, string>>
  readonly allow: (rules: readonly AccessRule[]) => Promise<void>
  readonly admin: () => kafkajs.Admin
  readonly close: () => Promise<void>
}

/** Why it cannot be started here; undefined when it can. */
export const secureKafkaMissing = (): string | undefined => {
  if (process.env['KAFKA_BROKERS']) return 'KAFKA_BROKERS names a broker whose users and certificates are not ours'
  if (spawnSync('openssl', ['version']).status !== 0) return 'no openssl to make certificates with'
  const kafka = kafkaAvailable()
  return kafka.ok ? undefined : kafka.reason
}

const openssl = (cwd: string, ...args: readonly string[]): void =>
  void execFileSync('openssl', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })

const authority = (dir: string, name: string): void =>
  openssl(dir, ...`req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${name} -keyout ${name}.key -out ${name}.crt`.split(' '))

/** A certificate with its key in one file, as the broker reads it. */
const certificate = async (dir: string, { name, san, days }: { name: string; san: string; days: number }): Promise<void> => {
  await writeFile(join(dir, `${name}.ext`), `subjectAltName=${san}\nextendedKeyUsage=serverAuth,clientAuth\n`)
  openssl(dir, ...`req -newkey rsa:2048 -nodes -subj /CN=broker -keyout ${name}.key -out ${name}.csr`.split(' '))
  const issue = `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days ${days} -extfile ${name}.ext -out ${name}.crt`
  openssl(dir, ...issue.split(' '))
  const parts = await Promise.all([`${name}.key`, `${name}.crt`, 'ca.crt'].map((file) => readFile(join(dir, file), 'utf8')))
  await writeFile(join(dir, `${name}.pem`), parts.join(''))
}

const makeCertificates = async (dir: string): Promise<void> => {
  await mkdir(dir, { recursive: true })
  authority(dir, 'ca')
  authority(dir, 'other')
  const san = 'IP:127.0.0.1,DNS:localhost'
  await certificate(dir, { name: 'broker', san, days: 2 })
  await certificate(dir, { name: 'expired', san, days: -1 })
  await certificate(dir, { name: 'strange', san: 'DNS:kafka.example.com', days: 2 })
}

const overlay = async (values: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> => {
  const text = (await readFile(OVERLAY, 'utf8')).replaceAll(/\$\{(\w+)\}/g, (match, name: string) => values[name] ?? match)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

const OPERATIONS = kafkajs.AclOperationTypes
const OPERATION_OF = {
  Read: OPERATIONS.READ,
  Write: OPERATIONS.WRITE,
  Create: OPERATIONS.CREATE,
  Describe: OPERATIONS.DESCRIBE,
  DescribeConfigs: OPERATIONS.DESCRIBE_CONFIGS,
  AlterConfigs: OPERATIONS.ALTER_CONFIGS,
} as const

const entriesOf = ({ user, resource, name, pattern, operations }: AccessRule): readonly AclEntry[] =>
  operations.map((operation) => ({
    principal: `User:${user}`,
    host: '*',
    operation: OPERATION_OF[operation],
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
    resourceType: resource === 'topic' ? kafkajs.AclResourceTypes.TOPIC : kafkajs.AclResourceTypes.GROUP,
    resourceName: name,
    resourcePatternType: pattern === 'literal' ? kafkajs.ResourcePatternTypes.LITERAL : kafkajs.ResourcePatternTypes.PREFIXED,
  }))

/** Starts it; `users` exist beside `admin`, who may do everything. */
export const startSecureKafka = async (users: readonly string[]): Promise<SecureKafka> => {
  const dir = await mkdtemp(join(tmpdir(), 'baton-secure-kafka-'))
  const certificates = join(dir, 'certificates')
  await makeCertificates(certificates)
  const [port = 0, expiredPort = 0, strangePort = 0] = await freePorts(3)
  const passwords = new Map([...users, 'admin', 'broker'].map((user) => [user, randomBytes(12).toString('hex')]))
  const password = (user: string): string => passwords.get(user) ?? ''
  const server = await startKafka({
    dir,
    port,
    users: Object.fromEntries(passwords),
    extra: await overlay({
      certificates,
      brokerPassword: password('broker'),
      expiredPort: String(expiredPort),
      strangePort: String(strangePort),
    }),
  })
  const [ca, otherCa] = await Promise.all(['ca.crt', 'other.crt'].map((file) => readFile(join(certificates, file), 'utf8')))
  const client = new kafkajs.Kafka({
    brokers: [...server.brokers],
    clientId: 'admin',
    logLevel: kafkajs.logLevel.NOTHING,
    ssl: { ca: ca ?? '' },
    sasl: { mechanism: 'scram-sha-512', username: 'admin', password: password('admin') },
  })
  return {
    server,
    expired: `127.0.0.1:${expiredPort}`,
    strange: `127.0.0.1:${strangePort}`,
    ca: ca ?? '',
    otherCa: otherCa ?? '',
    password,
    env: (user) => ({
      KAFKA_BROKERS: server.brokers.join(','),
      KAFKA_SSL_CA: ca ?? '',
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: password(user),
    }),
    admin: () => client.admin(),
    allow: async (rules) => {
      const admin = client.admin()
      await admin.connect()
      try {
        const acl = rules.flatMap(entriesOf)
        await admin.createAcls({ acl })
        // The broker answers before its authorizer has heard of the last one.
        for (const entry of acl.slice(-1)) while ((await admin.describeAcls(entry)).resources.length === 0) await sleep(SETTLE_MS)
        await sleep(SETTLE_MS)
      } finally {
        await admin.disconnect()
      }
    },
    close: async () => {
      await server.kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
