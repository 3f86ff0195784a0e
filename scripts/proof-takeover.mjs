// `npm run proof:takeover [-- --rounds N] [--only kill,stop,postgres-cut,kafka-cut,postgres-restart,network-cut]`: builds, then runs test/proof/takeover.mjs.
// As root on Linux it runs in a network namespace of its own, so that a network can be cut without touching the machine's.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const { namespaceMissing } = await import('../test/proof/takeover-network.mjs')
const main = join(root, 'test', 'proof', 'takeover.mjs')
const args = [main, ...process.argv.slice(2)]
const missing = namespaceMissing()
const [command, commandArgs, env] =
  missing === undefined
    ? ['unshare', ['-n', process.execPath, ...args], { BATON_PROOF_NAMESPACE: 'own' }]
    : [process.execPath, args, { BATON_PROOF_NAMESPACE: missing }]
const result = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
process.exit(result.status ?? 1)
