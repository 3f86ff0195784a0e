// What a lane runner does while clocks jump, and while it is not known whether the partitions are still its own.
import { afterEach, describe, expect, it } from '@jest/globals'
import { setImmediate as turn } from 'node:timers/promises'
import type { Settlement } from '../bus.ts'
import { encodeFailure } from './failure-record.ts'
import { ack, deferred, drainAll, eventually, harness, record } from './lane-runner.fixture.ts'

const HOUR_MS = 3_600_000
afterEach(drainAll)

const waiting = (offset: number, notBeforeMs: number) => {
  const origin = { topic: 'commands', partition: 0, offset, timestampMs: offset }
  const { headers } = encodeFailure('retry.short', record(offset), { origin, attempts: 1, stage: 1, notBeforeMs })
  return record(offset, `k${offset}`, { topic: 'retry.short', headers })
}

describe('a lane runner whose partitions are dealt out anew', () => {
  it('lanes/R8: lets what runs end and starts nothing meanwhile, however many wait for it to be quiet', async () => {
    const owner = { known: true }
    const [running, gone] = [deferred<Settlement>(), deferred<void>()]
    const { runner, position } = harness(({ offset }) => (offset === 0 ? running.promise : Promise.resolve(ack)), {
      isOwner: () => owner.known,
    })
    runner.enqueue('commands', 0, [record(0)])
    owner.known = false
    runner.enqueue('commands', 0, [record(1)])
    const quiet = Promise.all([runner.quiet(60_000), runner.quiet(60_000)]).then(() => gone.resolve())
    running.resolve(ack)
    await Promise.all([quiet, gone.promise])
    expect([position(), runner.stats().inFlight]).toEqual([1, 0])
    owner.known = true
    runner.wake()
    await eventually(() => position() === 2)
  })

  it('lanes/R8: waits no longer than it may', async () => {
    const { runner } = harness(() => new Promise(() => {}))
    runner.enqueue('commands', 0, [record(0)])
    await runner.quiet(5)
    expect(runner.stats().inFlight).toBe(1)
  })
})

describe('a lane runner whose host', () => {
  it.each([HOUR_MS, -HOUR_MS])(
    'lanes/R9: has its clock set by %d ms hands out what waits after the time that was asked for',
    async (jump) => {
      const clock = { wall: 1_000_000_000_000 }
      const handled: number[] = []
      const { runner } = harness(
        async ({ offset }) => {
          handled.push(offset)
          return ack
        },
        { nowMs: () => clock.wall, steadyMs: () => performance.now() },
      )
      runner.assign('retry.short', 0, 0)
      runner.enqueue('retry.short', 0, [waiting(0, clock.wall + 20)])
      clock.wall += jump
      runner.enqueue('retry.short', 0, [waiting(1, clock.wall - jump + 20)])
      await eventually(() => handled.length === 2)
      expect(new Set(handled)).toEqual(new Set([0, 1]))
    },
  )

  it('lanes/R8: slept, or is cut off, starts nothing until the partitions are known to be its own, then everything in order', async () => {
    const owner = { known: true }
    const handled: number[] = []
    const { runner, position } = harness(
      async ({ offset }) => {
        handled.push(offset)
        return ack
      },
      { isOwner: () => owner.known },
    )
    runner.enqueue('commands', 0, [record(0, 'k')])
    await eventually(() => position() === 1)
    owner.known = false
    runner.enqueue('commands', 0, [record(1, 'k'), record(2, 'k')])
    await turn()
    expect([handled, position()]).toEqual([[0], 1])
    owner.known = true
    runner.wake()
    await eventually(() => position() === 3)
    expect(handled).toEqual([0, 1, 2])
  })

  it('lanes/R8: slept and lost the partition meanwhile handles nothing of it', async () => {
    const owner = { known: false }
    const handled: number[] = []
    const { runner } = harness(
      async ({ offset }) => {
        handled.push(offset)
        return ack
      },
      { isOwner: () => owner.known },
    )
    runner.enqueue('commands', 0, [record(0), record(1)])
    runner.revoke('commands', 0)
    owner.known = true
    runner.wake()
    await turn()
    expect([handled, runner.stats().lanes]).toEqual([[], 0])
  })
})
