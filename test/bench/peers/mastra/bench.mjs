// Five durable steps of `v + 1` as a Mastra workflow with PostgreSQL snapshots. Usage: node bench.mjs DATABASE_URL (see ../serve.mjs).
import { Mastra } from '@mastra/core'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { PostgresStore } from '@mastra/pg'
import { z } from 'zod'
import { serve } from './serve.mjs'

const io = z.object({ v: z.number() })
const step = (k) =>
  createStep({ id: `s${k}`, inputSchema: io, outputSchema: io, execute: async ({ inputData }) => ({ v: inputData.v + 1 }) })
let workflow = createWorkflow({ id: 'wf', inputSchema: io, outputSchema: io })
for (let k = 1; k <= 5; k += 1) workflow = workflow.then(step(k))
workflow.commit()
const storage = new PostgresStore({ id: 'pg', connectionString: process.argv[2] })
const mastra = new Mastra({ workflows: { wf: workflow }, storage, logger: false })
await storage.init?.()

await serve(async (v) => {
  const run = await mastra.getWorkflow('wf').createRun()
  const result = await run.start({ inputData: { v } })
  return result.status === 'success' ? result.result.v : result
})
process.exit(0)
