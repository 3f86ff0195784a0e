// Five durable steps of `v + 1` in DBOS Transact on PostgreSQL. Usage: node bench.mjs DATABASE_URL (see ../serve.mjs).
import { DBOS } from '@dbos-inc/dbos-sdk'
import { serve } from './serve.mjs'

DBOS.setConfig({ name: 'bench', systemDatabaseUrl: process.argv[2], logLevel: 'error', runAdminServer: false, systemDatabasePoolSize: 20 })
const workflow = DBOS.registerWorkflow(
  async (n) => {
    let v = n
    for (let k = 1; k <= 5; k += 1) v = await DBOS.runStep(async () => v + 1, { name: `s${k}` })
    return v
  },
  { name: 'wf' },
)
await DBOS.launch()

await serve((v) => workflow(v))
await DBOS.shutdown()
process.exit(0)
