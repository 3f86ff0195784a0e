// A real Apache Kafka broker for tests and local use: one process, loopback only.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { startChild } from './child-process.ts'
import type { Child } from './child-process.ts'
import { containersWanted } from './container-servers.ts'
import { javaAvailable, kafkaInfraFolder, resolveJars } from './kafka-jars.ts'
import { freePorts } from './machine.ts'
import type { Availability } from './machine.ts'

const run = promisify(execFile)
const START_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 20_000
const STARTS_MAX = 3

export type KafkaOptions = {
  /** Folder for settings and data; what is in it is used again. */
  readonly dir: string
  /** Partitions of a topic created without a count. Default 1. */
  readonly partitionsDefault?: number
  /** Further lines of server.properties. `${brokerPort}` and `${controllerPort}` are filled in here too. */
  readonly extra?: Readonly<Record<string, string | number>>
  /** Users who log in with SCRAM-SHA-512, by name with their password; they are there when the broker starts for the first time. */
  readonly users?: Readonly<Record<string, string>>
  /** Port of the broker. Default: a free one, the same again for a folder used before. */
  readonly port?: number
  /** Heap of the broker. Default 512. */
  readonly heapMb?: number
  /** Of a cluster of several. Default node 1 of a cluster of its own. */
  readonly node?: { readonly id: number; readonly clusterId: string }
  /** Added to the environment of the broker. */
  readonly env?: Readonly<Record<string, string>>
}

/** A broker of this process. It ends with the process that started it. */
export type KafkaServer = {
  readonly brokers: readonly string[]
  readonly pid: number
  /** Stops the broker in order. */
  stop(): Promise<void>
  /** Ends the broker at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again on the same address with the same data; stops it first when it runs. */
  restart(): Promise<void>
}

/** Whether suites that need Kafka can run: `KAFKA_BROKERS` names one, or one can be started here. */
export const kafkaAvailable = (): Availability => (process.env['KAFKA_BROKERS'] || containersWanted() ? { ok: true } : javaAvailable())

/** Starts a broker and resolves when it serves. */
export const startKafka = async (options: KafkaOptions): Promise<KafkaServer> => {
  await mkdir(options.dir, { recursive: true })
  const classPath = await resolveJars()
  const { child, port } = await start({ options, classPath, startsLeft: STARTS_MAX })
  let running = child
  return {
    brokers: [`127.0.0.1:${port}`],
    get pid() {
      return running.pid
    },
    stop: () => running.stop(STOP_GRACE_MS),
    kill: () => running.kill(),
    restart: async () => {
      await running.stop(STOP_GRACE_MS)
      running = (await start({ options: { ...options, port }, classPath, startsLeft: STARTS_MAX })).child
    },
  }
}

type Start = { readonly options: KafkaOptions; readonly classPath: string; readonly startsLeft: number }

const start = async ({ options, classPath, startsLeft }: Start): Promise<{ child: Child; port: number }> => {
  const { dir, heapMb = 512 } = options
  const [free = 0, controllerPort = 0] = await freePorts(2)
  const port = options.port ?? (await storedPort(dir)) ?? free
  await configure({ options, port, controllerPort })
  await format(options, classPath)
  const child = await startChild({
    command: 'java',
    env: options.env ?? {},
    args: [`-Xmx${heapMb}m`, ...logging(), '-cp', classPath, 'kafka.Kafka', join(dir, 'server.properties')],
    cwd: dir,
    stopSignal: 'TERM',
  })
  try {
    await child.printed(/Kafka Server started/, START_TIMEOUT_MS)
    return { child, port }
  } catch (error) {
    await child.kill()
    // Somebody may have taken the port between looking and starting.
    if (startsLeft > 1 && /Address already in use/.test(child.output())) return start({ options, classPath, startsLeft: startsLeft - 1 })
    throw error
  }
}

const logging = (): readonly string[] => [`-Dlog4j2.configurationFile=${join(kafkaInfraFolder(), 'log4j2.properties')}`]

const storedPort = async (dir: string): Promise<number | undefined> => {
  const settings = await readFile(join(dir, 'server.properties'), 'utf8').catch(() => '')
  const port = /^listeners=PLAINTEXT:\/\/127\.0\.0\.1:(\d+)/m.exec(settings)?.[1]
  return port === undefined ? undefined : Number(port)
}

type Configuring = { readonly options: KafkaOptions; readonly port: number; readonly controllerPort: number }

const configure = async ({ options, port, controllerPort }: Configuring): Promise<void> => {
  const { dir, partitionsDefault = 1, extra = {} } = options
  const values: Readonly<Record<string, string>> = {
    brokerPort: String(port),
    controllerPort: String(controllerPort),
    dataDir: join(dir, 'data'),
    partitionsDefault: String(partitionsDefault),
  }
  const template = await readFile(join(kafkaInfraFolder(), 'server.properties'), 'utf8')
  const lines = Object.entries(extra).map(([name, value]) => `${name}=${value}\n`)
  const filled = (template + lines.join('')).replaceAll(/\$\{(\w+)\}/g, (match, name: string) => values[name] ?? match)
  await writeFile(join(dir, 'server.properties'), filled)
}

// The broker's own formatter costs a second of Java. What it writes beside the ids depends on the version only, so it is kept with the jars.
const format = async ({ dir, users = {}, node }: KafkaOptions, classPath: string): Promise<void> => {
  const { id: nodeId, clusterId } = node ?? { id: 1, clusterId: kafkaId() }
  const data = join(dir, 'data')
  if (existsSync(join(data, 'meta.properties'))) return
  const kept = join(dirname(classPath), 'bootstrap.checkpoint')
  await mkdir(data, { recursive: true })
  const scram = Object.entries(users).flatMap(([name, password]) => ['--add-scram', `SCRAM-SHA-512=[name=${name},password=${password}]`])
  const formatter = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', join(dir, 'server.properties'), ...scram]
  if (scram.length > 0) {
    await run('java', formatter)
    return
  }
  if (existsSync(kept)) {
    await copyFile(kept, join(data, 'bootstrap.checkpoint'))
    await writeFile(join(data, 'meta.properties'), `version=1\nnode.id=${nodeId}\ncluster.id=${clusterId}\ndirectory.id=${kafkaId()}\n`)
    return
  }
  await run('java', formatter)
  await copyFile(join(data, 'bootstrap.checkpoint'), `${kept}.${process.pid}`)
  await rename(`${kept}.${process.pid}`, kept)
}

/** 128 bits as Kafka writes them. Its tools take no id that begins with a dash. */
export const kafkaId = (): string => {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? kafkaId() : id
}
