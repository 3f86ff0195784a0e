// Events that came with a key find the run that waits for it (A10).
//   V3. An event goes to the one that has waited longest; when nobody waits yet it is kept, and looked after until somebody does.
//   V5. Data that the step which waits for it does not take is not told to the run: who sends it is refused, and what was kept is dropped and logged.
//   V4. It is on the log of one run, however often it has to be told: the engine knows it by its id.
import { randomUUID } from 'node:crypto'
import { Fault, isJsonObject, toFault, TOPICS } from '@baton/contracts'
import { TENANT_HEADER, type Platform } from '@baton/service'
import type { InboxEvent } from '@baton/store'
import { changeRecord } from '../runs/control-records.ts'

/** How long an event is kept for a run that does not wait for it yet. */
const EVENT_KEEP_MS = 86_400_000
/** Pause before an event is looked after again; it grows with every time, up to twenty times this. */
const PAUSE_MS = 1_000
const LOOK_MS = 1_000
const EVENTS_AT_ONCE = 50
const LOOKS_PER_SWEEP = 600

type Needs = Pick<Platform, 'bus' | 'stores' | 'call' | 'telemetry'>
type Sent = Omit<InboxEvent, 'eventId' | 'run'> & { readonly id?: string }

export type EventDelivery = {
  /** Keeps an event, and tells it to the run that waits for it if there is one. */
  send(event: Sent): Promise<{ readonly eventId: string; readonly runId: string | null }>
  start(): void
  close(): Promise<void>
}

/** Throws `input.invalid` for data that the run does not wait for (event-check.ts). */
type Check = (run: NonNullable<InboxEvent['run']>, event: InboxEvent) => Promise<void>

/** The run that has waited longest for an event; undefined while none does. */
const waitingRun = async (call: Platform['call'], { tenant, event, key }: InboxEvent): Promise<InboxEvent['run']> => {
  const path = `/v1/event-waits?event=${encodeURIComponent(event)}&key=${encodeURIComponent(key)}`
  const { status, body } = await call({ service: 'tracing', method: 'GET', path, headers: { [TENANT_HEADER]: tenant } })
  if (status !== 200) throw new Fault('bus.unavailable', `tracing answers ${status}: nobody knows who waits for ${event}`)
  const reply: unknown = JSON.parse(body)
  const [first] = isJsonObject(reply) && Array.isArray(reply['items']) ? reply['items'] : []
  if (!isJsonObject(first)) return undefined
  const { runId, rootRunId } = first
  return typeof runId === 'string' && typeof rootRunId === 'string' ? { runId, rootRunId } : undefined
}

/** Puts an event on the log of its run. The run's id, or undefined while nobody waits for it. V3, V4. */
const deliver = async ({ bus, stores, call }: Needs, event: InboxEvent, check: Check): Promise<string | undefined> => {
  const { eventInbox } = stores
  const run = event.run ?? (await waitingRun(call, event))
  const { tenant, eventId, data, by, key } = event
  if (run !== undefined && event.run === undefined) await refused(stores, event, check(run, event))
  if (run === undefined || (event.run === undefined && !(await eventInbox.found({ tenant, eventId, run })))) return undefined
  const message = { runId: run.runId, eventId, event: event.event, data, key, ...(by === undefined ? {} : { by }) }
  const partitions = bus.partitions(TOPICS.events)
  await bus.publish([changeRecord(run, { name: 'run.event', data: message, tenant, cause: `event/${eventId}`, partitions })])
  await eventInbox.delivered({ tenant, eventId })
  return run.runId
}

/** What is refused is looked after no more (V5). */
const refused = async ({ eventInbox }: Needs['stores'], { tenant, eventId }: InboxEvent, checked: Promise<void>): Promise<void> => {
  try {
    await checked
  } catch (error) {
    if (isRefusal(error)) await eventInbox.delivered({ tenant, eventId })
    throw error
  }
}

const isRefusal = (error: unknown): boolean => toFault(error).code === 'input.invalid'

/** Looks after the events of this installation once started. */
export const createEventDelivery = (platform: Needs, check: Check): EventDelivery => {
  const { eventInbox } = platform.stores
  const { logger } = platform.telemetry
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined
  let looks = 0

  const look = async (): Promise<void> => {
    looks += 1
    if (looks % LOOKS_PER_SWEEP === 0) await eventInbox.sweep()
    for (const event of await eventInbox.claim({ limit: EVENTS_AT_ONCE, pauseMs: PAUSE_MS })) {
      if (stop.signal.aborted) return
      await deliver(platform, event, check).catch((error: unknown) => {
        if (!isRefusal(error)) throw error
        logger.error({ eventId: event.eventId, event: event.event, reason: toFault(error).message }, 'event dropped') // V5
      })
    }
  }

  const nudge = (): void => {
    if (stop.signal.aborted) return
    looking ??= look()
      .catch((error: unknown) => logger.warn({ reason: toFault(error).message }, 'events with a key are left for later'))
      .finally(() => {
        looking = undefined
      })
  }

  return {
    send: async ({ id = randomUUID(), ...event }) => {
      const { tenant } = event
      const kept = await eventInbox.put({ ...event, eventId: id, keepMs: EVENT_KEEP_MS })
      if (kept.runId !== undefined) return { eventId: id, runId: kept.runId }
      const [claimed] = await eventInbox.claim({ limit: 1, pauseMs: PAUSE_MS, only: { tenant, eventId: id } })
      const runId =
        claimed === undefined
          ? undefined
          : await deliver(platform, claimed, check).catch((error: unknown) => {
              if (isRefusal(error)) throw error // V5
              return undefined
            })
      return { eventId: id, runId: runId ?? null }
    },
    start: () => {
      timer = setInterval(nudge, LOOK_MS).unref()
    },
    close: async () => {
      stop.abort()
      clearInterval(timer)
      await looking
    },
  }
}
