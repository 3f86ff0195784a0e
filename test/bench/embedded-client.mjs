// Baton embedded with its client in the same process, as a library's benchmark would be.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPlatform } from 'baton/platform'
import { readEnvironment } from '@baton/service'
import { idleShareOf } from './figures.mjs'
import { openLoad } from './load.mjs'
import { until } from '../proof/system.mjs'

export const runEmbedded = async ({ flowsDir }) => {
  const dir = mkdtempSync(join(tmpdir(), 'baton-bench-'))
  const environment = readEnvironment({
    BATON_DATA_DIR: dir,
    BATON_FLOWS_DIR: flowsDir,
    LOG_LEVEL: 'error',
    BATON_EVENTS_PARTITIONS: '6',
    BATON_KEEP_CONTENT: 'false',
  })
  const opened = await openPlatform({ environment, name: 'bench' })
  await opened.start({ host: '127.0.0.1', sockets: false })
  const { platform } = opened
  const load = await openLoad(platform.bus)
  const traced = async () => {
    const reply = await platform.call({ service: 'tracing', method: 'GET', path: '/v1/stats?flow=bench/five-steps' })
    return JSON.parse(reply.body).items[0]?.completed ?? 0
  }
  const caughtUp = () => until('tracing to catch up', async () => (await traced()) >= load.started, { everyMs: 50 })
  return {
    platform,
    /** A client that plays another job than the five steps. */
    load: (job) => openLoad(platform.bus, job),
    measure: async (count, concurrency) => {
      const before = process.cpuUsage()
      const figures = await load.measure({ count, concurrency, caughtUp })
      const { user, system } = process.cpuUsage(before)
      return { ...figures, cpuMsPerStep: (user + system) / 1_000 / (5 * count) }
    },
    idleShare: () => idleShareOf(() => process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000),
    stop: async () => {
      await load.close()
      await opened.close({ graceMs: 5_000 })
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
