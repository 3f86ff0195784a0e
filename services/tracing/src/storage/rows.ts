// The rows that the journal becomes, with the order of their columns.
import type { PayloadRef } from '@baton/contracts'

export type RunRow = {
  requested_at_ms: number
  tenant: string
  run_id: string
  flow: string
  version: string
  status: 'running' | 'completed' | 'failed' | 'cancelled'
  plan_hash: string | null
  request_id: string | null
  source: string | null
  priority: string | null
  labels: Readonly<Record<string, string>> | null
  started_at_ms: number | null
  ended_at_ms: number | null
  latency_ms: number | null
  working_ms: number | null
  waited_ms: number | null
  cost_micro_usd: number | null
  steps: number | null
  escalated: boolean | null
  fault_code: string | null
  fault_message: string | null
  parent_run_id: string | null
  root_run_id: string | null
  rerun_of: string | null
}

/** `opened`: a step that is made of others, or waits, has begun. It has no attempts of its own. */
export type StepStatus = 'opened' | 'dispatched' | 'waiting' | 'completed' | 'failed'

/** What is known of an attempt beyond the columns that are searched. Absent: not known. */
export type StepFacts = {
  readonly node: string
  readonly dispatchedAtMs?: number | undefined
  readonly untilMs?: number | undefined
  readonly reason?: string | undefined
  readonly workedAtMs?: number | undefined
  readonly queuedMs?: number | undefined
  readonly by?: string | undefined
  readonly provider?: string | undefined
  readonly tool?: string | undefined
  readonly inputChars?: number | undefined
  readonly outputChars?: number | undefined
  readonly inputTokens?: number | undefined
  readonly outputTokens?: number | undefined
  readonly confidence?: number | undefined
  readonly rawConfidence?: number | undefined
  readonly tries?: number | undefined
  readonly failedOver?: readonly string[] | undefined
  readonly repaired?: boolean | undefined
  /** Parts of the context that did not fit, and how they were shortened. */
  readonly leftOut?: readonly { readonly part: string; readonly tokens: number; readonly how: string }[] | undefined
  readonly errorMessage?: string | undefined
  readonly deadLettered?: boolean | undefined
  readonly contentRef?: PayloadRef | undefined
  readonly outputRef?: PayloadRef | undefined
  /** How many parts a step has that is made of others, where that was known when it began. */
  readonly parts?: number | undefined
  /** What a composed step said when it began: the event or the time it waits for, the run it started. */
  readonly event?: string | undefined
  readonly childRunId?: string | undefined
}

export type StepRow = {
  readonly at_ms: number
  readonly tenant: string
  readonly run_id: string
  readonly seq: number
  readonly path: string
  readonly attempt: number
  readonly kind: string
  readonly status: StepStatus
  readonly model: string | null
  readonly latency_ms: number | null
  readonly cost_micro_usd: number | null
  readonly error_code: string | null
  readonly facts: StepFacts
}

export type EventRow = {
  readonly at_ms: number
  readonly tenant: string
  readonly run_id: string
  readonly id: string
  readonly name: string
  readonly path: string | null
  readonly attempt_id: string | null
  readonly made_by: string | null
  /** JSON: what the event says beyond the columns; no content. */
  readonly detail: string | null
}

export type ResultRow = { readonly run_id: string; readonly tenant: string; readonly body: string }

/** Whether the run is held, by the newest word on it. */
export type HoldRow = {
  readonly run_id: string
  readonly tenant: string
  readonly seq: number
  readonly at_ms: number
  readonly paused: boolean
  readonly made_by: string
}

/** A step that waits for an event by a key. */
export type WaitRow = {
  readonly run_id: string
  readonly tenant: string
  readonly seq: number
  readonly at_ms: number
  readonly path: string
  readonly event: string
  readonly key: string
}

export type TraceRows = {
  readonly runs: readonly RunRow[]
  readonly steps: readonly StepRow[]
  readonly events: readonly EventRow[]
  readonly results: readonly ResultRow[]
  readonly holds: readonly HoldRow[]
  readonly waits: readonly WaitRow[]
}

type Columns<Row> = Readonly<Record<keyof Row, 'text' | 'bigint' | 'int' | 'double precision' | 'boolean' | 'jsonb'>>

/** Names and types of the columns, in the order in which values travel. */
export const RUN_COLUMNS = {
  requested_at_ms: 'bigint',
  tenant: 'text',
  run_id: 'text',
  flow: 'text',
  version: 'text',
  status: 'text',
  plan_hash: 'text',
  request_id: 'text',
  source: 'text',
  priority: 'text',
  labels: 'jsonb',
  started_at_ms: 'bigint',
  ended_at_ms: 'bigint',
  latency_ms: 'double precision',
  working_ms: 'double precision',
  waited_ms: 'double precision',
  cost_micro_usd: 'bigint',
  steps: 'int',
  escalated: 'boolean',
  fault_code: 'text',
  fault_message: 'text',
  parent_run_id: 'text',
  root_run_id: 'text',
  rerun_of: 'text',
} as const satisfies Columns<RunRow>

/** Few columns: each costs more than its bytes. `facts` is JSON text, because nothing searches it. */
export const STEP_COLUMNS = {
  at_ms: 'bigint',
  tenant: 'text',
  run_id: 'text',
  seq: 'int',
  path: 'text',
  attempt: 'int',
  kind: 'text',
  status: 'text',
  model: 'text',
  latency_ms: 'double precision',
  cost_micro_usd: 'bigint',
  error_code: 'text',
  facts: 'text',
} as const satisfies Columns<StepRow>

export const EVENT_COLUMNS = {
  at_ms: 'bigint',
  tenant: 'text',
  run_id: 'text',
  id: 'text',
  name: 'text',
  path: 'text',
  attempt_id: 'text',
  made_by: 'text',
  detail: 'text',
} as const satisfies Columns<EventRow>

export const RESULT_COLUMNS = { run_id: 'text', tenant: 'text', body: 'text' } as const satisfies Columns<ResultRow>

export const WAIT_COLUMNS = {
  run_id: 'text',
  tenant: 'text',
  seq: 'int',
  at_ms: 'bigint',
  path: 'text',
  event: 'text',
  key: 'text',
} as const satisfies Columns<WaitRow>

export const HOLD_COLUMNS = {
  run_id: 'text',
  tenant: 'text',
  seq: 'int',
  at_ms: 'bigint',
  paused: 'boolean',
  made_by: 'text',
} as const satisfies Columns<HoldRow>
