// Five durable steps of `v + 1` as a Mastra workflow with PostgreSQL snapshots: the best durable peer measured.
// Usage: node bench.mjs DATABASE_URL. Reads lines `COUNT CONCURRENCY` from standard input, answers each with one JSON line.
import { createInterface } from 'node:readline'
import { Mastra } from '@mastra/core'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { PostgresStore } from '@mastra/pg'
import { z } from 'zod'

const io = z.object({ v: z.number() })
const step = (k) =>
  createStep({ id: `s${k}`, inputSchema: io, outputSchema: io, execute: async ({ inputData }) => ({ v: inputData.v + 1 }) })
let workflow = createWorkflow({ id: 'wf', inputSchema: io, outputSchema: io })
for (let k = 1; k <= 5; k += 1) workflow = workflow.then(step(k))
workflow.commit()
const storage = new PostgresStore({ id: 'pg', connectionString: process.argv[2] })
const mastra = new Mastra({ workflows: { wf: workflow }, storage, logger: false })
await storage.init?.()

const measure = async (count, concurrency) => {
  const latencies = []
  let next = 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  const client = async () => {
    while (next < count) {
      const v = next
      next += 1
      const begun = performance.now()
      const run = await mastra.getWorkflow('wf').createRun()
      const result = await run.start({ inputData: { v } })
      if (result.status !== 'success' || result.result.v !== v + 5) throw new Error(JSON.stringify(result).slice(0, 200))
      latencies.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  latencies.sort((a, b) => a - b)
  const at = (q) => latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]
  return {
    count,
    concurrency,
    runsPerSecond: count / seconds,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    stepP50Ms: at(0.5) / 5,
    nodeCpuMsPerRun: (user + system) / 1000 / count,
  }
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const [count, concurrency] = line.trim().split(' ').map(Number)
  process.stdout.write(`${JSON.stringify(await measure(count, concurrency))}\n`)
}
process.exit(0)
