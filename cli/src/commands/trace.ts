import { Command } from 'commander'
import { duration } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type TraceStep = {
  readonly path: string
  readonly kind: string
  readonly status: string
  readonly by?: string | null
  readonly latencyMs?: number | null
  readonly confidence?: number | null
  readonly costUsd?: number
  readonly tries?: number | null
  readonly error?: string | null
  readonly chosen?: string | null
  readonly critical: boolean
  readonly children?: readonly TraceStep[]
}
export type TraceReply = {
  readonly run: {
    readonly runId: string
    readonly flow: string
    readonly version: string
    readonly status: string
    readonly latencyMs?: number | null
    readonly waitedMs?: number | null
  }
  readonly steps: readonly TraceStep[]
}

const figures = (step: TraceStep): string =>
  [
    step.status,
    step.latencyMs == null ? '' : duration(step.latencyMs),
    step.by ?? '',
    step.chosen == null ? '' : `-> ${step.chosen}`,
    step.confidence == null ? '' : `confidence ${step.confidence.toFixed(2)}`,
    (step.tries ?? 1) > 1 ? `${step.tries} tries` : '',
    (step.costUsd ?? 0) > 0 ? `${(step.costUsd ?? 0).toFixed(6)} USD` : '',
    step.error ?? '',
  ]
    .filter((part) => part !== '')
    .join('  ')

const branch = (steps: readonly TraceStep[], indent: string): readonly string[] =>
  steps.flatMap((step, index) => {
    const last = index === steps.length - 1
    const name = step.path.slice(step.path.lastIndexOf('/') + 1)
    const line = `${step.critical ? '*' : ' '} ${indent}${last ? '└─' : '├─'} ${name} (${step.kind})`.padEnd(40)
    return [`${line} ${figures(step)}`, ...branch(step.children ?? [], `${indent}${last ? '   ' : '│  '}`)]
  })

/** A run as a tree; a star marks the critical path. */
export const printTrace = ({ run, steps }: TraceReply): string => {
  const took = run.latencyMs == null ? '' : `, ${duration(run.latencyMs)}`
  const waited = run.waitedMs == null || run.waitedMs === 0 ? '' : `, of which ${duration(run.waitedMs)} waiting for people`
  return [`${run.runId} ${run.flow}@${run.version} ${run.status}${took}${waited}`, ...branch(steps, '')].join('\n')
}

/** `baton trace RUN` (G2). */
export const traceCommand = (context: CommandContext): Command =>
  new Command('trace')
    .description('a run step by step, with the critical path marked')
    .argument('<run>')
    .option('--json', 'print JSON')
    .action(async (run: string, options: { json?: boolean }) => {
      const trace = await runningSystem().get<TraceReply>(`/v1/runs/${encodeURIComponent(run)}/trace`)
      show(context, trace, { ...options, text: () => printTrace(trace) })
    })
