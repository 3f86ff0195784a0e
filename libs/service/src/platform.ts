// What every service is given, and what it gives back. `baton up` makes one Platform a process and starts services on it.
import type { Bus } from '@baton/bus/bus'
import type { Database, Stores } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'

export type ServiceConfig = {
  /** In front of every topic name; adapters add it, services never see it. */
  readonly topicPrefix: string
  readonly flowsDir: string
  readonly configDir: string
  readonly dataDir: string
  /** Weights of models that run in this process. Default `models` in the data folder. */
  readonly modelsDir?: string
  /** Whether all services share this process. */
  readonly embedded: boolean
  readonly drainMs: number
  readonly requestBytesMax: number
  /** Outputs and inputs above this go to the payload store. */
  readonly inlineBytesMax: number
  /** Whether prompts, passages and arguments are kept, redacted, for traces. Default true. */
  readonly keepContent?: boolean
  /** Which params apply beside those for all: `staging`, `production`. */
  readonly environment?: string
  /** Whether topics and schedules start flows here. Default true. */
  readonly triggers?: boolean
  /** Due times of schedules that were missed and are older are not made up for. Default a day. */
  readonly catchUpMs?: number
  /** Days after their end that runs are kept, and with them what began and answered them. Default 30. */
  readonly runsKeepDays?: number
  /** Days that traces are kept. Default 30. */
  readonly tracesKeepDays?: number
  /** How often runs that ended leave the table of those in work. Default 30,000. */
  readonly retireEveryMs?: number
  readonly openai?: { readonly baseUrl: string; readonly apiKey?: string }
}

export type Platform = {
  readonly bus: Bus
  readonly db: Database
  readonly stores: Stores
  readonly telemetry: Telemetry
  readonly config: ServiceConfig
  readonly nowMs: () => number
  /** Calls another service's HTTP interface, over the network or in this process. */
  readonly call: ServiceCall
}

/** Methods that services answer to. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type ServiceReply = { readonly status: number; readonly body: string; readonly contentType: string }
export type ServiceCall = (request: {
  service: string
  method: HttpMethod
  path: string
  body?: string
  headers?: Readonly<Record<string, string>>
}) => Promise<ServiceReply>

export type RunningService = {
  readonly name: string
  /** Where it listens; absent in one process, where only the gateway does. */
  readonly url?: string
  /** Answers an HTTP request without a socket (health, reads, reviews). */
  readonly inject: (request: {
    method: HttpMethod
    path: string
    body?: string
    headers?: Readonly<Record<string, string>>
  }) => Promise<ServiceReply>
  readonly close: (options: { graceMs: number }) => Promise<void>
}

/** Every service package exports one as `start`. `port` absent: no socket. */
export type StartService = (platform: Platform, options: { port?: number; host?: string }) => Promise<RunningService>
