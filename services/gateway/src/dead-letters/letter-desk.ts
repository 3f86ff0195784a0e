// The dead letters of every service as one gateway knows them, kept up to date.
//   D1. The first letter of a fingerprint is told once in an installation: a line in the log, and a count.
//   D2. Figures by service and code are of open letters; what is gone is zero, not silent.
import { LetterBook, type LetterSummary } from '@baton/bus'
import { deadLetterTopic, SERVICES, toFault, topicManifest, type ServiceName } from '@baton/contracts'
import type { Platform } from '@baton/service'
import { letterId } from './letter-id.ts'

/** How often it looks for letters when nobody asks. */
const LOOK_MS = 15_000
const DAY_MS = 86_400_000

/** A letter of the desk. */
export type DeskLetter = LetterSummary & { readonly service: ServiceName }

export type LetterDesk = {
  readonly book: (service: ServiceName) => LetterBook
  /** After this everything is known that was there when it was called. */
  refresh(services?: readonly ServiceName[]): Promise<void>
  /** What is known, service by service, oldest first. */
  letters(services?: readonly ServiceName[]): Iterable<DeskLetter>
  start(): void
  close(): Promise<void>
}

/** How long dead letters are kept. */
export const LETTER_RETENTION_MS = topicManifest().find(({ name }) => name === deadLetterTopic('gateway'))?.retentionMs ?? 30 * DAY_MS

/** Whole days that a letter is still there. */
export const daysLeft = (deadAtMs: number, nowMs: number): number =>
  Math.max(0, Math.floor((deadAtMs + LETTER_RETENTION_MS - nowMs) / DAY_MS))

export const createLetterDesk = (
  platform: Pick<Platform, 'bus' | 'stores' | 'telemetry' | 'nowMs'>,
  { lookMs = LOOK_MS }: { lookMs?: number } = {},
): LetterDesk => {
  const { bus, telemetry } = platform
  /** The newest letter of each kind that was not told about yet. */
  const met = new Map<string, DeskLetter>()
  const books = new Map(
    SERVICES.map((service) => [
      service,
      new LetterBook({ bus, topic: deadLetterTopic(service), onLetter: (letter) => met.set(letter.fingerprint, { ...letter, service }) }),
    ]),
  )
  const book = (service: ServiceName): LetterBook => {
    const found = books.get(service)
    if (found === undefined) throw new Error(`there is no book of ${service}`)
    return found
  }
  function* letters(services: readonly ServiceName[] = SERVICES): Generator<DeskLetter> {
    for (const service of services) for (const letter of book(service).letters()) yield { ...letter, service }
  }
  const refresh: LetterDesk['refresh'] = async (services = SERVICES) => {
    await Promise.all(services.map((service) => book(service).refresh()))
  }

  let looking: NodeJS.Timeout | undefined
  let busy: Promise<void> | undefined
  let away = false
  let closed = false
  const look = (): void => {
    busy ??= refresh()
      .then(() => tellOf(platform, met))
      .then(
        () => {
          away = false
        },
        (error: unknown) => {
          if (!away) telemetry.logger.warn({ reason: toFault(error).message }, 'dead letters cannot be looked at')
          away = true
        },
      )
      .finally(() => {
        busy = undefined
      })
  }
  const report = reportOf(telemetry.metrics, letters, platform.nowMs)
  telemetry.metrics.beforeRender?.(() => {
    if (!closed) report()
  })

  return {
    book,
    refresh,
    letters,
    start: () => {
      look()
      looking = setInterval(look, lookMs).unref()
    },
    close: async () => {
      closed = true
      clearInterval(looking)
      await busy
    },
  }
}

/** D1. What cannot be written down now is told later. */
const tellOf = async ({ stores, telemetry }: Pick<Platform, 'stores' | 'telemetry'>, met: Map<string, DeskLetter>): Promise<void> => {
  for (const [fingerprint, letter] of met) {
    const { service, code, deadAtMs, originTopic: topic, tenant } = letter
    if (await stores.deadLetters.meet({ fingerprint, service, code, atMs: deadAtMs })) {
      telemetry.metrics.count('baton_dead_letter_kinds_total', { service, code })
      telemetry.logger.warn({ fingerprint, service, code, tenant, topic, letter: letterId(letter) }, 'first dead letter of a kind')
    }
    if (met.get(fingerprint) === letter) met.delete(fingerprint)
  }
}

/** D2. */
const reportOf = (metrics: Platform['telemetry']['metrics'], letters: () => Iterable<DeskLetter>, nowMs: () => number): (() => void) => {
  const known = new Map<string, { readonly service: string; readonly code: string }>()
  return () => {
    const counts = new Map<string, number>()
    const oldest = new Map<string, number>(SERVICES.map((service) => [service, Infinity]))
    for (const { service, code, state, deadAtMs } of letters()) {
      if (state !== 'open') continue
      const key = `${service} ${code}`
      known.set(key, { service, code })
      counts.set(key, (counts.get(key) ?? 0) + 1)
      oldest.set(service, Math.min(oldest.get(service) ?? Infinity, deadAtMs))
    }
    for (const [key, labels] of known) metrics.gauge('baton_dead_letters', counts.get(key) ?? 0, labels)
    for (const [service, atMs] of oldest)
      metrics.gauge('baton_dead_letters_oldest_seconds', atMs === Infinity ? 0 : Math.max(0, nowMs() - atMs) / 1_000, { service })
  }
}
