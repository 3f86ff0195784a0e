// `npm run proof:interop`: clients of other teams against a real broker, and a table of what each showed. Runs test/system/interop.int.spec.ts.
// What cannot be had on this machine is listed with its reason; that a client is missing is no failure, that one fails is.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'baton-interop-'))
const report = join(folder, 'report.json')
const jest = join(root, 'node_modules', '.bin', 'jest')
const args = ['test/system/interop.int.spec.ts', '--selectProjects=integration', '--json', `--outputFile=${report}`]
const { stderr } = spawnSync(jest, args, {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 ** 2,
  env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings' },
})
const reasons = new Map([...stderr.matchAll(/^skipped: the example client (\S+): (.*)$/gm)].map(([, client, reason]) => [client, reason]))
const whole = /^skipped: (?!the example client)(.*)$/m.exec(stderr)?.[1]

let suites
try {
  suites = JSON.parse(readFileSync(report, 'utf8')).testResults
} catch {
  console.error(stderr)
  process.exit(1)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const rows = suites.flatMap(({ assertionResults }) =>
  assertionResults.map(({ ancestorTitles, title, status, duration, failureMessages }) => {
    const client = ancestorTitles.at(-1)
    const skipped = status === 'pending' || status === 'skipped'
    return {
      client,
      shown: title,
      outcome: skipped ? `not here: ${reasons.get(client) ?? whole ?? 'skipped'}` : status,
      ms: skipped ? '' : Math.round(duration ?? 0),
      failure: failureMessages?.[0]?.split('\n')[0],
    }
  }),
)
const width = (key) => Math.max(key.length, ...rows.map((row) => String(row[key]).length))
const line = (row) =>
  `${String(row.client).padEnd(width('client'))}  ${String(row.shown).padEnd(width('shown'))}  ${String(row.ms).padStart(7)}  ${row.outcome}`
console.log(line({ client: 'client', shown: 'shown', ms: 'ms', outcome: 'outcome' }))
for (const row of rows) console.log(line(row))
const failed = rows.filter(({ outcome }) => outcome === 'failed')
for (const { client, shown, failure } of failed) console.error(`\n${client}: ${shown}\n  ${failure ?? ''}`)
const passed = rows.filter(({ outcome }) => outcome === 'passed').length
console.log(`\n${passed} shown, ${failed.length} failed, ${rows.length - passed - failed.length} not here`)
process.exit(failed.length > 0 || rows.length === 0 || passed === 0 ? 1 : 0)
