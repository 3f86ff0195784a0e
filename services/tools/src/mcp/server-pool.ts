// The connections to one server, for one principal: opened when somebody needs one, watched, opened again, closed when idle.
//   L1. A connection that ended is opened again by the next call, after the rest that its failures earned (S1, S2).
//   L2. A call that cannot begin says so at once with `tool.unreachable`, and certainly had no effect.
//   L3. A connection that nobody used for `idleMs` is closed; what is under way is never closed by that.
//   L4. A connection is looked at before it is used: what it offers may not be what was accepted.
//   L5. After `close` nothing is opened, and what is open is closed when its calls have ended or the grace is over.
//   L6. A connection whose session is gone, or that answers nothing at all after a call took too long, is ended and opened again.
import { setTimeout as sleep } from 'node:timers/promises'
import type { PriorDiscovery } from '@modelcontextprotocol/client'
import { Fault } from '@baton/contracts'
import type { Logger } from '@baton/telemetry'
import { openConnection, verdictOf, type Connection } from './connection.adapter.ts'
import { failureOf, isSessionGone, isTimeout, textOf, toldReason } from './mcp-fault.policy.ts'
import type { McpAuth, McpServer } from './mcp-config.ts'
import { afterFailure, beforeStart, HEALTHY, type Health } from './restart.policy.ts'

const WAITING_MAX = 1_000
/** Time of an answer that costs a server nothing. */
const PING_MS = 3_000

type Slot = { readonly connection: Connection; inFlight: number; idleTimer: NodeJS.Timeout | undefined }
export type PoolOptions = {
  readonly server: McpServer
  readonly auth: McpAuth | undefined
  readonly logger: Logger
  readonly nowMs: () => number
  readonly listChanged: () => void
  /** A new connection: the server may be another version of itself. Looked at before anybody uses it; throwing closes it. */
  readonly opened: (connection: Connection) => Promise<void>
}

export type ServerPool = {
  /** Does something with a connection. Throws `tool.unreachable` where there is none. */
  readonly use: <T>(work: (connection: Connection) => Promise<T>, signal?: AbortSignal) => Promise<T>
  /** A call went well: earlier failures are forgiven. */
  readonly succeeded: () => void
  readonly health: () => Health & { readonly open: number; readonly inFlight: number }
  readonly pids: () => readonly number[]
  readonly close: (graceMs: number) => Promise<void>
}

class Pool implements ServerPool {
  readonly #options: PoolOptions
  readonly #slots = new Set<Slot>()
  readonly #waiting: (() => void)[] = []
  #opening: Promise<void> | undefined
  #health: Health = HEALTHY
  #prior: PriorDiscovery | undefined
  #closing = false

  constructor(options: PoolOptions) {
    this.#options = options
    const { protocol, reach } = options.server
    if (protocol === 'legacy' || (protocol === undefined && 'stdio' in reach)) this.#prior = { kind: 'legacy' }
  }

