// `npm run bench:models`: what routing, cascades, classifiers and attempts are worth, on recorded answers of real models.
// Runs every part it finds in scripts/bench-models: a module that exports `name` and `run({ quick, shared, progress })`, which gives rows
// `{ what, must, seen, ok, note }`; `ok: undefined` is a figure without a must. Needs the build (`tsc -b`).
// `--quick`: sizes for CI. `--only a,b`: parts by file name. `BATON_SHARED` names the folder with the data that may not ship.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, 'bench-models')
const quick = process.argv.includes('--quick')
const onlyAt = process.argv.indexOf('--only')
const only = onlyAt < 0 ? undefined : (process.argv[onlyAt + 1] ?? '').split(',')
const given = process.env.BATON_SHARED
const shared = given !== undefined && existsSync(given) ? given : undefined
const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
}

const verdictOf = ({ ok }) => (ok === undefined ? '-' : ok ? 'PASS' : 'FAIL')
const print = (rows) => {
  const lines = rows.map((row) => [row.what, row.must ?? '-', row.seen, verdictOf(row), row.note ?? ''])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...[['what', 'must', 'seen', ''], ...lines].map((line) => line[column].length)))
  for (const line of [['what', 'must', 'seen', '', 'note'], ...lines])
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(' | ')
        .trimEnd(),
    )
}

/** Parts are the files of the folder whose name has no leading underscore; what they share has one. */
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.mjs') && !file.startsWith('_'))
  .filter((file) => only === undefined || only.some((one) => file.startsWith(one)))
  .sort()
let failed = 0
if (shared === undefined) console.log('BATON_SHARED is unset or names no folder: parts that read data from there are skipped.\n')
for (const file of files) {
  const part = await import(join(folder, file))
  if (typeof part.run !== 'function') continue
  const started = performance.now()
  console.log(`## ${part.name}`)
  try {
    const rows = await part.run({ quick, shared, progress })
    progress('')
    print(rows)
    failed += rows.filter(({ ok }) => ok === false).length
  } catch (error) {
    progress('')
    console.log(`FAIL: ${error instanceof Error ? error.stack : String(error)}`)
    failed += 1
  }
  console.log(`(${((performance.now() - started) / 1_000).toFixed(0)} s)\n`)
}
console.log(failed === 0 ? `${files.length} parts, nothing failed` : `${failed} rows failed`)
process.exit(failed === 0 ? 0 : 1)
