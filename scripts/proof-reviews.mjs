// `npm run proof:reviews [-- --quick]`: builds, then runs test/proof/reviews/reviews.mjs: people against races, restarts and kill -9.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
if (!process.argv.includes('--no-build')) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
const { main } = await import('../test/proof/reviews/reviews.mjs')
process.exit(await main({ quick: process.argv.includes('--quick') }))
