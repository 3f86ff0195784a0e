// The host of a service: one Nest application with HTTP on Fastify and handlers on lanes.
//
//   startHost({ name, platform, controllers, providers, port })  -> RunningService
//     controllers  classes with HTTP routes and/or lane handlers; from `createWorker` for commands (worker-kit.ts)
//     providers    Nest providers by token; PLATFORM is provided already: constructor(@Inject(PLATFORM) platform: Platform)
//     lanes        { concurrencyMax, pendingMax, retry } of the service's own consumer
//     started      runs when the lanes do (a service that reads a log or a table starts it here)
//     ready        further condition of /readyz; a Fault says why not
//     drain        runs at the end of the drain, after the lanes and before HTTP closes
//   @HandleCommand('model.invoke')  method(record: BusRecord, context: LaneContext): Promise<Settlement | void>   (lane-handlers.ts)
//   @HandleTopic('baton.requests')  the same for a whole topic
//   @ValidBody(schema)              a body checked by a zod schema; faults with `request.malformed` naming the field
//   createWorker({ platform, service: 'models', handlers: { 'model.invoke': workHandler }, keepAnswer: (command, node) => boolean })
//                                   -> a controller for `controllers`; a WorkHandler (worker.ts) returns answered, pending or
//                                      deferred, or throws a Fault; everything else is the kit's (worker-kit.ts)
//   createPlanCache(stores.flows).plan(hash) · resolvePayloads · storeJson · redactJson · readEnvironment · httpServiceCall · inProcessServiceCall
//   A thrown Fault answers HTTP with its problem (RFC 9457), and settles a message by its code.
//
//   H1. Without `port` no socket is opened; `inject` answers all the same.
//   H2. `close` turns readiness off, drains the lanes, then closes HTTP, within the grace time.
//   H3. Every HTTP failure is a problem with a fault code; what nobody foresaw tells nothing of the inside.
import 'reflect-metadata'
import type { DynamicModule, Provider, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { RetryPolicy } from '@baton/bus/bus'
import type { Fault, ServiceName } from '@baton/contracts'
import { HOST, HostController, type HostState } from './host.controller.ts'
import { LaneServer } from './lane-server.ts'
import { ProblemFilter } from './problem.filter.ts'
import type { Platform, RunningService } from './platform.ts'

/** Token of the Platform in every host. */
export const PLATFORM = Symbol('platform')

/** Largest HTTP body where a host names no limit of its own. */
export const HTTP_BODY_BYTES_MAX = 8 * 1024 * 1024

export type HostOptions = {
  readonly name: ServiceName
  readonly platform: Platform
  readonly controllers?: readonly Type[]
  readonly providers?: readonly Provider[]
  readonly imports?: readonly (Type | DynamicModule)[]
  /** Absent: no socket. 0: any free port. */
  readonly port?: number | undefined
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  readonly bodyBytesMax?: number
  readonly lanes?: { readonly concurrencyMax?: number; readonly pendingMax?: number; readonly retry?: RetryPolicy }
  readonly started?: () => Promise<void> | void
  readonly ready?: () => boolean | Fault
  readonly drain?: (options: { graceMs: number }) => Promise<void> | void
}

class HostModule {}

const sleep = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs).unref())

const openApp = async (options: HostOptions, state: HostState, lanes: LaneServer): Promise<NestFastifyApplication> => {
  const { platform } = options
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyBytesMax ?? HTTP_BODY_BYTES_MAX,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
  })
  const module: DynamicModule = {
    module: HostModule,
    imports: [...(options.imports ?? [])],
    controllers: [HostController, ...(options.controllers ?? [])],
    providers: [{ provide: PLATFORM, useValue: platform }, { provide: HOST, useValue: state }, ...(options.providers ?? [])],
  }
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false, abortOnError: false })
  app.useGlobalFilters(new ProblemFilter(platform.telemetry.logger.child({ service: options.name })))
  adapter.getInstance().addHook('onResponse', (_request, reply, done) => {
    platform.telemetry.metrics.count('baton_http_requests_total', {
      service: options.name,
      status: `${Math.floor(reply.statusCode / 100)}xx`,
    })
    platform.telemetry.metrics.observe('baton_http_request_seconds', reply.elapsedTime, { service: options.name })
    done()
  })
  app.connectMicroservice({ strategy: lanes }, { inheritAppConfig: true })
  await app.init()
  await adapter.getInstance().ready()
  return app
}

const injector =
  (app: NestFastifyApplication): RunningService['inject'] =>
  async ({ method, path, body, headers }) => {
    const reply = await app.inject({
      method,
      url: path,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { payload: body }),
    })
    return { status: reply.statusCode, body: reply.body, contentType: String(reply.headers['content-type'] ?? '') }
  }

/** Starts a service. When anything fails on the way, what was started is closed again. */
export const startHost = async (options: HostOptions): Promise<RunningService> => {
  const { name, platform } = options
  const lanes = new LaneServer({ bus: platform.bus, service: name, telemetry: platform.telemetry, nowMs: platform.nowMs, ...options.lanes })
  const state: HostState = { name, accepting: false, ready: () => options.ready?.() ?? true, telemetry: platform.telemetry }
  const app = await openApp(options, state, lanes)
  const close = async ({ graceMs }: { graceMs: number }): Promise<void> => {
    state.accepting = false // H2
    const untilMs = performance.now() + graceMs
    const leftMs = (): number => Math.max(0, untilMs - performance.now())
    await lanes.drain({ graceMs })
    await options.drain?.({ graceMs: leftMs() })
    const closed = app.close()
    await Promise.race([closed, sleep(leftMs())])
    app.getHttpServer().closeAllConnections()
    await closed
  }
  try {
    await app.startAllMicroservices()
    await options.started?.()
    if (options.port !== undefined) await app.listen(options.port, options.host ?? '127.0.0.1') // H1
  } catch (error) {
    await close({ graceMs: 0 })
    throw error
  }
  state.accepting = true
  const url = options.port === undefined ? undefined : await app.getUrl()
  platform.telemetry.logger.info({ service: name, ...(url === undefined ? {} : { url }) }, 'service started')
  return { name, ...(url === undefined ? {} : { url }), inject: injector(app), close }
}
