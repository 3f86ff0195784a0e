import { Command } from 'commander'
import { duration } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type More = { readonly hidden: number; readonly after: number }
type Sum = { readonly steps: number; readonly failed: number; readonly costUsd: number; readonly workMs: number; readonly waitMs: number }
type NestedRun = {
  readonly runId: string
  readonly flow: string
  readonly version: string
  readonly status: string
  readonly latencyMs?: number | null
  readonly costUsd?: number
  readonly rerunOf?: string | null
  readonly steps?: readonly TraceStep[]
  readonly more?: More
}
type TraceStep = {
  readonly path: string
  readonly kind: string
  readonly status: string
  readonly by?: string | null
  readonly latencyMs?: number | null
  readonly confidence?: number | null
  readonly costUsd?: number
  readonly tries?: number | null
  readonly leftOut?: readonly { readonly part: string; readonly tokens: number; readonly how: string }[] | null
  readonly error?: string | null
  readonly chosen?: string | null
  readonly critical: boolean
  readonly event?: string | null
  readonly untilMs?: number | null
  readonly parts?: number | null
  readonly sum?: Sum
  readonly counts?: Readonly<Record<string, number>>
  readonly run?: NestedRun
  readonly more?: More
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
    readonly parentRunId?: string | null
    readonly rerunOf?: string | null
  }
  readonly steps: readonly TraceStep[]
  readonly more?: More
  readonly sum?: Sum
  readonly complete?: boolean
  readonly otherRuns?: readonly NestedRun[]
}

/** Children by status are told from here on. */
const COUNTED_FROM = 2
const STATUS_ORDER = ['failed', 'opened', 'dispatched', 'waiting', 'completed', 'abandoned'] as const

const usd = (amount: number): string => (amount > 0 ? `${amount.toFixed(6)} USD` : '')

const countsOf = ({ counts = {}, parts }: TraceStep): string => {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  if (Math.max(total, parts ?? 0) < COUNTED_FROM) return ''
  const told = STATUS_ORDER.flatMap((status) => (counts[status] === undefined ? [] : [`${counts[status]} ${status}`]))
  const of = parts != null && parts > total ? ` of ${parts}` : ''
  return `${told.join(', ')}${of}`
}

const stateOf = (step: TraceStep): string => {
  if (step.status !== 'opened') return step.status
  if (step.event != null) return `waits for ${step.event}`
  return step.untilMs == null ? 'open' : `waits until ${new Date(step.untilMs).toISOString()}`
}

const figures = (step: TraceStep): string =>
  [stateOf(step), took(step.latencyMs), countsOf(step), ...workOf(step), ...costOf(step), step.error ?? '']
    .filter((part) => part !== '')
    .join('  ')

const took = (ms: number | null | undefined): string => (ms == null ? '' : duration(ms))

const workOf = ({ by, chosen, confidence, tries, leftOut }: TraceStep): readonly string[] => [
  by ?? '',
  chosen == null ? '' : `-> ${chosen}`,
  confidence == null ? '' : `confidence ${confidence.toFixed(2)}`,
  (tries ?? 1) > 1 ? `${tries} tries` : '',
  ...(leftOut ?? []).map(({ part, tokens, how }) => `${part} without ${tokens} tokens (${how})`),
]

/** Of what is made of others: what all of it took. */
const costOf = ({ costUsd = 0, sum, children = [] }: TraceStep): readonly string[] => {
  if (sum === undefined) return [usd(costUsd)]
  return [children.length > 0 && sum.workMs > 0 ? `work ${duration(sum.workMs)}` : '', usd(Math.max(costUsd, sum.costUsd))]
}

/** `[17]` of a step's own parts, the last name of any other place. */
const nameOf = ({ path }: TraceStep, parent: string | undefined): string =>
  parent !== undefined && path.startsWith(`${parent}[`) ? path.slice(parent.length) : path.slice(path.lastIndexOf('/') + 1)

const moreLine = (more: More, { runId, under, indent }: { runId: string; under: string | undefined; indent: string }): string => {
  const at = under === undefined ? '' : ` --under '${under}'`
  return `  ${indent}└─ … and ${more.hidden} more: baton trace ${runId}${at} --after ${more.after}`
}

type Where = { readonly runId: string; readonly indent: string; readonly under: string | undefined; readonly more: More | undefined }

const branch = (steps: readonly TraceStep[], where: Where): readonly string[] => {
  const { runId, indent, under, more } = where
  const lines = steps.flatMap((step, index) => {
    const last = index === steps.length - 1 && more === undefined
    const line = `${step.critical ? '*' : ' '} ${indent}${last ? '└─' : '├─'} ${nameOf(step, under)} (${step.kind})`.padEnd(40)
    const inner = `${indent}${last ? '   ' : '│  '}`
    const below = branch(step.children ?? [], { runId, indent: inner, under: step.path, more: step.more })
    return [`${line} ${figures(step)}`, ...below, ...(step.run === undefined ? [] : runLines(step.run, inner))]
  })
  return more === undefined ? lines : [...lines, moreLine(more, { runId, under, indent })]
}

const headOf = ({ runId, flow, version, status, latencyMs }: NestedRun): string =>
  `${runId} ${flow}@${version} ${status}${latencyMs == null ? '' : `, ${duration(latencyMs)}`}`

const runLines = (run: NestedRun, indent: string): readonly string[] => [
  `  ${indent}└─ ${headOf(run)}`,
  ...branch(run.steps ?? [], { runId: run.runId, indent: `${indent}   `, under: undefined, more: run.more }),
]

/** A run as a tree; a star marks the critical path. `under` is the place whose parts are shown. */
export const printTrace = (reply: TraceReply, under?: string): string => {
  const { run, steps, sum, more, otherRuns = [] } = reply
  const waited =
    run.waitedMs == null || run.waitedMs === 0 ? '' : `, of which ${duration(run.waitedMs)} waiting for people, events or times`
  const cost = sum === undefined || sum.costUsd === 0 ? '' : `, ${usd(sum.costUsd)}`
  return [
    `${headOf(run)}${waited}${cost}${under === undefined ? '' : `, below ${under}`}`,
    ...(run.parentRunId == null ? [] : [`  started by ${run.parentRunId}`]),
    ...(run.rerunOf == null ? [] : [`  runs ${run.rerunOf} again`]),
    ...branch(steps, { runId: run.runId, indent: '', under, more }),
    ...otherRuns.map((other) => `  ${other.rerunOf == null ? 'started' : 'run again as'} ${headOf(other)}`),
    ...(reply.complete === false
      ? ['  (there is more than is read at once; sums are of what was read: look below a step with --under)']
      : []),
  ].join('\n')
}

/** `baton trace RUN` (G2). */
export const traceCommand = (context: CommandContext): Command =>
  new Command('trace')
    .description('a run step by step, with the critical path marked')
    .argument('<run>')
    .option('--under <path>', 'only what is below this step, as findings or findings[17]')
    .option('--after <n>', 'go on behind so many of its parts')
    .option('--limit <n>', 'parts of a step to show, at most 200')
    .option('--json', 'print JSON')
    .action(async (run: string, { json, ...page }: { json?: boolean; under?: string; after?: string; limit?: string }) => {
      const trace = await runningSystem().get<TraceReply>(`/v1/runs/${encodeURIComponent(run)}/trace${query(page)}`)
      show(context, trace, { ...(json === undefined ? {} : { json }), text: () => printTrace(trace, page.under) })
    })
