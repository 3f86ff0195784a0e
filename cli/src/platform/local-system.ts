import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault, isFaultCode, SERVICES } from '@baton/contracts'
import { readEnvironment } from '@baton/service/config'
import type { Platform } from '@baton/service'
import { openPlatform } from './open-platform.ts'

export type LocalSystem = {
  readonly platform: Platform
  /** Where the gateway listens; absent without a socket. */
  readonly url?: string
  /** The gateway's HTTP interface, without a socket. */
  readonly ask: <T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<T>
}

export type LocalOptions = {
  /** Flows published at the start. Absent: none but what the caller publishes. */
  readonly flowsDir?: string
  /** Kept afterwards. Absent: a temporary one, removed. */
  readonly dataDir?: string
  readonly logLevel?: string
  /** Absent: no socket. */
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
}

const GRACE_MS = 5_000

/** Runs the whole system embedded in this process around `work`, whatever the environment says about Kafka. */
export const withLocalSystem = async <T>(options: LocalOptions, work: (system: LocalSystem) => Promise<T>): Promise<T> => {
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'baton-')) : undefined
  const environment = readEnvironment({
    ...process.env,
    BATON_TRIGGERS: 'false', // Nothing runs but what was asked for.
    ...options.env,
    KAFKA_BROKERS: undefined,
    DATABASE_URL: undefined,
    // What was pulled is for every run, also one that keeps nothing.
    BATON_MODELS_DIR: readEnvironment(process.env).config.modelsDir,
    BATON_DATA_DIR: options.dataDir ?? temporary,
    BATON_FLOWS_DIR: options.flowsDir ?? join(temporary ?? tmpdir(), 'no-flows'),
    LOG_LEVEL: options.logLevel ?? process.env['LOG_LEVEL'] ?? 'error',
  })
  const opened = await openPlatform({ environment, name: 'baton', preload: SERVICES })
  try {
    await opened.start({ host: environment.host, ...(options.port === undefined ? { sockets: false } : { port: options.port }) })
    const url = opened.services.get('gateway')?.url
    return await work({ platform: opened.platform, ask: asker(opened.platform), ...(url === undefined ? {} : { url }) })
  } finally {
    await opened.close({ graceMs: GRACE_MS })
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  }
}

const asker =
  (platform: Platform): LocalSystem['ask'] =>
  async <T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => {
    const reply = await platform.call({ service: 'gateway', method, path, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const answer: unknown = reply.body === '' ? {} : JSON.parse(reply.body)
    if (reply.status >= 400) {
      const { code, detail } = answer as { code?: unknown; detail?: unknown } // a problem of RFC 9457
      throw new Fault(isFaultCode(code) ? code : 'handler.failed', typeof detail === 'string' ? detail : `HTTP ${reply.status}`)
    }
    // The gateway answers what its OpenAPI document says; the caller names that shape.
    return answer as T
  }
