// `npm run proof:bus [-- --only NAMES] [--quick] [--help]`: faults on real brokers, and what became of the messages. Needs Java and Maven.
// As root on Linux it runs in a network namespace of its own, so that a network can be cut without touching the machine's.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const main = join(root, 'test', 'proof', 'bus.mjs')
if (process.env['BATON_PROOF_NAMESPACE'] === undefined) {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  const { namespaceMissing } = await import('../test/proof/takeover-network.mjs')
  const missing = namespaceMissing()
  const again = [process.execPath, import.meta.filename, ...process.argv.slice(2)]
  const [command, ...args] = missing === undefined ? ['unshare', '-n', ...again] : again
  const env = { ...process.env, BATON_PROOF_NAMESPACE: missing ?? 'own' }
  process.exit(spawnSync(command, args, { cwd: root, stdio: 'inherit', env }).status ?? 1)
}
const { main: prove } = await import(main)
process.exit(await prove(process.argv.slice(2)))
