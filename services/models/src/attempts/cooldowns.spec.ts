import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type CooldownStore, ENDED } from '@baton/store'
import { quietTelemetry } from './attempts.fixture.ts'
import { Conditions } from './conditions.ts'
import { type Cooldowns, shareCooldowns } from './cooldowns.ts'

/** Rests of all replicas, without a database. */
const memoryCooldowns = (): CooldownStore => {
  const rows = new Map<string, { untilMs: number; reason: string; by: string }>()
  const leftMs = (untilMs: number): number => Math.ceil(untilMs - performance.now())
  return {
    rest: ({ key, restMs, reason, by }) =>
      Promise.resolve(void rows.set(key, { untilMs: Math.max(rows.get(key)?.untilMs ?? 0, performance.now() + restMs), reason, by })),
    end: ({ key, by, noticeMs }) => Promise.resolve(void rows.set(key, { untilMs: performance.now() + noticeMs, reason: ENDED, by })),
    list: () =>
      Promise.resolve(
        [...rows].map(([key, { untilMs, ...row }]) => ({ key, leftMs: leftMs(untilMs), ...row })).filter((row) => row.leftMs > 0),
      ),
  }
}

const open: Cooldowns[] = []
const replica = (store: CooldownStore, holder: string): { readonly conditions: Conditions; readonly cooldowns: Cooldowns } => {
  const clockMs = (): number => performance.now()
  const cooldowns = shareCooldowns({ conditions: () => conditions, store, logger: quietTelemetry.logger, holder, clockMs })
  const conditions: Conditions = new Conditions({ metrics: quietTelemetry.metrics, clockMs, random: () => 0, tell: cooldowns.tell })
  open.push(cooldowns)
  return { conditions, cooldowns }
}
const stateOf = ({ conditions }: ReturnType<typeof replica>): string | undefined => conditions.list()[0]?.state
const READ_MS = 700

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

describe('rests of other replicas (B6)', () => {
  it('S1: what opens on one is left alone by the other, and tried again by both when a person ends the rest', async () => {
    const store = memoryCooldowns()
    const [one, other] = [replica(store, 'one'), replica(store, 'other')]
    one.conditions.rest('large', 60_000)
    one.cooldowns.tell({ key: 'large', restMs: 60_000, code: 'model.unavailable' })
    other.cooldowns.called()
    await sleep(READ_MS)
    expect([stateOf(one), stateOf(other)]).toEqual(['open', 'open'])
    await one.cooldowns.end(['large'])
    await sleep(READ_MS)
    expect([stateOf(one), stateOf(other)]).toEqual(['half_open', 'half_open'])
  })

  it('S3: what fails after it was tried again stays left alone, though the end of the rest can still be read', async () => {
    const store = memoryCooldowns()
    const one = replica(store, 'one')
    one.conditions.rest('large', 60_000)
    one.cooldowns.called()
    await one.cooldowns.end(['large'])
    one.conditions.rest('large', 60_000)
    await sleep(READ_MS)
    expect(stateOf(one)).toBe('open')
  })
})
