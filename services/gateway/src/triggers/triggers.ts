// Everything that starts a flow beside a request, kept in step with what is published.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, toFault } from '@baton/contracts'
import type { Platform } from '@baton/service'
import type { TriggerRow } from '@baton/store'
import type { Intake } from '../intake/intake.ts'
import { Scheduler } from './scheduler.ts'
import { createStartRun, type StartRun } from './start-run.ts'
import { TopicListener, type TopicTriggerDeps } from './topic-trigger.ts'
import { TriggerBook, type HookMatch, type Known } from './trigger-book.ts'
import { createTriggerNotes, type TriggerNotes } from './trigger-notes.ts'
import type { TopicTrigger, Trigger } from './trigger.ts'

/** Everything is read again so often, whatever the configuration topic tells. */
const REFRESH_MS = 15_000
/** What is told one after the other is read together. */
const GATHER_MS = 20
/** How long whoever publishes waits until its triggers listen. */
const SETTLE_MS = 2_000
const GRACE_MS = 5_000

/** A trigger as it is shown. */
export type TriggerView = {
  readonly id: string
  readonly flow: string
  readonly kind: Trigger['kind']
  readonly subject: string
  /** `taken`: its method and path belong to another flow. */
  readonly state: 'active' | 'paused' | 'taken'
  readonly nextDueAt?: string
  readonly lastRunId?: string
  readonly lastRunAt?: string
  readonly lastError?: string
  readonly lastErrorAt?: string
}

const viewOf = ({ id, flow, kind, subject }: Trigger, row: TriggerRow): TriggerView => ({
  id,
  flow,
  kind,
  subject,
  state: row.paused ? 'paused' : 'active',
  ...dated('nextDueAt', row.paused ? null : row.nextDueMs),
  ...(row.lastRunId === null ? {} : { lastRunId: row.lastRunId }),
  ...dated('lastRunAt', row.lastRunAtMs),
  ...(row.lastError === null ? {} : { lastError: row.lastError }),
  ...dated('lastErrorAt', row.lastErrorAtMs),
})

const dated = <Name extends string>(name: Name, ms: number | null): Partial<Record<Name, string>> =>
  // A computed name widens to an index signature; there is this one.
  ms === null ? {} : ({ [name]: new Date(ms).toISOString() } as Record<Name, string>)

export class Triggers {
  readonly startRun: StartRun
  readonly notes: TriggerNotes
  readonly #platform: Platform
  readonly #book: TriggerBook
  readonly #scheduler: Scheduler
  readonly #deps: TopicTriggerDeps
  readonly #listeners = new Map<string, TopicListener>()
  #closing = new Set<Promise<void>>()
  #refreshing: Promise<void> | undefined
  #again: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor({ platform, intake }: { readonly platform: Platform; readonly intake: Intake }) {
    this.#platform = platform
    this.#book = new TriggerBook(platform)
    this.startRun = createStartRun({ intake, telemetry: platform.telemetry })
    this.notes = createTriggerNotes(platform.stores.triggers)
    this.#deps = { platform, book: this.#book, startRun: this.startRun, notes: this.notes }
    this.#scheduler = new Scheduler({ platform, book: this.#book, startRun: this.startRun, onMoved: () => this.refresh() })
  }

  /** Something of a flow or a trigger changed somewhere: read soon. */
  changed(key: string): void {
    if (key.startsWith('flow/') || key.startsWith('trigger/')) this.#refreshIn(GATHER_MS)
  }

  /** Reads everything again; resolves when what is published now is in force here, or after a while. */
  async settle(): Promise<void> {
    await Promise.race([this.#settled(), sleep(SETTLE_MS, undefined, { ref: false })])
  }

  /** One at a time; whoever asks while it runs gets the next one. */
  refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#read().finally(() => {
        this.#refreshing = undefined
      })
      return this.#refreshing
    }
    this.#again ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        this.#again = undefined
        return this.refresh()
      })
    return this.#again
  }

  hook(tenant: string, method: string, path: string): HookMatch | undefined {
    return this.#book.hook(tenant, method, path)
  }

  hasOwn(tenant: string, flow: string): boolean {
    return this.#book.hasOwn(tenant, flow)
  }

  async list(tenant: string): Promise<readonly TriggerView[]> {
    await this.notes.flush()
    await this.refresh()
    const refused = this.#book.refused
      .filter((trigger) => trigger.tenant === tenant)
      .map(({ id, flow, kind, subject }) => ({ id, flow, kind, subject, state: 'taken' as const }))
    const known = this.#book.known.filter(({ trigger }) => trigger.tenant === tenant).map(({ trigger, row }) => viewOf(trigger, row))
    return [...known, ...refused].toSorted((a, b) => `${a.flow} ${a.kind} ${a.subject}`.localeCompare(`${b.flow} ${b.kind} ${b.subject}`))
  }

  /** Throws `request.not_found`. */
  async pause({ id, tenant, paused, by }: { id: string; tenant: string; paused: boolean; by: string }): Promise<TriggerView> {
    const found = await this.#platform.stores.triggers.pause({ id, tenant, paused, by })
    if (!found) throw new Fault('request.not_found', `no trigger ${id}`, { field: 'id' })
    const view = (await this.list(tenant)).find((trigger) => trigger.id === id)
    if (view === undefined) throw new Fault('request.not_found', `no trigger ${id}`, { field: 'id' })
    return view
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#scheduler.close()
    await this.#refreshing?.catch(() => undefined)
    for (const id of this.#listeners.keys()) this.#mute(id)
    await Promise.all(this.#closing)
    await this.notes.flush()
  }

  async #settled(): Promise<void> {
    await this.refresh().catch((error: unknown) => this.#warn(error))
    await Promise.all([...this.#listeners.values()].map(({ looked }) => looked))
  }

  #refreshIn(delayMs: number): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.refresh().catch((error: unknown) => this.#warn(error)), delayMs).unref()
  }

  #warn(error: unknown): void {
    const { code, message } = toFault(error)
    this.#platform.telemetry.logger.warn({ code, reason: message }, 'triggers could not be read')
  }

  async #read(): Promise<void> {
    if (this.#closed) return
    try {
      await this.#book.refresh()
      if (this.#platform.config.triggers === false) return // Paths are served all the same: whoever asks is there.
      if (await this.#scheduler.begin()) await this.#book.refresh()
      this.#listen()
      this.#scheduler.arm()
    } finally {
      this.#refreshIn(REFRESH_MS)
    }
  }

  #listen(): void {
    const wanted = new Map<string, Known<TopicTrigger>>()
    for (const { trigger, row } of this.#book.known) if (trigger.kind === 'topic' && !row.paused) wanted.set(trigger.id, { trigger, row })
    for (const id of this.#listeners.keys()) if (!wanted.has(id)) this.#mute(id)
    if (this.#closed) return
    for (const [id, known] of wanted) if (!this.#listeners.has(id)) this.#listeners.set(id, new TopicListener(this.#deps, known))
  }

  #mute(id: string): void {
    const listener = this.#listeners.get(id)
    this.#listeners.delete(id)
    if (listener === undefined) return
    const closing = listener.close({ graceMs: GRACE_MS }).finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
