// `npm test`: everything that can run on this machine, in order of cost. Ends with one line: `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const cache = join(root, '.cache')
mkdirSync(cache, { recursive: true })
const bin = (name) => join(root, 'node_modules', '.bin', name)
const totals = { passed: 0, failed: 0, skipped: 0 }
const notes = []

const run = (title, command, args, env = {}) => {
  const started = Date.now()
  process.stdout.write(`\n== ${title}\n`)
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  process.stdout.write(`== ${title}: ${status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
  return status === 0
}

/** A check that is one test: it passes or it fails. */
const check = (title, command, args, env) => {
  const ok = run(title, command, args, env)
  totals[ok ? 'passed' : 'failed'] += 1
  return ok
}

const jest = (project, extra = []) => {
  const outputFile = join(cache, `jest-${project}.json`)
  rmSync(outputFile, { force: true })
  const ok = run(`jest ${project}`, bin('jest'), ['--selectProjects', project, '--json', `--outputFile=${outputFile}`, ...extra], {
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
  })
  let result
  try {
    result = JSON.parse(readFileSync(outputFile, 'utf8'))
  } catch {
    totals.failed += 1
    return
  }
  totals.passed += result.numPassedTests
  totals.failed += result.numFailedTests + (result.numRuntimeErrorTestSuites ?? 0)
  totals.skipped += result.numPendingTests
  if (!ok && result.numFailedTests === 0 && !result.numRuntimeErrorTestSuites) totals.failed += 1
  const servers = { kafka: new Set(), postgres: new Set() }
  for (const suite of result.testResults) {
    for (const test of suite.assertionResults) {
      if (test.status !== 'passed') continue
      const words = test.ancestorTitles.join(' ')
      if (/\bKafka\b/i.test(words)) servers.kafka.add(suite.name.slice(root.length + 1))
      if (/\bPostgreSQL\b/i.test(words)) servers.postgres.add(suite.name.slice(root.length + 1))
    }
  }
  if (project === 'integration')
    notes.push(
      `on real Kafka: ${[...servers.kafka].join(', ') || 'none'}`,
      `on real PostgreSQL: ${[...servers.postgres].join(', ') || 'none'}`,
    )
}

const built = check('build', bin('tsc'), ['-b']) && check('bundle', process.execPath, [join(root, 'scripts', 'bundle.mjs')])
check('lint', bin('oxlint'), ['--type-aware', '--deny-warnings'])
check('format', bin('oxfmt'), ['--check'])
jest('unit', ['--maxWorkers=100%'])
if (built) {
  check('generated references are current', process.execPath, [join(root, 'scripts', 'generate.mjs'), '--check'])
  // Two at a time: they wait for servers and clocks more than they compute.
  jest('integration', ['--maxWorkers=2'])
  check('evaluation: flows/support', process.execPath, [join(root, 'cli', 'bin', 'baton.mjs'), 'eval', 'run', 'flows/support'])
}

process.stdout.write(`\n${notes.join('\n')}\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`)
process.exit(totals.failed === 0 && built ? 0 : 1)
