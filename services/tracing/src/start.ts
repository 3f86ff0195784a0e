import { startHost, type StartService } from '@baton/service'
import { migrate } from '@baton/store'
import { consumeJournal } from './journal/journal.consumer.ts'
import { EventWaitController } from './read/event-wait.controller.ts'
import { RunController } from './read/run.controller.ts'
import { StatsController } from './read/stats.controller.ts'
import { migrations } from './storage/migrations.ts'
import { ensurePartitions, keepPartitions } from './storage/partitions.ts'

const DAY_MS = 86_400_000
const KEEP_DAYS = 30

/** Starts tracing: keeps what the journal tells of runs and steps, and answers who asks about them. */
export const start: StartService = async (platform, options) => {
  const { bus, db, nowMs, config } = platform
  const logger = platform.telemetry.logger.child({ service: 'tracing' })
  await migrate(db, { scope: 'tracing', migrations })
  await ensurePartitions(db, nowMs())
  const partitions = keepPartitions({ db, nowMs, keepMs: (config.tracesKeepDays ?? KEEP_DAYS) * DAY_MS, logger })
  let journal: Awaited<ReturnType<typeof consumeJournal>> | undefined
  try {
    return await startHost({
      name: 'tracing',
      platform,
      controllers: [RunController, StatsController, EventWaitController],
      started: async () => {
        journal = await consumeJournal({ bus, db, telemetry: { ...platform.telemetry, logger } })
      },
      drain: async ({ graceMs }) => {
        await journal?.close({ graceMs })
        await partitions.stop()
      },
      ...options,
    })
  } catch (error) {
    await partitions.stop()
    throw error
  }
}
