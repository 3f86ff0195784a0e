// Changes of runs: those that are named, or all that a query finds, as a job.
import { createInterface } from 'node:readline/promises'
import { Command } from 'commander'
import { toFault } from '@baton/contracts/fault'
import { userName } from './flow-alias.ts'
import type { CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'
import { showJob, watchJob } from './runs-jobs.ts'

/** What can be done to runs. */
export type ControlAction = 'cancel' | 'pause' | 'resume' | 'retry'

type Options = {
  readonly flow?: string
  readonly status?: string
  readonly label?: string
  readonly root?: string
  readonly startedAfter?: string
  readonly startedBefore?: string
  readonly all?: boolean
  readonly limitRuns?: string
  readonly rate?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly json?: boolean
  readonly by: string
  readonly reason?: string
  /** False with --no-undo. */
  readonly undo?: boolean
  readonly from?: string
}
type Controlled = { readonly runId: string; readonly status: string; readonly retryOf?: string }
type Failed = { readonly runId: string; readonly code: string; readonly message: string }

const ABOUT: Readonly<Record<ControlAction, string>> = {
  cancel: 'stop runs, and take their effects back',
  pause: 'let runs rest: nothing more is asked for until they are resumed',
  resume: 'let paused runs go on',
  retry: 'run ended runs again, each as a run of its own',
}

/** Only what was said. */
const defined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const saidOf = ({ by, reason, undo, from }: Options): Record<string, unknown> =>
  defined({ by, reason, from, ...(undo === false ? { undo } : {}) })

const whereOf = ({ flow, status, label, root, startedAfter, startedBefore }: Options): Record<string, unknown> =>
  defined({ flow, status, label, root, startedAfter, startedBefore })

/** `baton runs cancel|pause|resume|retry [RUN…]`. */
export const controlCommand = (context: CommandContext, action: ControlAction): Command => {
  const command = new Command(action)
    .description(ABOUT[action])
    .argument('[runs...]', 'ids of runs; without any, those of a query')
    .option('--flow <flow>', 'query: runs of this flow')
    .option('--status <status>', 'query: runs in this state; default those that can be changed like this')
    .option('--label <key=value>', 'query: runs with this label')
    .option('--root <run>', 'query: this run and all that came of it')
    .option('--started-after <time>', 'query: requested then or later, like 2026-01-31T12:00:00Z')
    .option('--started-before <time>', 'query: requested before then')
    .option('--all', 'query: every run that can be changed like this')
    .option('--limit-runs <n>', 'query: at most so many, the newest')
    .option('--rate <perSecond>', 'query: runs changed a second; default 100')
    .option('--dry-run', 'query: only count')
    .option('--yes', 'query: do not ask')
    .option('--by <name>', 'who does it; kept in the journal', userName())
  if (action === 'cancel' || action === 'pause') command.option('--reason <text>', 'kept in the journal')
  if (action === 'cancel') command.option('--no-undo', 'leave effects as they are')
  if (action === 'retry') command.option('--from <step>', 'step to begin from; default the one that failed')
  return command.option('--json', 'print JSON').action(async (runs: readonly string[], options: Options) => {
    const where = whereOf(options)
    const isQuery = Object.keys(where).length > 0 || options.all === true
    if (runs.length > 0 && isQuery) command.error('error: name runs or a query, not both')
    if (runs.length === 0 && !isQuery) command.error('error: name runs, or a query like --flow, --label or --all')
    if (isQuery) await controlMany(context, action, { where, options, command })
    else await controlNamed(context, action, runs, options)
  })
}

/** One after the other; one that is refused does not keep the others back. */
const controlNamed = async (context: CommandContext, action: ControlAction, runs: readonly string[], options: Options): Promise<void> => {
  const answers: (Controlled | Failed)[] = []
  for (const runId of runs) {
    try {
      const answer = await runningSystem().post<Controlled>(`/v1/runs/${encodeURIComponent(runId)}:${action}`, saidOf(options))
      answers.push(answer)
      if (options.json !== true)
        context.terminal.print(`${runId}: ${answer.status}${answer.retryOf === undefined ? '' : ` as ${answer.runId}`}`)
    } catch (error) {
      const { code, message } = toFault(error)
      answers.push({ runId, code, message })
      context.fail()
      if (options.json !== true) context.terminal.note(`${code}: ${message}`)
      if (code === 'bus.unavailable') break
    }
  }
  if (options.json === true) context.terminal.print(JSON.stringify(answers, null, 2))
}

const controlMany = async (
  context: CommandContext,
  action: ControlAction,
  { where, options, command }: { where: Record<string, unknown>; options: Options; command: Command },
): Promise<void> => {
  const { limitRuns, rate, dryRun, yes, json } = options
  const body = {
    where,
    ...saidOf(options),
    ...(limitRuns === undefined ? {} : { limitRuns: Number(limitRuns) }),
    ...(rate === undefined ? {} : { ratePerSecond: Number(rate) }),
  }
  const job = async (more: { dryRun?: boolean }, total?: number) => {
    const { jobId } = await runningSystem().post<{ jobId: string }>(`/v1/runs:${action}`, { ...body, ...more })
    return watchJob(context, { jobId, ...(total === undefined ? {} : { total }) })
  }
  let total: number | undefined
  if (dryRun !== true && yes !== true) {
    if (!context.terminal.interactive || !process.stdin.isTTY)
      command.error('error: this may change many runs; add --yes, or look first with --dry-run')
    total = (await job({ dryRun: true })).matched
    if (total === 0 || !(await confirmed(`${action} ${total} runs?`))) {
      context.terminal.note(total === 0 ? 'no runs match' : 'nothing was changed')
      return
    }
  }
  showJob(context, await job(dryRun === true ? { dryRun } : {}, total), { json })
}

const confirmed = async (question: string): Promise<boolean> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}
