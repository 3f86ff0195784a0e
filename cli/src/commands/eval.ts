import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { DEFAULT_TENANT, runIdOf, TOPICS } from '@baton/contracts'
import type { OutgoingRecord } from '@baton/bus'
import { watchRuns } from '../demo/watch.ts'
import { isRight, readEvalSet, type EvalCase, type EvalSet } from '../eval/eval-set.ts'
import { figuresOfCases, judge, type PlayedCase } from '../eval/verdict.ts'
import type { LocalSystem } from '../platform/local-system.ts'
import { bar, type Terminal } from '../terminal.ts'
import { addDocuments, readDocuments } from './index-documents.ts'
import { show, type CommandContext } from './context.ts'

const SOURCE = 'eval'
const TICK_MS = 50
const runIdOfCase = (one: EvalCase): string => runIdOf({ tenant: DEFAULT_TENANT, source: SOURCE, requestId: one.id })
const requestOf = (flow: string, one: EvalCase): OutgoingRecord => ({
  topic: TOPICS.requests,
  key: one.id,
  headers: {},
  value: Buffer.from(JSON.stringify({ id: one.id, source: SOURCE, flow, input: one.input, labels: { mode: 'eval' } })),
})

/** Plays every case through the bus and waits until each has a result or waits for a person. */
const play = async (
  system: LocalSystem,
  set: EvalSet,
  { terminal, waitMs }: { terminal: Terminal; waitMs: number },
): Promise<readonly PlayedCase[]> => {
  const post = (path: string, body: unknown): Promise<unknown> => system.ask('POST', path, body)
  for (const [index, file] of Object.entries(set.documents))
    await addDocuments(post, { index, documents: await readDocuments(file), onProgress: () => undefined })
  const watch = await watchRuns(system.platform.bus)
  await system.platform.bus.publish(set.cases.map((one) => requestOf(set.flow, one)))
  const settled = (): number => set.cases.filter((one) => watch.results.has(runIdOfCase(one)) || watch.reviews.has(runIdOfCase(one))).length
  const untilMs = Date.now() + waitMs
  while (settled() < set.cases.length && Date.now() < untilMs) {
    terminal.status(`${bar(settled() / set.cases.length)} ${settled()} of ${set.cases.length} cases`)
    await new Promise((tick) => setTimeout(tick, TICK_MS))
  }
  terminal.settle()
  await watch.close()
  return set.cases.map((one): PlayedCase => {
    const runId = runIdOfCase(one)
    if (watch.reviews.has(runId)) return { id: one.id, outcome: 'person' }
    const result = watch.results.get(runId)
    if (result === undefined) return { id: one.id, outcome: 'missing' }
    return result.status === 'completed'
      ? { id: one.id, outcome: 'automatic', right: isRight(result, one.expect) }
      : { id: one.id, outcome: 'failed' }
  })
}

type RunOptions = { readonly json?: boolean; readonly updateBaseline?: boolean; readonly waitSeconds: string }

const evaluate = async (context: CommandContext, path: string, options: RunOptions): Promise<void> => {
  const set = await readEvalSet(path)
  const flowsDir = dirname(resolve(path))
  const { withLocalSystem } = await import('../platform/local-system.ts')
  const played = await withLocalSystem({ flowsDir }, (system) =>
    play(system, set, { terminal: context.terminal, waitMs: Number(options.waitSeconds) * 1_000 }),
  )
  const figures = figuresOfCases(played)
  if (options.updateBaseline === true) await writeFile(set.baselineFile, `${JSON.stringify(figures, null, 2)}\n`)
  const verdict = judge(figures, options.updateBaseline === true ? figures : set.baseline, set.margin)
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`
  const text = (): string =>
    [
      `${set.flow}: ${figures.cases} cases, ${share(figures.automatic)} automatic, ${share(figures.accuracy)} of those right, ${share(figures.failed)} failed`,
      ...verdict.drops,
      verdict.verdict === 'no baseline' ? 'no baseline yet: --update-baseline writes one' : `verdict: ${verdict.verdict}`,
    ].join('\n')
  show(
    context,
    { flow: set.flow, figures, ...verdict, cases: played },
    { ...(options.json === undefined ? {} : { json: options.json }), text },
  )
  if (verdict.verdict === 'fail') context.fail()
}

const run = (context: CommandContext): Command =>
  new Command('run')
    .description('play the known-good cases of a flow through the real bus; fails on a drop against the baseline')
    .argument('<path>', 'folder of the flow')
    .option('--json', 'print JSON, case by case')
    .option('--update-baseline', 'make these figures the baseline')
    .option('--wait-seconds <n>', 'longest wait for all cases', '120')
    .action((path: string, options: RunOptions) => evaluate(context, path, options))

/** `baton eval run` (G5). */
export const evalCommand = (context: CommandContext): Command =>
  new Command('eval').description('evaluate flows on known-good cases').addCommand(run(context))
