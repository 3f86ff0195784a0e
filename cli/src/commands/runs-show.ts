// How runs are listed and shown.
import { Command } from 'commander'
import { duration, table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type RunItem = {
  readonly runId: string
  readonly flow: string
  readonly version: string
  readonly status: string
  readonly requestedAtMs: number
  readonly latencyMs?: number | null
  readonly costUsd?: number
  readonly waitingFor?: string | null
}

type ListOptions = {
  json?: boolean
  flow?: string
  status?: string
  label?: string
  root?: string
  parent?: string
  limit: string
  cursor?: string
}

/** `baton runs list`. */
export const listRunsCommand = (context: CommandContext): Command =>
  new Command('list')
    .description('list runs, newest first')
    .option('--flow <flow>', 'only this flow')
    .option('--status <status>', 'open, running, paused, waiting, completed, failed or cancelled')
    .option('--label <key=value>', 'only runs with this label')
    .option('--root <run>', 'only this run and all that came of it')
    .option('--parent <run>', 'only runs that steps of this run started')
    .option('--limit <n>', 'rows, at most 200', '50')
    .option('--cursor <cursor>', 'where the last page ended')
    .option('--json', 'print JSON')
    .action(async ({ json, ...filters }: ListOptions) => {
      const page = await runningSystem().get<{ items: readonly RunItem[]; nextCursor?: string | null }>(`/v1/runs${query(filters)}`)
      const rows = page.items.map((run) => [
        run.runId,
        `${run.flow}@${run.version}`,
        run.status,
        new Date(run.requestedAtMs).toISOString(),
        run.latencyMs == null ? (run.waitingFor ?? '') : duration(run.latencyMs),
      ])
      const more = page.nextCursor == null ? '' : `\nmore: --cursor ${page.nextCursor}`
      show(context, page, {
        ...(json === undefined ? {} : { json }),
        text: () => table(['run', 'flow', 'status', 'requested', 'took'], rows) + more,
      })
    })

/** `baton runs show`. */
export const showRunCommand = (context: CommandContext): Command =>
  new Command('show')
    .description('one run: its result, what it waits for or failed on, and who held or changed it')
    .argument('<run>')
    .action(async (run: string) =>
      context.terminal.print(JSON.stringify(await runningSystem().get(`/v1/runs/${encodeURIComponent(run)}`), null, 2)),
    )
