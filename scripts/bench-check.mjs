// `npm run bench:check`: builds, then measures the checker, expressions and the first run in memory beside their limits.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
if (!process.argv.includes('--no-build')) {
  const build = (command, args) => {
    const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
  build(join(root, 'node_modules', '.bin', 'tsc'), ['-b'])
  build(process.execPath, [join(root, 'scripts', 'bundle.mjs')])
}
const { main } = await import('../test/bench/check.mjs')
process.exit(await main())
