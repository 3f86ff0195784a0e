// A closed-loop client of Baton: publishes plain JSON requests, waits for each result on the result topic. Knows nothing of the inside.
import { randomBytes } from 'node:crypto'

/** What is played where nothing else is said: five steps of `v + 1`. */
const FIVE_STEPS = { flow: 'bench/five-steps', input: (v) => ({ v }), right: ({ v: came }, v) => came === v + 5 }

/** Follows the result topic and resolves the run that a result belongs to, by the request's own id. */
export const openLoad = async (bus, { flow, input, right } = FIVE_STEPS) => {
  const waiting = new Map()
  let repeats = 0
  const { partitions } = await bus.describe('baton.results')
  const reader = await bus.log({
    topic: 'baton.results',
    onBatch: (_partition, records) => {
      for (const record of records) {
        const id = record.headers.ce_correlationid
        const settle = waiting.get(id)
        if (settle === undefined) repeats += 1
        else {
          waiting.delete(id)
          settle(record)
        }
      }
    },
    onFault: (_partition, fault) => {
      throw new Error(fault.message)
    },
  })
  await Promise.all(partitions.map(({ partition, next }) => reader.seek(partition, next)))
  const sitting = randomBytes(4).toString('hex')
  let sequence = 0

  const one = async () => {
    const v = (sequence += 1)
    const id = `bench-${sitting}-${v}`
    const settled = new Promise((resolve) => waiting.set(id, resolve))
    const value = Buffer.from(JSON.stringify({ id, flow, source: 'bench', input: input(v) }))
    await bus.publish([{ topic: 'baton.requests', key: id, headers: {}, value }])
    const record = await settled
    if (record.headers.ce_type !== 'baton.run.completed.v1') throw new Error(`run ${id}: ${record.value.toString()}`)
    const result = JSON.parse(record.value.toString())
    if (!right(result.output, v)) throw new Error(`run ${id} of ${v} gave ${JSON.stringify(result.output).slice(0, 300)}`)
  }

  return {
    flow,
    get started() {
      return sequence
    },
    get repeats() {
      return repeats
    },
    /** Plays `count` runs, `concurrency` at a time. `caughtUp` is awaited inside the timed window. */
    measure: async ({ count, concurrency, caughtUp }) => {
      const latencies = []
      let left = count
      const begun = performance.now()
      const client = async () => {
        while (left > 0) {
          left -= 1
          const at = performance.now()
          await one()
          latencies.push(performance.now() - at)
        }
      }
      await Promise.all(Array.from({ length: concurrency }, client))
      const answeredMs = performance.now() - begun
      await caughtUp?.()
      const totalMs = performance.now() - begun
      latencies.sort((left_, right) => left_ - right)
      const at = (q) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]
      return {
        count,
        concurrency,
        runsPerSecond: (1_000 * count) / totalMs,
        answeredPerSecond: (1_000 * count) / answeredMs,
        p50Ms: at(0.5),
        p99Ms: at(0.99),
        stepP50Ms: at(0.5) / 5,
        tracingLagMs: totalMs - answeredMs,
      }
    },
    close: () => reader.close(),
  }
}
