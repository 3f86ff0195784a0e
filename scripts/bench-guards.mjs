// `node scripts/bench-guards.mjs`: the part of `bench-validation.mjs` about guards alone. `--misses` also prints what was missed or wrongly found.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'bench-validation.mjs'), '--only=guards', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
)
process.exit(status ?? 1)
