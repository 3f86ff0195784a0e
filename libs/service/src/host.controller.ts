import { Controller, Get, Header, HttpCode, HttpException, Inject } from '@nestjs/common'
import { Fault } from '@baton/contracts/fault'
import type { Telemetry } from '@baton/telemetry'

/** Token of the host's state. */
export const HOST = Symbol('host')

/** What health and readiness answer from. `accepting` is off before the start is complete and from the beginning of the drain. */
export type HostState = { readonly name: string; accepting: boolean; readonly ready: () => boolean | Fault; readonly telemetry: Telemetry }

/** The routes that every service has. */
@Controller()
export class HostController {
  readonly #state: HostState

  constructor(@Inject(HOST) state: HostState) {
    this.#state = state
  }

  /** Alive: the process answers. */
  @Get('healthz')
  healthz(): { status: string; service: string } {
    return { status: 'ok', service: this.#state.name }
  }

  /** Ready: started, not draining, and the service's own condition holds. */
  @Get('readyz')
  @HttpCode(200)
  readyz(): { status: string; service: string } {
    const ready = this.#state.accepting && this.#state.ready()
    if (ready instanceof Fault) throw ready
    if (!ready) throw new HttpException({ status: 'unavailable', service: this.#state.name }, 503)
    return { status: 'ready', service: this.#state.name }
  }

  /** Prometheus text. */
  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.#state.telemetry.metrics.render()
  }
}
