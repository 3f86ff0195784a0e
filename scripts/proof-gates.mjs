// `npm run proof:gates`: what gates decide, on the product as it is installed: one process of `baton up`, flows published over HTTP, models
// behind HTTP that answer from data. S2, S3, S10, S13, and every remedy of a gate. `--only=NAME`, `--quick`, `--no-build`, `--verbose`.
//   Each part exports `title`, `models` (what upstream answers), `prepare(home)`, `run(context)`, which gives rows `{ what, must, seen, ok }`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = '--conditions=@baton/source'
const root = join(import.meta.dirname, '..')
if (!process.execArgv.includes(SOURCE)) {
  if (!process.argv.includes('--no-build')) {
    const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
  const { status } = spawnSync(process.execPath, [SOURCE, '--no-warnings', ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const { openHome, startSystem } = await import('./proof-gates/home.mjs')
const { openUpstream } = await import('./proof-gates/upstream.mjs')
const NAMES = ['s02', 's03', 's10', 's13', 'remedies', 'guards', 'content']

const say = (text) => process.stdout.write(`${text}\n`)
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length)
const shared = process.env['BATON_SHARED']
const data = shared === undefined ? undefined : join(shared, 'data')
const context = { say, quick: process.argv.includes('--quick'), data, root }

const parts = []
for (const name of NAMES.filter((one) => only === undefined || one === only)) {
  const part = await import(`./proof-gates/${name}.mjs`)
  const missing = (part.needs ?? []).find((file) => data === undefined || !existsSync(join(data, file)))
  if (missing === undefined) parts.push({ name, ...part })
  else say(`SKIP ${name}: BATON_SHARED does not point to a folder with data/${missing}`)
}

const upstream = await openUpstream()
const home = openHome(root)
let failed = 0
let system
try {
  for (const part of parts) await part.prepare({ ...context, home, upstream })
  system = await startSystem({ home, upstream, quiet: !process.argv.includes('--verbose') })
  for (const { title, not, run } of parts) {
    say(`\n## ${title}\n`)
    const rows = await run({ ...context, home, upstream, lab: system.lab })
    say('\n| what | must | seen | |\n| --- | --- | --- | --- |')
    for (const { what, must, seen, ok } of rows) {
      if (ok === false) failed += 1
      say(`| ${what} | ${must} | ${seen} | ${ok === undefined ? '' : ok ? 'PASS' : '**FAIL**'} |`)
    }
    if (not !== undefined) say(`\nNot measured: ${not}`)
  }
} finally {
  await system?.stop()
  await upstream.close()
  home.remove()
}
say(failed === 0 ? '\nall as it must be' : `\n${failed} not as they must be`)
process.exit(failed === 0 ? 0 : 1)
