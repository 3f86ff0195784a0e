// `npm run proof:flows`: the systems of the sources with real local tools, on the product as it is installed: each part starts `baton up` over
// a folder of its own, with the flow as it lies in the repository, and looks at runs from outside, over HTTP and the command line.
//   Parts are the files of scripts/proof-flows that do not begin with `_`. Each exports
//     title            one line
//     run(kit)         gives rows `{ what, must, seen, ok }`; without `ok` a row is only told
//     needs?           packages without which the part is skipped, with the reason
//     not?             what it does not measure
//   The kit (scripts/proof-flows/_kit.mjs) has folders, processes, providers over HTTP, and what a person and a product do.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const HELP = `npm run proof:flows -- [--only s04,s11] [--quick] [--no-build] [--verbose]

  --only NAMES  these parts alone, with commas between
  --quick       smaller runs: what takes long is left out or made short
  --no-build    on the build that is there
  --verbose     with the log of every process
  --help        this text; nothing is run`

const SOURCE = '--conditions=@baton/source'
const root = join(import.meta.dirname, '..')
const folder = join(import.meta.dirname, 'proof-flows')
const say = (text) => process.stdout.write(`${text}\n`)
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && !file.startsWith('_'))
  .map((file) => file.slice(0, -'.mjs'.length))
  .toSorted()
if (values.help) {
  say(`${HELP}\n\nparts: ${names.join(', ')}`)
  process.exit(0)
}
const wanted = values.only?.split(',')
const unknown = wanted?.find((name) => !names.includes(name))
if (unknown !== undefined) {
  say(`there is no part ${unknown}: ${names.join(', ')}`)
  process.exit(2)
}
if (!process.execArgv.includes(SOURCE)) {
  if (!values['no-build']) {
    const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, stdio: 'inherit' })
    if (status !== 0) process.exit(status ?? 1)
  }
  const { status } = spawnSync(process.execPath, [SOURCE, '--no-warnings', ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const { openKit } = await import('./proof-flows/_kit.mjs')
const require = createRequire(import.meta.url)
const isMissing = (name) => {
  try {
    require.resolve(name)
    return false
  } catch {
    return true
  }
}

const table = (rows) => {
  say('\n| what | must | seen | |\n| --- | --- | --- | --- |')
  for (const { what, must, seen, ok } of rows) say(`| ${what} | ${must} | ${seen} | ${ok === undefined ? '' : ok ? 'PASS' : '**FAIL**'} |`)
}

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const name of wanted ?? names) {
  const { title, not, needs = [], run } = await import(`./proof-flows/${name}.mjs`)
  const missing = needs.filter(isMissing)
  if (missing.length > 0) {
    counts.skipped += 1
    say(`SKIP ${name}: npm install ${missing.join(' ')}`)
    continue
  }
  say(`\n## ${title}\n`)
  const kit = openKit({ root, say, quick: values.quick, quiet: !values.verbose })
  const begunMs = performance.now()
  const rows = await run(kit)
    .catch((error) => [{ what: `${name} runs to its end`, must: 'yes', seen: error.message, ok: false }])
    .finally(() => kit.close())
  table(rows)
  say(`\n${((performance.now() - begunMs) / 1_000).toFixed(1)} s${not === undefined ? '' : `. Not measured: ${not}`}`)
  counts.passed += rows.filter(({ ok }) => ok === true).length
  counts.failed += rows.filter(({ ok }) => ok === false).length
}
say(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} parts skipped`)
process.exit(counts.failed > 0 ? 1 : 0)
