// Conversations are kept as long as runs are.
import type { Platform } from '@baton/service'

const EVERY_MS = 600_000
const BATCH = 5_000
const DAY_MS = 86_400_000
const KEEP_DAYS = 30

/** Removes turns and state that are old, a batch at a time; returns how to end it. */
export const sweepSessions = ({ stores, config, nowMs, telemetry }: Platform): (() => void) => {
  const keepMs = (config.runsKeepDays ?? KEEP_DAYS) * DAY_MS
  const sweep = async (): Promise<void> => {
    while ((await stores.sessions.sweep({ beforeMs: nowMs() - keepMs, limit: BATCH })) >= BATCH);
  }
  const timer = setInterval(() => {
    sweep().catch((error: unknown) =>
      telemetry.logger.warn({ service: 'models', reason: String(error) }, 'old conversations were not removed'),
    )
  }, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
