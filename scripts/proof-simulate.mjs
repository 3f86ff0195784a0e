// `npm run proof:simulate [-- --seeds 2000 | --seed N]`: plays seeded histories of the run loop against every promise and the reference
// interpreter, on the live sources. See test/simulator/main.ts.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(
  process.execPath,
  ['--conditions=@baton/source', join(root, 'test', 'simulator', 'main.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
