// How one service asks another over HTTP: through the network, or in the same process without a socket.
import { Fault, toFault } from '@baton/contracts'
import type { RunningService, ServiceCall } from './platform.ts'

/** Calls over the network. A service that does not answer in `timeoutMs` is `bus.unavailable`. */
export const httpServiceCall =
  ({ urls, timeoutMs = 30_000 }: { urls: Readonly<Record<string, string>>; timeoutMs?: number }): ServiceCall =>
  async ({ service, method, path, body, headers }) => {
    const base = urls[service]
    if (base === undefined) throw new Fault('config.invalid', `no URL is configured for ${service}`, { service })
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(timeoutMs),
      })
      return { status: response.status, body: await response.text(), contentType: response.headers.get('content-type') ?? '' }
    } catch (error) {
      throw new Fault('bus.unavailable', `${service} does not answer: ${toFault(error).message}`, { service }, { cause: error })
    }
  }

/** Calls within the process. `services` may be filled after the Platform was made: services start one after the other. */
export const inProcessServiceCall =
  (services: ReadonlyMap<string, RunningService>): ServiceCall =>
  async ({ service, ...request }) => {
    const running = services.get(service)
    if (running === undefined) throw new Fault('bus.unavailable', `${service} does not run in this process`, { service })
    return running.inject(request)
  }
