import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { OutgoingRecord } from '@baton/bus/bus'
import { decodeEvent } from '@baton/contracts'
import { type Database, migrate, openPglite } from '@baton/store'
import type { Telemetry } from '@baton/telemetry'
import { createSameness, samenessMigrations } from './sameness.ts'

/** A database in this process, on a busy machine. */
const OPEN_MS = 60_000
const about = { name: 'large', server: 'openai', model: 'gpt-4o' }

describe('what answers is watched (B19)', () => {
  let db: Database
  beforeAll(async () => {
    db = await openPglite({})
    await migrate(db, { scope: 'models', migrations: samenessMigrations })
  }, OPEN_MS)
  afterAll(() => db.close())

  const told: OutgoingRecord[] = []
  const counted: string[] = []
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent }
  const telemetry: Telemetry = {
    logger: silent,
    metrics: { count: (name) => void counted.push(name), gauge: () => undefined, observe: () => undefined, render: async () => '' },
    close: async () => undefined,
  }
  const bus = {
    publish: async (records: readonly OutgoingRecord[]) => {
      told.push(...records)
      return []
    },
  }
  const watcher = () => createSameness({ db, bus, telemetry, nowMs: () => 1 })
  /** One query after what was begun is behind all of it: the database has one connection. */
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await db.query('select 1')
  }

  it('N1, N2: tells a change once, whoever sees it and however often', async () => {
    const [monday, other] = [watcher(), watcher()]
    monday(about, 'gpt-4o-2024-08-06 fp_1')
    await settled()
    expect(told).toHaveLength(0)
    const tuesday = watcher()
    for (const seen of [tuesday, other, tuesday, other]) seen(about, 'gpt-4o-2024-08-06 fp_2')
    await settled()
    expect(told.map((record) => decodeEvent(record).data)).toEqual([
      { model: 'large', server: 'openai', asked: 'gpt-4o', before: 'gpt-4o-2024-08-06 fp_1', after: 'gpt-4o-2024-08-06 fp_2', atMs: 1 },
    ])
    expect(counted).toEqual(['baton_model_changed'])
  })

  it('N3: while the database is away nothing is told, and the next answer tries again', async () => {
    let away = true
    const flaky: Database = {
      ...db,
      transaction: (work) => (away ? Promise.reject(new Error('away')) : db.transaction(work)),
    }
    const seen = createSameness({ db: flaky, bus, telemetry, nowMs: () => 1 })
    seen(about, 'gpt-4o-2024-08-06 fp_3')
    await settled()
    expect(told).toHaveLength(1)
    away = false
    seen(about, 'gpt-4o-2024-08-06 fp_3')
    await settled()
    expect(told).toHaveLength(2)
  })

  it('N1: asking for another name is no change', async () => {
    watcher()({ ...about, model: 'gpt-5' }, 'gpt-5-2026-01-01')
    await settled()
    expect(told).toHaveLength(2)
  })
})
