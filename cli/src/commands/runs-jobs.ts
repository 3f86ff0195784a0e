// Jobs over many runs, as the command line begins, watches and stops them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { table } from '../print/table.ts'
import { bar } from '../terminal.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

/** A job as the gateway shows it. */
export type Job = {
  readonly jobId: string
  readonly action: string
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled'
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

/** How far a job is; `total` is how many runs it will find, where that is known. */
const progress = ({ matched, done, failed, dryRun }: Job, total: number): string => {
  if (dryRun) return `${matched} runs found`
  const all = Math.max(total, matched)
  return `${bar(all === 0 ? 0 : (done + failed) / all)} ${done + failed} of ${all} runs`
}

/** Follows a job to its end on the status line. */
export const watchJob = async ({ terminal }: CommandContext, { jobId, total = 0 }: { jobId: string; total?: number }): Promise<Job> => {
  try {
    for (;;) {
      const job = await runningSystem().get<Job>(path(jobId))
      if (job.status !== 'running') return job
      if (terminal.interactive) terminal.status(progress(job, total))
      await sleep(LOOK_MS)
    }
  } finally {
    terminal.settle()
  }
}

const jobText = ({ jobId, status, action, matched, done, failed, dryRun, fault }: Job): string =>
  dryRun && status === 'completed'
    ? `${matched} runs match; a dry run changes none`
    : `${action} ${status}: ${done} of ${matched} runs${failed === 0 ? '' : `, ${failed} could not be changed`}${fault === null ? '' : `; ${fault.code}: ${fault.message}`} (${jobId})`

/** Prints a job; one that did not do all it found is exit 1. */
export const showJob = (context: CommandContext, job: Job, options: { readonly json?: boolean | undefined }): void => {
  show(context, job, { ...(options.json === undefined ? {} : { json: options.json }), text: () => jobText(job) })
  if (job.status === 'failed' || job.failed > 0) context.fail()
}

/** `baton runs jobs [JOB]`. */
export const jobsCommand = (context: CommandContext): Command =>
  new Command('jobs')
    .description('changes of many runs: how far they are; --cancel stops one')
    .argument('[job]')
    .option('--cancel', 'stop the job; what was done stays done')
    .option('--limit <n>', 'rows, at most 200', '20')
    .option('--json', 'print JSON')
    .action(async (jobId: string | undefined, options: { cancel?: boolean; limit: string; json?: boolean }, command: Command) => {
      if (jobId === undefined && options.cancel === true) command.error('error: name the job to cancel')
      if (jobId !== undefined) {
        const job = await (options.cancel === true
          ? runningSystem().post<Job>(`${path(jobId)}:cancel`, {})
          : runningSystem().get<Job>(path(jobId)))
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
