// Schedules: each due time starts one run, however many gateways there are.
//   C1. A due time is claimed in the database, started, and only then passed: who dies in between leaves it to the next, and the name of the
//       request, made of the due time, makes the repeat the same run (L6).
//   C2. What was missed while nobody was there is made up for once, for its latest due time, unless that is too long ago.
//   C3. A schedule whose input does not fit goes on with its next due time and says why; a dependency that is down is waited for.
import { isRetryable, toFault } from '@baton/contracts'
import type { Platform } from '@baton/service'
import { latestDueMs, nextDueMs } from './due-time.ts'
import type { StartRun } from './start-run.ts'
import type { Known, TriggerBook } from './trigger-book.ts'
import { errorText } from './trigger-notes.ts'
import type { ScheduleTrigger } from './trigger.ts'

const LEASE_MS = 10_000
/** How long after somebody else's claim, or a failure, it is looked at again. */
const AGAIN_MS = 1_000
const SLEEP_MS_MAX = 30_000
/** A due time that is late by less was not missed. */
const LATE_MS = 60_000
/** Missed due times that are older are not made up for. */
const CATCH_UP_MS = 86_400_000

export type SchedulerDeps = {
  readonly platform: Pick<Platform, 'stores' | 'nowMs' | 'telemetry' | 'config'>
  readonly book: TriggerBook
  readonly startRun: StartRun
  /** Rows changed. */
  readonly onMoved: () => Promise<void>
}

export class Scheduler {
  readonly #deps: SchedulerDeps
  readonly #notBefore = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(deps: SchedulerDeps) {
    this.#deps = deps
  }

  /** Works out the first due times that nobody has worked out; whether there were any. */
  async begin(): Promise<boolean> {
    const { stores, nowMs } = this.#deps.platform
    const fresh = this.#schedules().flatMap(({ trigger, row }) => {
      const first = row.nextDueMs === null ? nextDueMs(trigger.spec, nowMs()) : undefined
      return first === undefined ? [] : [{ id: trigger.id, nextDueMs: first }]
    })
    for (const due of fresh) await stores.triggers.schedule(due)
    return fresh.length > 0
  }

  /** Looks when the next one is due; called whenever the book changed. */
  arm(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const next = Math.min(Infinity, ...this.#schedules().map((known) => this.#dueMs(known)))
    const waitMs = Math.min(SLEEP_MS_MAX, Math.max(0, next - this.#deps.platform.nowMs()))
    this.#timer = setTimeout(() => this.#wake(), waitMs).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #schedules(): readonly Known<ScheduleTrigger>[] {
    return this.#deps.book.known.flatMap((known) => {
      const { trigger, row } = known
      return trigger.kind === 'schedule' && !row.paused ? [{ trigger, row }] : []
    })
  }

  /** When something has to be done for it. */
  #dueMs({ trigger, row }: Known<ScheduleTrigger>): number {
    return Math.max(row.nextDueMs ?? Infinity, this.#notBefore.get(trigger.id) ?? 0)
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      this.arm()
    })
  }

  async #run(): Promise<void> {
    const { platform, onMoved } = this.#deps
    const due = this.#schedules().filter((known) => this.#dueMs(known) <= platform.nowMs())
    for (const { trigger } of due) this.#notBefore.set(trigger.id, platform.nowMs() + AGAIN_MS)
    const outcomes = await Promise.allSettled(due.map((known) => this.#tick(known)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') this.#warn(outcome.reason)
    if (due.length > 0) await onMoved().catch((error: unknown) => this.#warn(error))
    for (const { trigger, row } of due)
      if (this.#deps.book.get(trigger.id)?.row.nextDueMs !== row.nextDueMs) this.#notBefore.delete(trigger.id)
  }

  #warn(error: unknown): void {
    const { code, message } = toFault(error)
    this.#deps.platform.telemetry.logger.warn({ code, reason: message }, 'a schedule waits')
  }

  async #tick({ trigger, row }: Known<ScheduleTrigger>): Promise<void> {
    const { stores, nowMs } = this.#deps.platform
    const { id, spec, planHash } = trigger
    const now = nowMs()
    if (row.nextDueMs === null) return
    const dueMs = row.nextDueMs
    if (!(await stores.triggers.claim({ id, planHash, dueMs, leaseMs: LEASE_MS }))) return // C1
    const latest = latestDueMs(spec, { dueMs, nowMs: now }) // C2
    const last =
      now - latest > Math.max(LATE_MS, this.#deps.platform.config.catchUpMs ?? CATCH_UP_MS) ? {} : await this.#start(trigger, latest)
    await stores.triggers.advance({ id, dueMs, nextDueMs: nextDueMs(spec, latest) ?? null, ...last }) // C1
  }

  async #start(trigger: ScheduleTrigger, dueMs: number): Promise<{ readonly lastRunId: string } | { readonly lastError: string }> {
    const time = new Date(dueMs).toISOString()
    const event = { time, zone: trigger.spec.zone }
    try {
      const { runId } = await this.#deps.startRun(trigger, {
        input: trigger.spec.input === undefined ? {} : trigger.program.input(event),
        tenant: trigger.tenant,
        requestId: `schedule/${trigger.flow}/${trigger.id}/${time}`,
        atMs: this.#deps.platform.nowMs(),
      })
      return { lastRunId: runId }
    } catch (error) {
      const fault = toFault(error)
      if (isRetryable(fault.code)) throw fault // C3
      const { logger, metrics } = this.#deps.platform.telemetry
      logger.warn({ flow: trigger.flow, due: time, code: fault.code, reason: fault.message }, 'a schedule started no run')
      metrics.count('baton_triggers_total', { kind: 'schedule', outcome: 'rejected' })
      return { lastError: errorText(fault) }
    }
  }
}
