// `node scripts/bench-takeover.mjs [--rounds=7] [--term] [--verbose]`: kill -9 of routing beside a warm standby. Needs Java, Maven and PostgreSQL.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { main } = await import('../test/bench/takeover.mjs')
process.exit(await main(process.argv.slice(2)))
