// Figures of the checker: a flow of 34 lines warm and as a cold command, 1,000 steps, a comparison of fields; and the first run in memory.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFlow, formatDiagnostic, loadProgram } from '@baton/flow'
import { median } from './figures.mjs'

const root = join(import.meta.dirname, '..', '..')
const FILE = join('test', 'bench', 'flows', 'check-34.yaml')
const FIRST_CALL = join('test', 'bench', 'first-call.mjs')
const LIMITS = { warmMs: 10, coldMs: 400, firstCallMs: 150, stepsMs: 300, expressionUs: 1 }
const COLD_STARTS = 7
const FIRST_CALLS = 11
const BATCH = 100_000

const compile = (text) => {
  const result = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml' })
  if (!result.ok) throw new Error(result.diagnostics.map(formatDiagnostic).join('\n'))
  return result.plan
}

const timed = (work) => {
  const start = performance.now()
  work()
  return performance.now() - start
}
const times = (count, work) => Array.from({ length: count }, () => timed(work))

/** Steps in a chain, each with an expression over the one before it. */
const longFlow = (count) =>
  [
    'limits: { time: 5h, steps: 2000 }',
    'input: { text: string }',
    'steps:',
    ...Array.from({ length: count }, (_, index) =>
      index === 0
        ? '  - s0: { tool: kb/lookup, with: { text: =input.text }, returns: { score: 0..1 } }'
        : `  - s${index}: { tool: kb/lookup, timeout: 5s, with: { score: =s${index - 1}.score + 1 }, returns: { score: 0..1 } }`,
    ),
  ].join('\n')

const spawned = (args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
  return stdout
}

/** Cold starts beside those of Node alone, in pairs, so that both see the same machine. */
const coldStarts = () => {
  spawned(['cli/bin/baton.mjs', 'check', FILE]) // The cache of compiled modules is written by the first start after a build.
  const pairs = Array.from({ length: COLD_STARTS }, () => ({
    node: timed(() => spawned(['-e', '0'])),
    command: timed(() => spawned(['cli/bin/baton.mjs', 'check', FILE])),
  }))
  return { command: median(pairs.map(({ command }) => command)), node: median(pairs.map(({ node }) => node)) }
}

/** The first run of a chain, from the start of the process to its end and, as the process sees it, to the result; in pairs too. */
const firstCalls = () => {
  spawned([FIRST_CALL]) // The files are read from the disk once.
  const pairs = Array.from({ length: FIRST_CALLS }, () => {
    const node = timed(() => spawned(['-e', '0']))
    let inside = 0
    const whole = timed(() => {
      inside = Number(spawned([FIRST_CALL]))
    })
    return { node, whole, inside }
  })
  const of = (what) => median(pairs.map((pair) => pair[what]))
  return { node: of('node'), whole: of('whole'), inside: of('inside') }
}

const COMPARISON = 'it.confidence >= params.review'

/** Microseconds for one comparison of a field with a param, as gates ask it. */
const comparisonUs = (plan) => {
  const program = loadProgram(plan)
  const scope = { input: { sensitive: false }, params: { send: 0.8, review: 0.5 }, run: {}, steps: {}, it: { confidence: 0.7 } }
  let yes = 0
  const batches = times(25, () => {
    for (let n = 0; n < BATCH; n += 1) if (program.test(COMPARISON, scope)) yes += 1
  })
  if (yes !== 25 * BATCH) throw new Error('the comparison went wrong')
  return (median(batches) * 1_000) / BATCH
}

export const main = async () => {
  const text = readFileSync(join(root, FILE), 'utf8')
  const plan = compile(text)
  times(100, () => compile(text))
  const warm = times(200, () => compile(text))
  const long = longFlow(1_000)
  const firstSteps = timed(() => compile(long))
  const steps = times(9, () => compile(long))
  const expressionUs = comparisonUs(plan)
  const cold = coldStarts()
  const first = firstCalls()
  const rows = [
    [`${text.trimEnd().split('\n').length}-line flow, warm (median of ${warm.length})`, median(warm), LIMITS.warmMs, 'ms'],
    [`34-line flow, cold command (median of ${COLD_STARTS} starts)`, cold.command, LIMITS.coldMs, 'ms'],
    [`first call of run(chain), from process start (median of ${FIRST_CALLS} starts)`, first.whole, LIMITS.firstCallMs, 'ms'],
    [`1,000 steps, warm (median of ${steps.length}; the first took ${firstSteps.toFixed(0)} ms)`, median(steps), LIMITS.stepsMs, 'ms'],
    [`${COMPARISON} (median of 25 × ${BATCH})`, expressionUs, LIMITS.expressionUs, 'µs'],
  ]
  for (const [what, value, limit, unit] of rows)
    console.log(`${value <= limit ? 'PASS' : 'FAIL'} ${what}: ${value.toFixed(2)} ${unit}, limit ${limit} ${unit}`)
  console.log(
    `     cold command beside a bare start of Node (node -e 0, ${cold.node.toFixed(0)} ms): ${(cold.command / cold.node).toFixed(1)} times`,
  )
  console.log(
    `     first call beside a bare start of Node (${first.node.toFixed(0)} ms): ${(first.whole / first.node).toFixed(1)} times; the process itself counts ${first.inside.toFixed(0)} ms to the result`,
  )
  console.log('     not measured: a disk that never saw the files, the first start after a build (it fills the cache of compiled modules),')
  console.log(
    '     npx itself, memory, other processes on the machine; limits are wall clock, the ratio above is not tied to this machine.',
  )
  return rows.every(([, value, limit]) => value <= limit) ? 0 : 1
}
