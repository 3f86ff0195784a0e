import { describe, expect, it } from '@jest/globals'
import type { Bus, BusRecord, Delivery, LaneHandler, LanesOptions, LaneStats } from '@baton/bus/bus'
import { Fault } from '@baton/contracts'
import type { Database } from '@baton/store'
import { openTelemetry } from '@baton/telemetry'
import { consumeJournal } from './journal.consumer.ts'
import { recordsOf, runHistory } from './journal.fixture.ts'

/** A bus that only hands out the handler, and a database that is away for the first `awayFor` statements. */
const consumer = async ({ awayFor }: { awayFor: number }) => {
  let statements = 0
  const asked: LanesOptions[] = []
  const lanes: Bus['lanes'] = (options) => {
    asked.push(options)
    return Promise.resolve({ stats: () => NOTHING, close: () => Promise.resolve() })
  }
  const query: Database['query'] = () => {
    statements += 1
    return statements <= awayFor ? Promise.reject(new Fault('store.unavailable', 'away')) : Promise.resolve({ rows: [], rowCount: 0 })
  }
  // Only what the consumer uses of the two ports.
  const [bus, db] = [{ lanes } as unknown as Bus, { query } as unknown as Database]
  await consumeJournal({ bus, db, telemetry: openTelemetry({ service: 'spec', level: 'silent' }) })
  const handler: LaneHandler = asked[0]?.handler ?? (() => Promise.reject(new Error('no consumer was opened')))
  return { handler, options: asked[0], statements: () => statements }
}

const records: readonly BusRecord[] = recordsOf(runHistory('run_1')).map((record) => ({
  ...record,
  partition: 0,
  offset: 0,
  timestampMs: 0,
}))
const NOTHING: LaneStats = {
  inFlight: 0,
  lanes: 0,
  watermarkGap: 0,
  oldestMs: 0,
  oldestAgeMs: 0,
  settled: 0,
  heldBytes: 0,
  retryDepth: {},
  lag: {},
  partitions: 0,
  paused: 0,
  ownershipChanges: 0,
}
const delivery: Delivery = { attempt: 1, lastAttempt: false, nextDelayMs: 0, signal: new AbortController().signal }

describe('consumer of the journal', () => {
  it('C1: messages of one moment are one statement, and acknowledged with it', async () => {
    const { handler, statements } = await consumer({ awayFor: 0 })
    const settled = await Promise.all(records.map((record) => handler(record, delivery)))
    expect(settled.every(({ outcome }) => outcome === 'ack')).toBe(true)
    expect(statements()).toBe(1)
  })

  it('C2: asks for no order', async () => {
    expect((await consumer({ awayFor: 0 })).options?.ordered).toBe(false)
  })

  it('C3: while the database is away messages wait, and are acknowledged once it is back', async () => {
    const { handler, statements } = await consumer({ awayFor: 2 })
    expect(await Promise.all(records.slice(0, 3).map((record) => handler(record, delivery)))).toEqual([
      { outcome: 'ack' },
      { outcome: 'ack' },
      { outcome: 'ack' },
    ])
    expect(statements()).toBe(3)
  })

  it('C4: what is no journal event is refused, a foreign one is passed over', async () => {
    const { handler, statements } = await consumer({ awayFor: 0 })
    const [first] = records
    if (first === undefined) throw new Error('no record')
    expect(await handler({ ...first, value: Buffer.from('{}') }, delivery)).toMatchObject({
      outcome: 'reject',
      fault: { code: 'message.undecodable' },
    })
    expect(await handler({ ...first, headers: { ce_type: 'com.example.other' } }, delivery)).toEqual({ outcome: 'ack' })
    expect(statements()).toBe(0)
  })
})
