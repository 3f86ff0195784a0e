// What the parts share: the public tables, folds, figures as text, and scikit-learn as a neighbour in the same protocol.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '..', '..')
export const built = (path) => import(join(root, path))
const { seededRandom, shuffled } = await built('libs/policy/dist/index.js')
const { mean, standardDeviation } = await built('libs/policy/dist/statistics/index.js')

/** A text of a file, unpacked if need be. */
export const readText = (file) => {
  const bytes = readFileSync(file)
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}
export const readLines = (file) =>
  readText(file)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

/** Records of a CSV file with a head line; quoted fields may hold anything. */
export const readCsv = (file) => {
  const rows = []
  let row = []
  for (const [, quoted, plain, end] of readText(file).matchAll(/(?:"((?:[^"]|"")*)"|([^,"\r\n]*))(,|\r?\n|$)/g)) {
    row.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    if (row.length > 1 || row[0] !== '') rows.push(row)
    row = []
  }
  const [head, ...records] = rows
  return records.map((record) => Object.fromEntries(head.map((name, at) => [name, record[at] ?? ''])))
}

export const order = (count, seed) =>
  shuffled(
    Array.from({ length: count }, (_, at) => at),
    seededRandom(seed),
  )

export const shown = (value, digits = 3) => (Number.isFinite(value) ? value.toFixed(digits) : '-')
export const spread = (values, digits = 3) => `${shown(mean(values), digits)} ± ${shown(standardDeviation(values), digits)}`
export const interval = ({ value, low, high }, digits = 3) => `${shown(value, digits)} [${shown(low, digits)}, ${shown(high, digits)}]`
export const percent = ({ value, low, high }) => `${(100 * value).toFixed(1)} % [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`

const KEPT = join(root, '.cache', 'bench', 'scikit-learn')

/**
 * What scikit-learn says of the splits of a task, in a process beside this one. A split that the same version was given before, word for
 * word, is not fitted again: it is kept in `.cache/bench/scikit-learn` as soon as it is there. `{ skipped }` says why it did not run;
 * `BATON_PYTHON` names another interpreter than python3.
 */
export const sklearn = async (task) => {
  const python = process.env.BATON_PYTHON ?? 'python3'
  const asked = spawnSync(python, ['-c', 'import sklearn; print(sklearn.__version__)'], { encoding: 'utf8' })
  if (asked.status !== 0) return { skipped: `${python} cannot import sklearn (BATON_PYTHON names another)` }
  const script = join(import.meta.dirname, '_sklearn.py')
  const { splits, ...rest } = task
  const same = createHash('sha256').update(asked.stdout).update(readFileSync(script)).update(JSON.stringify(rest)).digest('hex')
  const keyOf = (split) => createHash('sha256').update(same).update(JSON.stringify(split)).digest('hex')
  const files = splits.map((split) => join(KEPT, `${keyOf(split)}.json`))
  const left = splits.flatMap((split, at) => (existsSync(files[at]) ? [] : [{ ...split, file: files[at] }]))
  if (left.length > 0) {
    mkdirSync(KEPT, { recursive: true })
    const failed = await fitted(python, script, { ...rest, splits: left })
    if (failed !== undefined) return { skipped: `scikit-learn failed: ${failed}` }
  }
  const version = asked.stdout.trim()
  return { result: files.map((file) => JSON.parse(readFileSync(file, 'utf8'))), version, kept: splits.length - left.length }
}

/** Why it failed, if it did. */
const fitted = async (python, script, task) => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-bench-'))
  try {
    const given = join(folder, 'task.json')
    writeFileSync(given, JSON.stringify(task))
    const child = spawn(python, [script, given], {
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let told = ''
    child.stderr.on('data', (chunk) => {
      told = `${told}${chunk}`.slice(-2_000)
    })
    const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
    return status === 0 ? undefined : (told.trim().split('\n').at(-1) ?? 'it said nothing')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
