// Jobs over many runs or dead letters, as the command line begins, watches, holds and stops them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

/** A job as the gateway shows it. */
export type Job = {
  readonly jobId: string
  readonly kind: string
  readonly action: string
  readonly status: 'running' | 'paused' | 'completed' | 'failed' | 'cancelled'
  readonly dryRun: boolean
  readonly matched: number
  readonly done: number
  readonly failed: number
  readonly fault: { readonly code: string; readonly message: string } | null
  readonly by: string
  readonly createdAtMs: number
}

const LOOK_MS = 250

const path = (jobId: string): string => `/v1/jobs/${encodeURIComponent(jobId)}`

/** How far a job is; `total` is how many it will find, where that is known. */
const progress = ({ matched, done, failed, dryRun, status }: Job, { total, noun }: { total: number; noun: string }): string => {
  if (dryRun) return `${matched} ${noun} found`
  const all = Math.max(total, matched)
  return `${bar(all === 0 ? 0 : (done + failed) / all)} ${done + failed} of ${all} ${noun}${status === 'paused' ? ', paused' : ''}`
}

/** Follows a job to its end on the status line. */
export const watchJob = async (
  { terminal }: CommandContext,
  { jobId, total = 0, noun = 'runs' }: { jobId: string; total?: number; noun?: string },
): Promise<Job> => {
  try {
    for (;;) {
      const job = await runningSystem().get<Job>(path(jobId))
      if (job.status !== 'running' && job.status !== 'paused') return job
      if (terminal.interactive) terminal.status(progress(job, { total, noun }))
      await sleep(LOOK_MS)
    }
  } finally {
    terminal.settle()
  }
}

const nounOf = ({ kind }: Job): string => (kind === 'dead-letters' ? 'messages' : 'runs')

const jobText = (job: Job): string => {
  const { jobId, status, action, matched, done, failed, dryRun, fault } = job
  return dryRun && status === 'completed'
    ? `${matched} ${nounOf(job)} match; a dry run changes none`
    : `${action} ${status}: ${done} of ${matched} ${nounOf(job)}${failed === 0 ? '' : `, ${failed} could not be changed`}${fault === null ? '' : `; ${fault.code}: ${fault.message}`} (${jobId})`
}

/** Prints a job; one that did not do all it found is exit 1. */
export const showJob = (context: CommandContext, job: Job, options: { readonly json?: boolean | undefined }): void => {
  show(context, job, { ...(options.json === undefined ? {} : { json: options.json }), text: () => jobText(job) })
  if (job.status === 'failed' || job.failed > 0) context.fail()
}

const ACTIONS = ['cancel', 'pause', 'resume'] as const
type JobOptions = { readonly [action in (typeof ACTIONS)[number]]?: boolean } & { readonly limit: string; readonly json?: boolean }

/** `baton runs jobs [JOB]` and `baton dlq jobs [JOB]`. */
export const jobsCommand = (context: CommandContext): Command =>
  new Command('jobs')
    .description('changes of many runs or dead letters: how far they are')
    .argument('[job]')
    .option('--cancel', 'stop the job; what was done stays done')
    .option('--pause', 'let the job rest')
    .option('--resume', 'let it go on')
    .option('--limit <n>', 'rows, at most 200', '20')
    .option('--json', 'print JSON')
    .action(async (jobId: string | undefined, options: JobOptions, command: Command) => {
      const actions = ACTIONS.filter((action) => options[action] === true)
      const [action] = actions
      if (actions.length > 1) command.error('error: say one of --cancel, --pause and --resume')
      if (jobId === undefined && action !== undefined) command.error(`error: name the job to ${action}`)
      if (jobId !== undefined) {
        const job = await (action === undefined
          ? runningSystem().get<Job>(path(jobId))
          : runningSystem().post<Job>(`${path(jobId)}:${action}`, {}))
        showJob(context, job, options)
        return
      }
      const { items } = await runningSystem().get<{ items: readonly Job[] }>(`/v1/jobs${query({ limit: options.limit })}`)
      const rows = items.map((job) => [
        job.jobId,
        job.action,
        job.status,
        job.matched,
        job.done,
        job.failed,
        job.by,
        new Date(job.createdAtMs).toISOString(),
      ])
      show(context, items, {
        ...(options.json === undefined ? {} : { json: options.json }),
        text: () => table(['job', 'action', 'status', 'matched', 'done', 'failed', 'by', 'begun'], rows),
      })
    })
