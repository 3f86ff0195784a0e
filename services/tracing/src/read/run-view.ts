// A run as readers see it.
import type { Json } from '@baton/contracts'

export type RunView = {
  readonly runId: string
  readonly tenant: string
  readonly flow: string
  readonly version: string
  /** `paused`: nothing is begun until it is resumed. `waiting`: for a person, an event or a time. */
  readonly status: 'running' | 'paused' | 'waiting' | 'completed' | 'failed' | 'cancelled'
  readonly requestId: string | null
  readonly source: string | null
  readonly priority: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly requestedAtMs: number
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** From request to result. */
  readonly latencyMs: number | null
  /** Latency without the time people and events were waited for. */
  readonly workingMs: number | null
  readonly waitedMs: number | null
  readonly costUsd: number
  readonly steps: number | null
  readonly escalated: boolean
  readonly fault: { readonly code: string; readonly message: string } | null
  /** What an open run waits for, in words; null when it has ended. */
  readonly waitingFor: string | null
  /** The run whose step started this one, or that this one runs again. */
  readonly parentRunId: string | null
  /** The run at the top of its tree; null for one that is at the top itself. */
  readonly rootRunId: string | null
  readonly rerunOf: string | null
  readonly paused: { readonly by: string; readonly atMs: number } | null
}

/** A run as selected; bigint columns arrive as text. */
export type RunRecord = {
  runId: string
  tenant: string
  flow: string
  version: string
  status: 'running' | 'completed' | 'failed' | 'cancelled'
  requestId: string | null
  source: string | null
  priority: string | null
  labels: Readonly<Record<string, string>> | null
  requestedAtMs: string
  startedAtMs: string | null
  endedAtMs: string | null
  latencyMs: number | null
  workingMs: number | null
  waitedMs: number | null
  costMicroUsd: string | null
  steps: number | null
  escalated: boolean | null
  faultCode: string | null
  faultMessage: string | null
  parentRunId: string | null
  rootRunId: string | null
  rerunOf: string | null
  pausedBy: string | null
  pausedAtMs: string | null
}

/** What a step in progress says about its run. */
export type OpenStep = {
  readonly runId: string
  readonly path: string
  readonly kind: string
  readonly status: string
  readonly reason: string | null
  readonly errorCode: string | null
  readonly untilMs: number | null
  readonly event: string | null
  readonly childRunId: string | null
}

export const RUN_FIELDS = `r.run_id as "runId", r.tenant, r.flow, r.version, r.status, r.request_id as "requestId", r.source, r.priority, r.labels,
  r.requested_at_ms as "requestedAtMs", r.started_at_ms as "startedAtMs", r.ended_at_ms as "endedAtMs", r.latency_ms as "latencyMs",
  r.working_ms as "workingMs", r.waited_ms as "waitedMs", r.cost_micro_usd as "costMicroUsd", r.steps, r.escalated,
  r.fault_code as "faultCode", r.fault_message as "faultMessage", r.parent_run_id as "parentRunId", r.root_run_id as "rootRunId",
  r.rerun_of as "rerunOf", h.made_by as "pausedBy", h.at_ms as "pausedAtMs"`

/** Where these fields come from. */
export const FROM_RUNS = 'from trace_runs r left join trace_holds h on h.run_id = r.run_id and h.tenant = r.tenant and h.paused'

/** Steps that a run with many open ones is said to wait for. */
const NAMED_MAX = 5

const number = (text: string | null): number | null => (text === null ? null : Number(text))

/** A moment for people. */
export const timeOf = (atMs: number): string => new Date(atMs).toISOString()

/** Millionths as dollars. */
export const usd = (microUsd: number): number => microUsd / 1e6

/** A run with what its open steps say. */
export const runView = (record: RunRecord, open: readonly OpenStep[]): RunView => {
  const { faultCode, faultMessage, costMicroUsd, pausedBy, pausedAtMs, ...run } = record
  const isOpen = run.status === 'running'
  const paused = isOpen && pausedBy !== null ? { by: pausedBy, atMs: Number(pausedAtMs) } : null
  const idle = open.some(({ kind }) => kind === 'human' || kind === 'event' || kind === 'wait')
  return {
    ...run,
    status: statusOf(run.status, { paused: paused !== null, idle }),
    labels: run.labels ?? {},
    requestedAtMs: Number(run.requestedAtMs),
    startedAtMs: number(run.startedAtMs),
    endedAtMs: number(run.endedAtMs),
    costUsd: usd(Number(costMicroUsd ?? 0)),
    escalated: run.escalated ?? (isOpen && open.some(({ kind }) => kind === 'human')),
    fault: faultCode === null ? null : { code: faultCode, message: faultMessage ?? '' },
    waitingFor: isOpen ? waitingFor(paused, open) : null,
    paused,
  }
}

const statusOf = (status: RunRecord['status'], { paused, idle }: { paused: boolean; idle: boolean }): RunView['status'] => {
  if (status !== 'running') return status
  return paused ? 'paused' : idle ? 'waiting' : 'running'
}

const waitingFor = (paused: RunView['paused'], open: readonly OpenStep[]): string | null => {
  if (paused !== null) return `to be resumed; paused by ${paused.by}`
  if (open.length === 0) return null
  const asked = namedFirst(open)
  const more = asked.length > NAMED_MAX ? ` and ${asked.length - NAMED_MAX} more` : ''
  return `${asked.slice(0, NAMED_MAX).map(inWords).join(', ')}${more}`
}

const FRAMES: ReadonlySet<string> = new Set(['parallel', 'map', 'vote', 'loop', 'agent', 'team', 'undo'])

/** Whether a step only stands around what is waited for. */
export const isFrame = ({ kind, status }: Pick<OpenStep, 'kind' | 'status'>): boolean => status === 'opened' && FRAMES.has(kind)

/** What is waited for, without the composed steps around it, unless nothing else is open. */
const namedFirst = (open: readonly OpenStep[]): readonly OpenStep[] => {
  const inside = open.filter((step) => !isFrame(step))
  return inside.length === 0 ? open : inside
}

const inWords = ({ kind, path, status, reason, errorCode, event, untilMs }: OpenStep): string => {
  if (kind === 'human') return `a person: ${path}`
  if (kind === 'event') return `the event ${event ?? ''}: ${path}`
  if (kind === 'wait') return `${untilMs === null ? 'a time' : timeOf(untilMs)}: ${path}`
  if (status === 'waiting' && reason === 'retrying') return `${path}, trying again${errorCode === null ? '' : ` after ${errorCode}`}`
  if (status === 'waiting' && reason === 'deferred') return `${path}, until its dependency is back`
  return `${kind}: ${path}`
}

/** The result of a run as JSON text was published. */
export type StoredResult = { readonly body: string }
/** Written by this service as the JSON of a RunResult. */
export const resultJson = ({ body }: StoredResult): Json => JSON.parse(body) as Json
