// What is kept of users and sessions, over HTTP: to read it, to correct it, to take it away.
//   C1. Whoever reads it sees where each thing comes from and who said it.
//   C2. Erasing a user (H7) is one request, says what it removed, and is final for all that was learned before.
import { Controller, Delete, Get, Headers, HttpCode, Inject, Param, Put } from '@nestjs/common'
import { z } from 'zod'
import { Fault, type Json } from '@baton/contracts'
import { PLATFORM, TENANT_HEADER, tenantOf, ValidBody, ValidQuery, type Platform } from '@baton/service'
import type { Memory, SessionEntry, SessionTurn } from '@baton/store'

const USER_HEADER = 'x-baton-user'
const ITEMS_MAX = 1_000
const Kind = z.enum(['profile', 'preference', 'fact'])
const ListQuery = z.object({ kind: Kind.optional(), limit: z.coerce.number().int().min(1).max(ITEMS_MAX).default(200) })
const TurnsQuery = z.object({ limit: z.coerce.number().int().min(1).max(ITEMS_MAX).default(200) })
const small = (value: Json): boolean => JSON.stringify(value).length <= 16_000
const Value = z.custom<Json>((value) => value !== undefined && small(value as Json), 'a JSON value of at most 16,000 characters') // a body is JSON
const MemoryBody = z.strictObject({
  kind: Kind.default('fact'),
  key: z.string().min(1).max(200).optional(),
  value: Value,
  source: z.string().min(1).max(300).default('api'),
  expiresAtMs: z.number().int().positive().nullable().default(null),
})
const StateBody = z.strictObject({ value: Value, version: z.number().int().nonnegative().optional() })

const named = (name: string, value: string): string => {
  if (!/^[\x20-\x7e\u00a0-\uffff]{1,256}$/.test(value))
    throw new Fault('request.malformed', `${name}: 1 to 256 characters`, { field: name })
  return value
}
const personOf = (user: string | undefined): string => `person:${(user ?? 'api').slice(0, 200)}`

@Controller('v1/memory')
export class MemoryController {
  readonly #platform: Pick<Platform, 'stores' | 'nowMs'>

  constructor(@Inject(PLATFORM) platform: Platform) {
    this.#platform = platform
  }

  @Get('users/:user')
  async list(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('user') user: string,
    @ValidQuery(ListQuery) { kind, limit }: z.infer<typeof ListQuery>,
  ): Promise<{ items: readonly Memory[] }> {
    const { stores, nowMs } = this.#platform
    const of = { tenant: tenantOf(tenant), userId: named('user', user), nowMs: nowMs(), limit }
    return { items: await stores.memories.list({ ...of, ...(kind === undefined ? {} : { kind }) }) } // C1
  }

  @Put('users/:user/:id')
  async put(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Headers(USER_HEADER) person: string | undefined,
    @Param('user') user: string,
    @Param('id') id: string,
    @ValidBody(MemoryBody) { key, ...body }: z.infer<typeof MemoryBody>,
  ): Promise<Memory> {
    const { stores, nowMs } = this.#platform
    const memory: Memory = { id: named('id', id), key: key ?? id, ...body, by: personOf(person), runId: null, atMs: nowMs() }
    const kept = await stores.memories.put({ tenant: tenantOf(tenant), userId: named('user', user), ...memory })
    if (!kept) throw new Fault('request.conflicting', 'Something newer is known, or the user was erased since.', { id })
    return memory
  }

  @Delete('users/:user/:id')
  @HttpCode(200)
  async forget(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('user') user: string,
    @Param('id') id: string,
  ): Promise<{ forgotten: boolean }> {
    const forgotten = await this.#platform.stores.memories.forget({ tenant: tenantOf(tenant), userId: named('user', user), id })
    return { forgotten }
  }

  /** C2 */
  @Delete('users/:user')
  @HttpCode(200)
  async erase(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Headers(USER_HEADER) person: string | undefined,
    @Param('user') user: string,
  ): Promise<{ memories: number; turns: number; state: number }> {
    const { stores, nowMs } = this.#platform
    return stores.memories.erase({ tenant: tenantOf(tenant), userId: named('user', user), by: personOf(person), atMs: nowMs() })
  }

  @Get('sessions/:session')
  async session(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('session') session: string,
    @ValidQuery(TurnsQuery) { limit }: z.infer<typeof TurnsQuery>,
  ): Promise<{ turns: readonly SessionTurn[]; state: readonly SessionEntry[] }> {
    const of = { tenant: tenantOf(tenant), session: named('session', session) }
    const { sessions } = this.#platform.stores
    const [turns, state] = await Promise.all([sessions.history({ ...of, limit }), sessions.state(of)])
    return { turns, state }
  }

  @Put('sessions/:session/state/:key')
  async setState(
    @Headers(TENANT_HEADER) tenant: string | undefined,
    @Param('session') session: string,
    @Param('key') key: string,
    @ValidBody(StateBody) { value, version }: z.infer<typeof StateBody>,
  ): Promise<{ set: true }> {
    const { stores, nowMs } = this.#platform
    const entry = {
      tenant: tenantOf(tenant),
      session: named('session', session),
      key: named('key', key),
      value,
      runId: 'api',
      atMs: nowMs(),
    }
    if (!(await stores.sessions.set({ ...entry, ...(version === undefined ? {} : { version }) })))
      throw new Fault('request.conflicting', `${key} has another version by now; read it again.`, { key })
    return { set: true }
  }

  @Delete('sessions/:session')
  @HttpCode(200)
  async forgetSession(@Headers(TENANT_HEADER) tenant: string | undefined, @Param('session') session: string): Promise<{ turns: number }> {
    return { turns: await this.#platform.stores.sessions.forget({ tenant: tenantOf(tenant), session: named('session', session) }) }
  }
}
