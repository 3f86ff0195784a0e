// The faults. Each gives a row: what was injected, what was lost or handled twice, how long nothing was handled after it was over.
import { setTimeout as sleep } from 'node:timers/promises'
import { rowOf } from './row.mjs'
import { DEAD, message, PARTITIONS, settle, stream } from './stage.mjs'

const PER_S = 200
const CALM_MS = 2_000
const CUT_MS = 8_000
const REJECT = { outcome: 'reject', fault: { code: 'message.undecodable', message: 'poison' } }

/** From when the fault was over until the next message was handled. */
const recoveryAfter = ({ gaps }, overMs) => {
  const next = gaps.find(({ toMs }) => toMs > overMs)
  return next === undefined ? Infinity : next.toMs - overMs
}

const underLoad = async (world, harm) => {
  const { ledger, publish, close } = await world.stage()
  const load = stream(publish, PER_S, (n) => message(n))
  await sleep(CALM_MS)
  await harm()
  const overMs = performance.now()
  await sleep(CALM_MS)
  await load.stop()
  await settle(ledger)
  await close()
  const recoveryMs = recoveryAfter(ledger, overMs)
  return rowOf(ledger, {
    recoveryMs,
    promises: [
      ['goes on within 5 s', recoveryMs < 5_000],
      ['refuses nothing', ledger.refused === 0],
    ],
  })
}

/** A fault that one publish meets; what was published before, beside and after it is not touched. */
const oneRefused = async (world, { record, code }) => {
  const { ledger, publish, close } = await world.stage()
  const load = stream(publish, PER_S, (n) => message(n))
  await sleep(CALM_MS)
  const error = await publish([record])
  await sleep(CALM_MS)
  await load.stop()
  await settle(ledger)
  await close()
  return rowOf(ledger, {
    promises: [
      [`is told ${code}`, error?.code === code],
      ['alone is refused', ledger.refused === 1],
    ],
  })
}

export const CASES = {
  kill: {
    title: 'broker kill -9 and restart',
    run: (world) =>
      underLoad(world, async () => {
        await world.kafka.kill()
        await world.kafka.restart()
      }),
  },
  cut: {
    title: `network swallowed ${CUT_MS / 1_000} s`,
    run: (world) =>
      underLoad(world, async () => {
        world.proxy.swallow()
        await sleep(CUT_MS)
        world.proxy.mend()
      }),
  },
  large: {
    title: 'message too large',
    run: (world) => oneRefused(world, { record: message(-1, { value: Buffer.alloc(20_000_000) }), code: 'request.too_large' }),
  },
  unknown: {
    title: 'unknown topic',
    run: (world) => oneRefused(world, { record: message(-1, { topic: 'nowhere' }), code: 'config.invalid' }),
  },
  poison: {
    title: 'a poison record in each partition',
    run: async (world) => {
      const { ledger, publish, publisher, close } = await world.stage(({ key }) => (key === 'poison' ? REJECT : { outcome: 'ack' }))
      const load = stream(publish, PER_S, (n) => message(n))
      await sleep(CALM_MS / 2)
      await publish(Array.from({ length: PARTITIONS }, (_, partition) => message(-1 - partition, { key: 'poison', partition })))
      await sleep(CALM_MS)
      await load.stop()
      await settle(ledger, 60_000, PARTITIONS)
      const letters = await publisher.read({ topic: DEAD, partition: 0, offset: 0, limit: 100 })
      await close()
      const row = rowOf(ledger)
      const dead = letters.filter(({ key }) => key === 'poison').length
      return {
        ...row,
        lost: row.lost - dead,
        promises: [
          ['all kept as dead letters', dead === PARTITIONS],
          ['nothing twice', row.twice === 0],
        ],
      }
    },
  },
  hot: {
    title: 'a hot key with 90 % of the traffic',
    run: async (world) => {
      const { ledger, publish, close } = await world.stage(async () => {
        await sleep(2)
        return { outcome: 'ack' }
      })
      const load = stream(publish, PER_S, (n) => message(n, { key: n % 10 === 0 ? `k${n}` : 'hot' }))
      await sleep(CALM_MS * 2)
      await load.stop()
      await settle(ledger)
      await close()
      const row = rowOf(ledger)
      return {
        ...row,
        promises: [
          ['in order', row.disorder === 0],
          ['nothing twice', row.twice === 0],
        ],
      }
    },
  },
  flood: {
    title: 'a tenant sends 100 times as much as is its share',
    run: async (world) => {
      const times = []
      const sentAt = new Map()
      const handle = async ({ headers }) => {
        const at = sentAt.get(headers['ce_id'])
        if (at !== undefined) times.push(performance.now() - at)
        await sleep(10)
        return { outcome: 'ack' }
      }
      const { ledger, publish, close, lanes } = await world.stage(handle, { concurrencyMax: 8, tenantPendingMax: 200 })
      const quiet = stream(publish, 10, (n) => {
        sentAt.set(`quiet/${n}`, performance.now())
        return message(n, { tenant: 'quiet', key: `quiet${n}` })
      })
      const flood = stream(publish, 1_000, (n) => message(n, { tenant: 'flood', key: `flood${n}` }))
      await sleep(CALM_MS * 3)
      const putOff = Object.values(lanes.stats().retryDepth).reduce((sum, depth) => sum + depth, 0)
      await Promise.all([quiet.stop(), flood.stop()])
      await settle(ledger)
      await close()
      const p95 = times.toSorted((left, right) => left - right)[Math.floor(times.length * 0.95)] ?? Infinity
      const row = rowOf(ledger)
      return { ...row, note: `quiet p95 ${p95.toFixed(0)} ms, put off ${putOff}`, promises: [['nothing twice', row.twice === 0]] }
    },
  },
}
