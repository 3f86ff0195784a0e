// `npm run bench:bus [-- --only throughput,hop,small,fairness,overload,recovery] [--rounds 5] [--quick] [--help]`: lanes beside plain kafkajs on one broker. Needs Java and Maven.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { main } = await import('../test/bench/bus.mjs')
process.exit(await main(process.argv.slice(2)))
