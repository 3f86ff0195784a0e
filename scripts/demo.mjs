// `npm run demo`: builds, then shows the support product on 300 real questions. No server, no key, no Java, no Docker.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
process.stdout.write('building …\n')
run(join(root, 'node_modules', '.bin', 'tsc'), ['-b'])
run(process.execPath, [join(root, 'scripts', 'bundle.mjs')])
run(process.execPath, [join(root, 'cli', 'dist', 'demo', 'main.js'), ...process.argv.slice(2)])
