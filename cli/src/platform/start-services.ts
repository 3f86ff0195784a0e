import { SERVICES, type ServiceName } from '@baton/contracts'
import type { Platform, RunningService, StartService } from '@baton/service'
import { DEFAULT_PORTS } from '@baton/service/config'

export type StartOptions = {
  /** Absent: all, in one process; then only the gateway listens. */
  readonly only?: readonly ServiceName[]
  readonly host: string
  /** Of the gateway, or of the only service; absent: its default port. 0 takes a free one. */
  readonly port?: number
  /** False: nothing listens; `RunningService.inject` answers. Default true. */
  readonly sockets?: boolean
}

// Loaded when they start, so that a process pays only for the services it runs.
const LOADERS: Readonly<Record<ServiceName, () => Promise<{ readonly start: StartService }>>> = {
  gateway: () => import('@baton/gateway'),
  routing: () => import('@baton/routing'),
  models: () => import('@baton/models'),
  tools: () => import('@baton/tools'),
  validation: () => import('@baton/validation'),
  hitl: () => import('@baton/hitl'),
  tracing: () => import('@baton/tracing'),
}

/** Loads services ahead of their start; what fails is told by the start. */
export const preloadServices = (names: readonly ServiceName[]): void => {
  for (const name of names) LOADERS[name]().catch(() => undefined)
}

/** All at once but the gateway, which comes last: a request finds everything ready. They close in the reverse of this order. */
const ORDER: readonly ServiceName[] = ['tracing', 'hitl', 'validation', 'tools', 'models', 'routing', 'gateway']

/** Starts the services on a platform and enters them into `services`. */
export const startServices = async (start: {
  platform: Platform
  services: Map<ServiceName, RunningService>
  options: StartOptions
}): Promise<void> => {
  const { platform, services, options } = start
  const wanted = options.only ?? SERVICES
  const portOf = (name: ServiceName): number | undefined => {
    if (options.sockets === false) return undefined
    if (options.only === undefined) return name === 'gateway' ? (options.port ?? DEFAULT_PORTS.gateway) : undefined
    const { only, port = only.length === 1 ? 0 : undefined } = options
    if (port === 0) return 0 // Of several, each takes a free one.
    return name === 'gateway' || only.length === 1 ? (port ?? DEFAULT_PORTS[name]) : DEFAULT_PORTS[name]
  }
  const loaded = await Promise.all(
    ORDER.filter((name) => wanted.includes(name)).map(async (name) => ({ name, service: await LOADERS[name]() })),
  )
  const startOne = async ({ name, service }: (typeof loaded)[number]): Promise<readonly [ServiceName, RunningService]> => {
    const port = portOf(name)
    return [name, await service.start(platform, { host: options.host, ...(port === undefined ? {} : { port }) })]
  }
  const enter = async (some: typeof loaded): Promise<void> => {
    const outcomes = await Promise.allSettled(some.map(startOne))
    // What started is entered even when another failed, so that the platform can close it.
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') services.set(...outcome.value)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  await enter(loaded.filter(({ name }) => name !== 'gateway'))
  await enter(loaded.filter(({ name }) => name === 'gateway'))
}
