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

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('list runs, newest first')
    .option('--flow <flow>', 'only this flow')
    .option('--status <status>', 'running, waiting, completed, failed or cancelled')
    .option('--label <key=value>', 'only runs with this label')
    .option('--limit <n>', 'rows, at most 200', '50')
    .option('--cursor <cursor>', 'where the last page ended')
    .option('--json', 'print JSON')
    .action(
      async ({ json, ...filters }: { json?: boolean; flow?: string; status?: string; label?: string; limit: string; cursor?: string }) => {
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
      },
    )

const showOne = (context: CommandContext): Command =>
  new Command('show')
    .description('one run and its result')
    .argument('<run>')
    .action(async (run: string) =>
      context.terminal.print(JSON.stringify(await runningSystem().get(`/v1/runs/${encodeURIComponent(run)}`), null, 2)),
    )

const cancel = (context: CommandContext): Command =>
  new Command('cancel')
    .description('stop a run')
    .argument('<run>')
    .option('--reason <text>', 'kept with the run', 'cancelled on the command line')
    .action(async (run: string, { reason }: { reason: string }) => {
      await runningSystem().post(`/v1/runs/${encodeURIComponent(run)}:cancel`, { by: 'cli', reason })
      context.terminal.print(`${run}: cancelling`)
    })

/** `baton runs list|show|cancel`. */
export const runsCommand = (context: CommandContext): Command =>
  new Command('runs')
    .description('list, show and cancel runs')
    .addCommand(list(context))
    .addCommand(showOne(context))
    .addCommand(cancel(context))
