import { Controller, Get, HttpCode, Inject, Post, UseInterceptors, type NestInterceptor } from '@nestjs/common'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { map, EMPTY } from 'rxjs'
import { z } from 'zod'
import type { BusRecord, Settlement } from '@baton/bus/bus'
import { deadLetterTopic, Fault, TOPICS } from '@baton/contracts'
import { PLATFORM, startHost } from './host.ts'
import { HandleTopic } from './lane-handlers.ts'
import type { LaneContext } from './lane-server.ts'
import { openTestPlatform, type TestPlatform } from './platform.fixture.ts'
import type { Platform, RunningService } from './platform.ts'
import { ValidBody } from './valid-body.ts'

const taken: string[] = []
const hooks: string[] = []
let release: () => void = () => undefined
const held = new Promise<void>((resolve) => {
  release = resolve
})

const silence: NestInterceptor = { intercept: () => EMPTY }
const shout: NestInterceptor = { intercept: (_context, next) => next.handle().pipe(map((value: unknown) => value)) }

@Controller('v1')
class Things {
  readonly #platform: Platform

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @Get('embedded')
  embedded(): { embedded: boolean } {
    return { embedded: this.#platform.config.embedded }
  }

  @Post('things')
  @HttpCode(200)
  make(
    @ValidBody(z.looseObject({ name: z.string(), parts: z.array(z.looseObject({ sku: z.string() })).default([]) })) body: { name: string },
  ): { name: string } {
    return { name: body.name }
  }

  @Get('refused')
  refused(): never {
    throw new Fault('flow.unknown', 'no flow a/b is published', { field: 'flow' })
  }

  @Get('broken')
  broken(): never {
    throw new TypeError('connection string postgres://secret')
  }

  @HandleTopic(TOPICS.requests)
  async take(record: BusRecord, { delivery }: LaneContext): Promise<Settlement | void> {
    taken.push(`${record.value.toString()}#${delivery.attempt}`)
    if (record.value.toString() === 'hold') await held
    if (record.value.toString() === 'bad') throw new Fault('request.malformed', 'no')
    if (record.value.toString() === 'again' && delivery.attempt === 1) throw new Error('once')
  }

  @HandleTopic(TOPICS.results)
  @UseInterceptors(silence)
  quiet(): void {
    taken.push('never: the interceptor completed before')
  }

  @HandleTopic(TOPICS.journal)
  @UseInterceptors(shout)
  loud(record: BusRecord): Settlement {
    taken.push(record.value.toString())
    return { outcome: 'ack' }
  }
}

let platform: TestPlatform
let service: RunningService
const publish = (topic: string, value: string, headers: Record<string, string> = {}) =>
  platform.bus.publish([{ topic, key: value, value: Buffer.from(value), headers }])
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}
const get = (path: string) => service.inject({ method: 'GET', path })

beforeAll(async () => {
  platform = await openTestPlatform()
  service = await startHost({
    name: 'gateway',
    platform,
    controllers: [Things],
    started: () => void hooks.push('started'),
    drain: () => void hooks.push('drained'),
  })
})
afterAll(() => platform.close())

describe('host', () => {
  it('H1: answers without a socket', async () => {
    expect(service.url).toBeUndefined()
    expect(await get('/v1/embedded')).toMatchObject({ status: 200, body: '{"embedded":true}' })
    expect(await get('/healthz')).toMatchObject({ status: 200 })
    expect(await get('/readyz')).toMatchObject({ status: 200 })
    expect((await get('/metrics')).body).toContain('baton_http_requests_total')
  })
  it('H3: answers a fault as a problem with its code, status and facts', async () => {
    const { status, contentType, body } = await get('/v1/refused')
    expect({ status, contentType: contentType.split(';')[0] }).toEqual({ status: 404, contentType: 'application/problem+json' })
    expect(JSON.parse(body)).toMatchObject({
      type: 'urn:baton:fault:flow.unknown',
      code: 'flow.unknown',
      status: 404,
      detail: 'no flow a/b is published',
      field: 'flow',
    })
  })
  it('H3: tells nothing of the inside when nobody foresaw the error', async () => {
    const { status, body } = await get('/v1/broken')
    expect(status).toBe(500)
    expect(body).not.toContain('secret')
  })
  it.each([
    ['{"name":1}', 'request.malformed', 'name'],
    ['{"name":"a","parts":[{"sku":1}]}', 'request.malformed', 'parts.0.sku'],
    ['{"name"', 'request.malformed', undefined],
  ])('H3, D1: refuses the body %s and names the field', async (body, code, field) => {
    const reply = await service.inject({ method: 'POST', path: '/v1/things', body })
    expect({ status: reply.status, ...JSON.parse(reply.body) }).toMatchObject({
      status: 400,
      code,
      ...(field === undefined ? {} : { field }),
    })
  })
  it('H3: answers a path that is not there and a body that is too large as problems', async () => {
    expect(JSON.parse((await get('/nothing')).body)).toMatchObject({ code: 'request.not_found' })
    const reply = await service.inject({ method: 'POST', path: '/v1/things', body: JSON.stringify({ name: 'x'.repeat(9 * 1024 * 1024) }) })
    expect(JSON.parse(reply.body)).toMatchObject({ status: 413, code: 'request.too_large' })
  })
})

