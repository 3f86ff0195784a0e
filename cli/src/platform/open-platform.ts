// The one place where adapters are chosen: embedded unless KAFKA_BROKERS and DATABASE_URL are set.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openEmbeddedBus, openKafkaBus, type Bus } from '@baton/bus'
import { SERVICES, topicsOfServices, type ServiceName } from '@baton/contracts'
import type { Environment, Platform, RunningService, ServiceCall } from '@baton/service'
import { httpServiceCall, inProcessServiceCall } from '@baton/service/service-call'
import { openPglite, openPostgres, openStore, type Database } from '@baton/store'
import { openTelemetry, type Logger } from '@baton/telemetry'
import { kafkaSecurity } from './kafka-security.ts'
import { preloadServices, startServices, type StartOptions } from './start-services.ts'
import { installedTopics } from './topic-file.ts'

/** An embedded data directory may grow to this size before publishing waits for space. */
const DISK_BYTES_MAX = 2 * 1024 ** 3
const SEGMENT_BYTES_MAX = 32 * 1024 ** 2
const POOL_MAX = 10

export type OpenedPlatform = {
  readonly platform: Platform
  readonly services: ReadonlyMap<ServiceName, RunningService>
  /** Starts services in their order; what started is closed by `close`. */
  start(options: StartOptions): Promise<void>
  /** Services first, in reverse order, then bus, database and telemetry. */
  close(options: { graceMs: number }): Promise<void>
}

type BusOptions = {
  readonly environment: Environment
  readonly name: string
  readonly services: readonly ServiceName[]
  readonly logger: Logger
}

const openBus = async ({ environment, name, services, logger }: BusOptions): Promise<Bus> => {
  const { config, kafka } = environment
  const { foreign: _foreign, topics, ...installed } = await installedTopics(environment)
  if (kafka === undefined) {
    const dir = join(config.dataDir, 'log')
    await mkdir(dir, { recursive: true })
    return openEmbeddedBus({
      dir,
      topics,
      topicPrefix: config.topicPrefix,
      segmentBytesMax: SEGMENT_BYTES_MAX,
      diskBytesMax: DISK_BYTES_MAX,
      nowMs: Date.now,
    })
  }
  return openKafkaBus({
    brokers: kafka.brokers,
    ...(kafka.client === undefined ? {} : { client: kafka.client }),
    clientId: `baton-${name}`,
    ...installed,
    // Its own alone: a process sees no topic that its user has no right to.
    topics: topicsOfServices(services, topics),
    ensureTopics: true,
    onDrift: (differences) => {
      for (const { topic, what, wanted, found, help } of differences)
        logger.warn({ topic, what, wanted, found, help }, 'a topic is not what the manifest wants')
    },
    ...(await kafkaSecurity(kafka)),
  })
}

const openDatabase = async (environment: Environment): Promise<Database> => {
  if (environment.databaseUrl !== undefined) return openPostgres({ url: environment.databaseUrl, poolMax: POOL_MAX })
  const dir = join(environment.config.dataDir, 'db')
  await mkdir(environment.config.dataDir, { recursive: true })
  return openPglite({ dir })
}

export type PlatformOptions = {
  readonly environment: Environment
  /** What logs and the broker call this process. */
  readonly name: string
  /** Services to load while the database opens. */
  readonly preload?: readonly ServiceName[]
  /** Services that will run here; absent: all. Only their topics are looked at. */
  readonly services?: readonly ServiceName[]
}

/** Opens bus, store and telemetry. */
export const openPlatform = async ({
  environment,
  name,
  preload = [],
  services: wanted = SERVICES,
}: PlatformOptions): Promise<OpenedPlatform> => {
  const telemetry = openTelemetry({
    service: name,
    level: environment.logLevel,
    format: environment.logFormat,
    ...(environment.otlpEndpoint === undefined ? {} : { otlpEndpoint: environment.otlpEndpoint }),
  })
  // The bus holds the lock of the data directory, so it opens first.
  const bus = await openBus({ environment, name, services: wanted, logger: telemetry.logger })
  const opening = openDatabase(environment)
  preloadServices(preload)
  const db = await opening
  const stores = await openStore(db)
  const services = new Map<ServiceName, RunningService>()
  const remote = httpServiceCall({ urls: environment.serviceUrls })
  const local = inProcessServiceCall(services)
  const known: ReadonlyMap<string, RunningService> = services
  const call: ServiceCall = (request) => (known.has(request.service) ? local(request) : remote(request))
  const platform: Platform = { bus, db, stores, telemetry, config: environment.config, nowMs: Date.now, call }

  return {
    platform,
    services,
    start: (options) => startServices({ platform, services, options }),
    close: async ({ graceMs }) => {
      for (const service of [...services.values()].reverse()) await service.close({ graceMs })
      await bus.close()
      await db.close()
      await telemetry.close()
    },
  }
}
