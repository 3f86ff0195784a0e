// A run as readers see it.
import type { Json } from '@baton/contracts'

export type RunView = {
  readonly runId: string
  readonly tenant: string
  readonly flow: string
  readonly version: string
  readonly status: 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled'
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
}

/** What a step in progress says about its run. */
export type OpenStep = {
  readonly runId: string
  readonly path: string
  readonly kind: string
  readonly status: string
  readonly reason: string | null
  readonly errorCode: string | null
}

export const RUN_FIELDS = `r.run_id as "runId", r.tenant, r.flow, r.version, r.status, r.request_id as "requestId", r.source, r.priority, r.labels,
  r.requested_at_ms as "requestedAtMs", r.started_at_ms as "startedAtMs", r.ended_at_ms as "endedAtMs", r.latency_ms as "latencyMs",
  r.working_ms as "workingMs", r.waited_ms as "waitedMs", r.cost_micro_usd as "costMicroUsd", r.steps, r.escalated,
  r.fault_code as "faultCode", r.fault_message as "faultMessage"`

const number = (text: string | null): number | null => (text === null ? null : Number(text))

/** Millionths as dollars. */
export const usd = (microUsd: number): number => microUsd / 1e6

/** A run with what its open steps say. */
export const runView = ({ faultCode, faultMessage, costMicroUsd, ...run }: RunRecord, open: readonly OpenStep[]): RunView => {
  const isOpen = run.status === 'running'
  const forPerson = isOpen && open.some(({ kind }) => kind === 'human')
  return {
    ...run,
    status: forPerson ? 'waiting' : run.status,
    labels: run.labels ?? {},
    requestedAtMs: Number(run.requestedAtMs),
    startedAtMs: number(run.startedAtMs),
    endedAtMs: number(run.endedAtMs),
    costUsd: usd(Number(costMicroUsd ?? 0)),
    escalated: run.escalated ?? forPerson,
    fault: faultCode === null ? null : { code: faultCode, message: faultMessage ?? '' },
    waitingFor: isOpen && open.length > 0 ? open.map(inWords).join(', ') : null,
  }
}

const inWords = ({ kind, path, status, reason, errorCode }: OpenStep): string => {
  if (kind === 'human') return `a person: ${path}`
  if (status === 'waiting' && reason === 'retrying') return `${path}, trying again${errorCode === null ? '' : ` after ${errorCode}`}`
  if (status === 'waiting' && reason === 'deferred') return `${path}, until its dependency is back`
  return `${kind}: ${path}`
}

/** The result of a run as JSON text was published. */
export type StoredResult = { readonly body: string }
/** Written by this service as the JSON of a RunResult. */
export const resultJson = ({ body }: StoredResult): Json => JSON.parse(body) as Json
