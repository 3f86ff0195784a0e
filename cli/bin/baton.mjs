#!/usr/bin/env node
// Starts the command line on Node 24. npm puts that Node into node_modules/.bin; started by an older one, it hands over.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const major = Number(process.versions.node.split('.')[0])
const bundledNode = () => {
  for (let folder = here; dirname(folder) !== folder; folder = dirname(folder)) {
    const node = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
    if (existsSync(node)) return node
  }
}

if (major < 24) {
  const node = process.env.BATON_NODE_HANDED_OVER === undefined ? bundledNode() : undefined
  if (node === undefined) {
    process.stderr.write(
      `baton needs Node 24 and this is ${process.versions.node}: run "npm ci" with optional dependencies, which brings it, or install Node 24.\n`,
    )
    process.exit(2)
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, BATON_NODE_HANDED_OVER: '1' } })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.exit(await new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))))
}
if (!existsSync(join(here, '..', 'dist', 'main.js'))) {
  process.stderr.write('baton is not built yet: run "npm run build" first.\n')
  process.exit(2)
}
nodeModule.enableCompileCache?.() // Loading some hundred modules is most of a cold start.
const { main } = await import('../dist/main.js')
process.exitCode = await main(process.argv.slice(2))
