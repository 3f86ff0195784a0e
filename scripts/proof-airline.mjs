// `npm run proof:airline`: recorded trajectories of an airline's desk with approvals in front of every write (test/proof/airline.mjs).
// Needs the folder that BATON_SHARED names. `--quick`: the first 40 of 200.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { airlineData, playAirline, rowsOf } = await import('../test/proof/airline.mjs')
const { printRows } = await import('./bench-tools/_table.mjs')

const { file, missing } = airlineData()
if (missing !== undefined) {
  console.log(`SKIP: ${missing}`)
  process.exit(0)
}
process.exit(printRows(rowsOf(await playAirline({ file, limit: process.argv.includes('--quick') ? 40 : 200 }))))
