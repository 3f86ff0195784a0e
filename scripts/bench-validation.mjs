// `npm run bench:validation`: the figures of validation. Runs every part in scripts/bench-validation and prints what each must reach
// beside what was seen. `--only=NAME` runs one part, `--quick` fewer rounds. The parts read the sources themselves: nothing is built.
//   Each part exports `title`, `run({ quick, shared })`, which gives rows `{ what, must, seen, ok }`, and what it does not measure.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = '--conditions=@baton/source'
if (!process.execArgv.includes(SOURCE)) {
  const { status } = spawnSync(process.execPath, [SOURCE, '--no-warnings', ...process.argv.slice(1)], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

const say = (text) => process.stdout.write(`${text}\n`)
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice('--only='.length)
const quick = process.argv.includes('--quick')
const folder = join(import.meta.dirname, 'bench-validation')
const shared = process.env['BATON_SHARED']
const data = shared === undefined ? undefined : join(shared, 'data')
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && !name.startsWith('_'))
  .filter((name) => only === undefined || name === `${only}.mjs`)
  .toSorted()

let failed = 0
for (const file of files) {
  const { title, needs, not, run } = await import(join(folder, file))
  say(`\n## ${title}\n`)
  const missing = (needs ?? []).find((name) => data === undefined || !existsSync(join(data, name)))
  if (missing !== undefined) {
    say(`SKIP: BATON_SHARED does not point to a folder with data/${missing}`)
    continue
  }
  const rows = await run({ quick, data, say })
  say('\n| what | must | seen | |\n| --- | --- | --- | --- |')
  for (const { what, must, seen, ok } of rows) {
    if (ok === false) failed += 1
    say(`| ${what} | ${must} | ${seen} | ${ok === undefined ? '' : ok ? 'PASS' : '**FAIL**'} |`)
  }
  if (not !== undefined) say(`\nNot measured: ${not}`)
}
say(failed === 0 ? '\nall reached' : `\n${failed} not reached`)
process.exit(failed === 0 ? 0 : 1)
