// `npm run bench:humans [-- --quick] [-- --only=race|speed]`: builds, then measures the engine of tasks on Kafka and PostgreSQL: decisions racing with timeouts,
// and a hundred thousand open tasks. Prints a table; exit 1 when a must is missed.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
if (!process.argv.includes('--no-build')) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
const { main } = await import('../test/bench/humans.mjs')
process.exit(
  await main({
    quick: process.argv.includes('--quick'),
    only: process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length),
  }),
)
