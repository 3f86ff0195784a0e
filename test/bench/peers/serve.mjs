// What every peer does: it reads lines `COUNT CONCURRENCY` from standard input, plays that many workflows, and answers with a line of JSON.
import { createInterface } from 'node:readline'

/** `one(v)` plays a workflow of five steps of `v + 1` and gives what it came to. */
export const serve = async (one) => {
  const measure = async (count, concurrency) => {
    const latencies = []
    let next = 0
    const started = performance.now()
    const client = async () => {
      while (next < count) {
        const v = next
        next += 1
        const begun = performance.now()
        const result = await one(v)
        if (result !== v + 5) throw new Error(`${v} gave ${JSON.stringify(result)}`)
        latencies.push(performance.now() - begun)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, client))
    const seconds = (performance.now() - started) / 1000
    latencies.sort((left, right) => left - right)
    const at = (q) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]
    return { count, concurrency, runsPerSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99), stepP50Ms: at(0.5) / 5 }
  }
  process.stdout.write('ready\n')
  for await (const line of createInterface({ input: process.stdin })) {
    const [count, concurrency] = line.trim().split(' ').map(Number)
    process.stdout.write(`${JSON.stringify(await measure(count, concurrency))}\n`)
  }
}
