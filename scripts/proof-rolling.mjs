// `npm run proof:rolling [-- --rounds N] [--rate N] [--help]`: every process restarted one after the other under load. Needs Java, Maven, PostgreSQL.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { main } = await import('../test/proof/rolling.mjs')
process.exit(await main(process.argv.slice(2)))
