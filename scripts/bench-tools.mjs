// `npm run bench:tools`: figures of tools, retrieval and context. Runs every part in scripts/bench-tools, or those named (`effects airline`,
// `--only effects,airline`); needs the build (`tsc -b`). `--quick`: sizes for CI. `--json`: rows as JSON. `--help` says so and runs nothing.
// Data that may not ship is read from the folder BATON_SHARED names.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const dir = join(import.meta.dirname, 'bench-tools')
const words = process.argv.slice(2)
const only = words.indexOf('--only')
const named = words.filter((word, at) => !word.startsWith('--') && (only < 0 || at !== only + 1))
if (only >= 0) named.push(...(words[only + 1] ?? '').split(','))
const quick = words.includes('--quick')
const shared = process.env.BATON_SHARED

const files = readdirSync(dir)
  .filter((file) => file.endsWith('.mjs') && !file.startsWith('_'))
  .toSorted()

const parts = files.map((file) => file.replace('.mjs', ''))
if (words.includes('--help')) {
  console.log(`npm run bench:tools -- [PART …] [--only PART,PART] [--quick] [--json]\nparts: ${parts.join(', ')}`)
  process.exit(0)
}
const unknown = named.filter((name) => !parts.includes(name))
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(', ')}; there are ${parts.join(', ')}`)
  process.exit(2)
}

const rows = []
for (const file of files) {
  const part = await import(pathToFileURL(join(dir, file)).href)
  if (typeof part.run !== 'function') continue
  if (named.length > 0 && !named.includes(part.name)) continue
  const started = performance.now()
  process.stderr.write(`${part.name} …\n`)
  try {
    for (const row of await part.run({ quick, shared })) rows.push({ part: part.name, ...row })
  } catch (error) {
    rows.push({ part: part.name, what: 'runs to its end', must: 'yes', seen: String(error?.message ?? error), ok: false, note: '' })
    if (process.env.BATON_DEBUG) console.error(error)
  }
  process.stderr.write(`${part.name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
}

const verdictOf = ({ ok }) => (ok === undefined || ok === null ? '-' : ok ? 'PASS' : 'FAIL')
if (words.includes('--json')) console.log(JSON.stringify(rows, null, 2))
else {
  const cells = rows.map((row) => [row.part, row.what, String(row.must ?? ''), String(row.seen), verdictOf(row), row.note ?? ''])
  const table = [['part', 'what', 'must', 'seen', '', 'note'], ...cells]
  const widths = table[0].map((_, at) => Math.max(...table.map((line) => line[at].length)))
  for (const line of table)
    console.log(
      line
        .map((cell, at) => (at === line.length - 1 ? cell : cell.padEnd(widths[at])))
        .join(' | ')
        .trimEnd(),
    )
}
const failed = rows.filter(({ ok }) => ok === false).length
console.log(`${rows.filter(({ ok }) => ok === true).length} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
