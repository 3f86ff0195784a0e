// The whole system in this process: real bus, real database, every service. Suites give it flows and see what anyone outside could see.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listDeadLetters, type BusRecord, type DeadLetter, type LogReader } from '@baton/bus'
import { deadLetterTopic, decodeEvent, TOPICS, type Event, type Json, type RunResult, type ServiceName } from '@baton/contracts'
import { readEnvironment, type Platform } from '@baton/service'
import { openPlatform } from 'baton/platform'

export type SystemOptions = {
  /** Files below the flows folder by relative path. */
  readonly flows: Readonly<Record<string, string>>
  /** `models.yaml`; default none. */
  readonly models?: string
  /** `limits.yaml`; default none. */
  readonly limits?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A result as it lies on the topic. */
export type Published = { readonly id: string; readonly type: string; readonly correlationId: string; readonly result: RunResult }

export type HttpAnswer<T> = { readonly status: number; readonly body: T }

export type System = {
  readonly platform: Platform
  /** Puts any bytes on the request topic. */
  readonly send: (
    value: string | Buffer,
    to?: { key?: string; headers?: Readonly<Record<string, string>>; partition?: number },
  ) => Promise<BusRecord['offset']>
  /** Publishes a request and gives its result. */
  readonly request: (request: Readonly<Record<string, Json>> & { readonly id: string }) => Promise<Published>
  /** Results of a request, once there are as many. */
  readonly results: (requestId: string, count?: number) => Promise<readonly Published[]>
  readonly journal: (runId: string) => readonly Event[]
  readonly deadLetters: (service: ServiceName) => Promise<readonly DeadLetter[]>
  readonly http: <T = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH',
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<HttpAnswer<T>>
  readonly close: () => Promise<void>
}

export type Home = { readonly dataDir: string; readonly flowsDir: string; readonly configDir: string; readonly remove: () => Promise<void> }

const WAIT_MS = 20_000
const LOOK_MS = 10
const GRACE_MS = 2_000
const LETTERS_MAX = 1_000
const NO_MODELS = 'models: {}\n'

/** Waits until `probe` gives something; fails with `what` when it never does. */
export const until = async <T>(what: string, probe: () => T | undefined | Promise<T | undefined>, waitMs = WAIT_MS): Promise<T> => {
  for (const endMs = performance.now() + waitMs; performance.now() < endMs; await sleep(LOOK_MS)) {
    const found = await probe()
    if (found !== undefined) return found
  }
  throw new Error(`waited ${waitMs} ms for ${what}`)
}

/** The folders of a system, kept when it is closed and opened again. */
export const makeHome = async ({ flows, models = NO_MODELS, limits }: SystemOptions): Promise<Home> => {
  const root = await mkdtemp(join(tmpdir(), 'baton-system-'))
  const home = { dataDir: join(root, 'data'), flowsDir: join(root, 'flows'), configDir: join(root, 'config') }
  const files = {
    ...Object.fromEntries(Object.entries(flows).map(([path, text]) => [join(home.flowsDir, path), text])),
    [join(home.configDir, 'models.yaml')]: models,
    ...(limits === undefined ? {} : { [join(home.configDir, 'limits.yaml')]: limits }),
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  return { ...home, remove: () => rm(root, { recursive: true, force: true }) }
}

/** Everything on a topic from its beginning, decoded. */
const follow = async (platform: Platform, topic: string, onRecord: (record: BusRecord) => void): Promise<LogReader> => {
  const reader = await platform.bus.log({ topic, onBatch: (_partition, records) => records.forEach(onRecord), onFault: () => undefined })
  const { partitions } = await platform.bus.describe(topic)
  await Promise.all(partitions.map(({ partition, first }) => reader.seek(partition, first)))
  return reader
}

/** All services in this process, without sockets. */
const started = async (environment: ReturnType<typeof readEnvironment>): Promise<Awaited<ReturnType<typeof openPlatform>>> => {
  const opened = await openPlatform({ environment, name: 'baton' })
  try {
    await opened.start({ host: environment.host, sockets: false })
    return opened
  } catch (error) {
    await opened.close({ graceMs: 0 })
    throw error
  }
}

/** Opens the system on its folders. */
export const openAt = async ({ dataDir, flowsDir, configDir }: Home, env: SystemOptions['env'] = {}): Promise<System> => {
  const environment = readEnvironment({
    BATON_DATA_DIR: dataDir,
    BATON_FLOWS_DIR: flowsDir,
    BATON_CONFIG_DIR: configDir,
    BATON_EVENTS_PARTITIONS: '3',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
    ...env,
  })
  const opened = await started(environment)
  const { platform } = opened

  const published: Published[] = []
  const journal = new Map<string, Event[]>()
  const readers = [
    await follow(platform, TOPICS.results, (record) => {
      const event = decodeEvent(record)
      published.push({
        id: event.id,
        type: record.headers['ce_type'] ?? '',
        correlationId: event.correlationId ?? '',
        result: event.data as RunResult,
      }) // all there is on this topic
    }),
    await follow(platform, TOPICS.journal, (record) => {
      const event = decodeEvent(record)
      journal.set(event.subject, [...(journal.get(event.subject) ?? []), event])
    }),
  ]

  const send: System['send'] = async (value, { key = 'product', headers = {}, partition } = {}) => {
    const [place] = await platform.bus.publish([
      { topic: TOPICS.requests, key, value: Buffer.from(value), headers, ...(partition === undefined ? {} : { partition }) },
    ])
    return place?.offset ?? -1
  }
  const results: System['results'] = (requestId, count = 1) =>
    until(`${count} results of ${requestId}`, () => {
      const own = published.filter(({ correlationId }) => correlationId === requestId)
      return own.length >= count ? own : undefined
    })
  return {
    platform,
    send,
    results,
    request: async (request) => {
      await send(JSON.stringify(request), { key: request.id })
      const [first] = await results(request.id)
      if (first === undefined) throw new Error('no result')
      return first
    },
    journal: (runId) => journal.get(runId) ?? [],
    deadLetters: async (service) => (await listDeadLetters(platform.bus, { topic: deadLetterTopic(service), limit: LETTERS_MAX })).letters,
    http: async <T>(
      method: 'GET' | 'POST' | 'PUT' | 'PATCH',
      path: string,
      body?: unknown,
      headers: Readonly<Record<string, string>> = {},
    ) => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const reply = await platform.call({ service: 'gateway', method, path, headers, ...(text === undefined ? {} : { body: text }) })
      return { status: reply.status, body: JSON.parse(reply.body) as T } // each suite names the shape it expects, and checks it
    },
    close: async () => {
      await Promise.all(readers.map((reader) => reader.close()))
      await opened.close({ graceMs: GRACE_MS })
    },
  }
}

/** A system on folders of its own, removed with it. */
export const openSystem = async (options: SystemOptions): Promise<System> => {
  const home = await makeHome(options)
  const system = await openAt(home, options.env)
  return {
    ...system,
    close: async () => {
      await system.close()
      await home.remove()
    },
  }
}
