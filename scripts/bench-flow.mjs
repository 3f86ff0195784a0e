// `npm run bench:flow`: five durable no-op steps beside the best durable peer, in interleaved pairs. Needs Java, Maven and PostgreSQL.
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { main } = await import('../test/bench/flow.mjs')
process.exit(await main(process.argv.slice(2)))
