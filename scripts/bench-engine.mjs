// `npm run bench:engine`: the figures of the engine, beside the durable peers that run here. Rows and options: test/bench/engine.mjs.
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { main } = await import('../test/bench/engine.mjs')
process.exit(await main(process.argv.slice(2)))
