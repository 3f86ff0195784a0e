import { Command } from 'commander'
import { duration, percent, table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type FlowStats = {
  readonly flow: string
  readonly runs: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly open: number
  readonly escalated: number
  readonly meanLatencyMs: number
  readonly p95LatencyMs: number
  readonly costUsd: number
}

/** `baton stats [FLOW]`: what happened lately, by flow (G4). */
export const statsCommand = (context: CommandContext): Command =>
  new Command('stats')
    .description('completion rate, latency, escalation rate and cost')
    .argument('[flow]', 'only this flow')
    .option('--json', 'print JSON')
    .action(async (flow: string | undefined, options: { json?: boolean }) => {
      const { items } = await runningSystem().get<{ items: readonly FlowStats[] }>(`/v1/stats${query({ flow })}`)
      const rows = items.map((row) => [
        row.flow,
        row.runs,
        percent(row.completed, row.completed + row.failed + row.cancelled),
        row.open,
        percent(row.escalated, row.runs),
        duration(row.meanLatencyMs),
        duration(row.p95LatencyMs),
        row.costUsd.toFixed(4),
      ])
      show(context, items, {
        ...options,
        text: () => table(['flow', 'runs', 'completed', 'open', 'escalated', 'mean', 'p95', 'cost USD'], rows),
      })
    })