describe('lane server', () => {
  it('S1: gives a topic to its handler, S2: and acknowledges what returns nothing', async () => {
    await publish(TOPICS.requests, 'one')
    await until(() => taken.includes('one#1'))
    expect(await platform.records(deadLetterTopic('gateway'))).toEqual([])
  })
  it('S2: classifies a thrown fault by its code', async () => {
    await publish(TOPICS.requests, 'bad')
    await publish(TOPICS.requests, 'again')
    await until(async () => (await platform.records(deadLetterTopic('gateway'))).some(({ key }) => key === 'bad'))
    await until(() => taken.includes('again#2'))
    expect(taken.filter((value) => value.startsWith('bad'))).toEqual(['bad#1'])
  })
  it('S2: takes a stream that completes without a value for success', async () => {
    await publish(TOPICS.results, 'quiet')
    await publish(TOPICS.journal, 'loud')
    await until(() => taken.includes('loud'))
    expect((await platform.records(deadLetterTopic('gateway'))).map(({ key }) => key)).not.toContain('quiet')
  })
  it('S3: keeps what nobody takes in the dead letters', async () => {
    const foreign = await openTestPlatform()
    class Nothing {
      never(): void {}
    }
    HandleTopic(TOPICS.requests)(Nothing.prototype, 'never', Object.getOwnPropertyDescriptor(Nothing.prototype, 'never') ?? {})
    Controller()(Nothing)
    let handler: ((record: BusRecord) => Promise<Settlement>) | undefined
    const bus: Platform['bus'] = Object.assign(Object.create(foreign.bus), {
      lanes: (options: Parameters<Platform['bus']['lanes']>[0]) => {
        handler = (record) =>
          options.handler(record, { attempt: 1, lastAttempt: false, nextDelayMs: 0, signal: new AbortController().signal })
        return foreign.bus.lanes(options)
      },
    })
    const host = await startHost({ name: 'tools', platform: { ...foreign, bus }, controllers: [Nothing] })
    const settlement = await handler?.({
      topic: 'baton.other',
      partition: 0,
      offset: 0,
      key: '',
      value: Buffer.from(''),
      headers: {},
      timestampMs: 0,
    })
    expect(settlement).toMatchObject({ outcome: 'reject', fault: { code: 'message.undecodable' } })
    await host.close({ graceMs: 0 })
    await foreign.close()
  })
  it.each([
    'baton_lanes_lag',
    'baton_lanes_retry_depth',
    'baton_lanes_oldest_unprocessed_seconds',
    'baton_lanes_in_flight',
    'baton_lanes_busy',
    'baton_lanes_watermark_gap',
    'baton_lanes_held_bytes',
    'baton_lanes_partitions',
    'baton_lanes_partitions_paused',
    'baton_lanes_ownership_changes',
  ])('S4: shows %s of its group', async (name) => {
    expect((await get('/metrics')).body).toMatch(new RegExp(`^${name}\\{service="gateway",group="[^"]+".*\\} \\d`, 'm'))
  })
  it('S4: counts every message around its handler', async () => {
    expect((await get('/metrics')).body).toMatch(
      /baton_messages_total\{service="gateway",pattern="topic:baton.requests",outcome="reject"\} 1/,
    )
  })
})

describe('close', () => {
  it('H2: turns readiness off, lets what runs finish, then closes', async () => {
    await publish(TOPICS.requests, 'hold')
    await until(() => taken.includes('hold#1'))
    const closing = service.close({ graceMs: 5_000 })
    expect((await get('/readyz')).status).toBe(503)
    expect(hooks).toEqual(['started'])
    release()
    await closing
    expect(hooks).toEqual(['started', 'drained'])
  })
})