  async use<T>(work: (connection: Connection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const slot = await this.#take(signal)
    try {
      return await work(slot.connection)
    } catch (error) {
      await this.#doubt(slot.connection, error)
      throw error
    } finally {
      this.#give(slot)
    }
  }

  succeeded(): void {
    this.#health = HEALTHY
  }

  health(): Health & { open: number; inFlight: number } {
    const inFlight = [...this.#slots].reduce((sum, slot) => sum + slot.inFlight, 0)
    return { ...this.#health, open: this.#slots.size, inFlight }
  }

  pids(): readonly number[] {
    return [...this.#slots].flatMap(({ connection: { pid } }) => (pid === undefined ? [] : [pid]))
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true
    const until = this.#options.nowMs() + graceMs
    while (this.health().inFlight > 0 && this.#options.nowMs() < until) await sleep(20) // L5
    await this.#opening?.catch(() => undefined)
    await Promise.all([...this.#slots].map(({ connection }) => connection.close()))
    this.#slots.clear()
    this.#waiting.splice(0).forEach((wake) => wake())
  }

  /** A place on a connection, as soon as there is one. */
  async #take(signal: AbortSignal | undefined): Promise<Slot> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.#closing) throw this.#unreachable('is being shut down')
      const free = this.#free()
      if (free !== undefined) {
        free.inFlight += 1
        clearTimeout(free.idleTimer)
        return free
      }
      if (this.#slots.size < this.#options.server.connections || this.#opening !== undefined) await this.#open()
      else await this.#queue(signal)
    }
  }

  #free(): Slot | undefined {
    for (const slot of this.#slots) {
      if (!slot.connection.isOpen()) this.#slots.delete(slot)
      else if (slot.inFlight < (slot.connection.alone ? 1 : this.#options.server.inFlightMax)) return slot
    }
    return undefined
  }

  #give(slot: Slot): void {
    slot.inFlight -= 1
    if (slot.inFlight === 0 && slot.connection.isOpen()) {
      slot.idleTimer = setTimeout(() => this.#rest(slot), this.#options.server.idleMs) // L3
      slot.idleTimer.unref()
    }
    this.#waiting.shift()?.()
  }

  #rest(slot: Slot): void {
    if (slot.inFlight > 0) return
    this.#slots.delete(slot)
    void slot.connection.close()
  }

  async #queue(signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX)
      throw new Fault('tool.rate_limited', `${WAITING_MAX} calls wait for ${this.#options.server.name}`, {
        server: this.#options.server.name,
      })
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Opens one connection; who comes meanwhile waits for the same one. */
  async #open(): Promise<void> {
    this.#opening ??= this.#openOne().finally(() => {
      this.#opening = undefined
    })
    await this.#opening
  }

  async #openOne(): Promise<void> {
    const { server, nowMs, opened } = this.#options
    const { waitMs, refuse } = beforeStart(this.#health, nowMs())
    if (refuse) throw this.#unreachable('ended again and again and rests', { retryAfterMs: waitMs }) // S2
    if (waitMs > 0) await sleep(waitMs)
    try {
      const connection = await this.#connected()
      this.#prior = verdictOf(connection)
      // L4
      await opened(connection).catch(async (error: unknown) => {
        await connection.close()
        throw error
      })
      this.#slots.add({ connection, inFlight: 0, idleTimer: undefined })
    } catch (error) {
      if (error instanceof Fault && error.code === 'config.invalid') throw error
      if (this.#prior?.kind === 'modern') this.#prior = undefined // it may have become another one
      const { fault } = failureOf(error, { tool: server.name, server: server.name, secrets: [] })
      this.#failed(fault.message)
      throw fault.code === 'tool.denied' ? fault : this.#unreachable(`cannot be reached: ${toldReason(textOf(error))}`)
    }
  }

  /** A connection with the capabilities that the era of the server allows. */
  async #connected(): Promise<Connection> {
    const { server, auth, listChanged } = this.#options
    const open = (): Promise<Connection> =>
      openConnection({ server, auth, prior: this.#prior, closed: (connection, why) => this.#ended(connection, why), listChanged })
    const known = this.#prior !== undefined
    let connection: Connection
    try {
      connection = await open()
    } catch (error) {
      // A server of the old era may end when it is asked for its era.
      if (known || server.protocol === 'modern' || 'http' in server.reach) throw error
      this.#prior = { kind: 'legacy' }
      return open()
    }
    if (known || connection.era === 'legacy' || connection.asks || server.elicitation === false) return connection
    this.#prior = verdictOf(connection)
    await connection.close()
    return open()
  }

  /** After an error that may be the connection's own: one whose session is gone, or that answers nothing any more, is ended (L6). */
  async #doubt(connection: Connection, error: unknown): Promise<void> {
    if (!connection.isOpen()) return
    if (isSessionGone(error)) await connection.end('the session is gone')
    else if (isTimeout(error)) void connection.ping(PING_MS).catch(() => connection.end('answers nothing any more'))
  }

  #ended(connection: Connection, why: string): void {
    // One that ended before it was open is told by who opened it.
    for (const slot of this.#slots) {
      if (slot.connection !== connection) continue
      this.#slots.delete(slot)
      if (!this.#closing) this.#failed(why)
    }
    this.#waiting.splice(0).forEach((wake) => wake())
  }

  #failed(why: string): void {
    const { server, logger, nowMs } = this.#options
    this.#health = afterFailure(this.#health, nowMs(), Math.random()) // L1
    logger.warn({ server: server.name, why: toldReason(why), failures: this.#health.failures }, 'an MCP server ended')
  }

  #unreachable(why: string, detail: { readonly [key: string]: number } = {}): Fault {
    const { name } = this.#options.server
    return new Fault('tool.unreachable', `the server ${name} ${why}`, { server: name, ...detail }) // L2
  }
}

/** The connections to a server. */
export const createServerPool = (options: PoolOptions): ServerPool => new Pool(options)
