// `npm run proof:effects`: effects once, while processes die and answers get lost (test/proof/effects.mjs). `--quick`: sizes for CI.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { crashLoop, rowsOf, skipKafka } = await import('../test/proof/effects.mjs')
const { printRows } = await import('./bench-tools/_table.mjs')

const quick = process.argv.includes('--quick')
const only = process.argv.find((word) => word.startsWith('--only='))?.split('=')[1]
const rows = []
if (only !== 'kafka')
  rows.push(...rowsOf(await crashLoop({ runs: quick ? 60 : 500, kills: quick ? 3 : 12, where: 'embedded' }), 'embedded'))
const missing = skipKafka()
if (missing !== undefined) {
  console.log(`SKIP Kafka and PostgreSQL: ${missing}`)
  if (process.env.CI === 'true') rows.push({ what: 'Kafka and PostgreSQL are here', must: 'yes', seen: 'no', ok: false, note: missing })
} else if (only !== 'embedded')
  rows.push(...rowsOf(await crashLoop({ runs: quick ? 60 : 500, kills: quick ? 3 : 12, where: 'kafka' }), 'kafka'))
process.exit(printRows(rows))
