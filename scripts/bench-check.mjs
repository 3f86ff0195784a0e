// `npm run bench:check`: builds, then measures the checker and expressions beside their limits.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
if (!process.argv.includes('--no-build')) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
const { main } = await import('../test/bench/check.mjs')
process.exit(await main())
