// `npm run proof:bus [-- --only kill,cut,large,unknown,poison,hot,flood]`: faults on a real broker, and what became of the messages. Needs Java and Maven.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)
const { main } = await import('../test/proof/bus.mjs')
process.exit(await main(process.argv.slice(2)))
