// The rows that the journal becomes, with the order of their columns.

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
}

export type StepStatus = 'dispatched' | 'waiting' | 'completed' | 'failed'

export type StepRow = {
  readonly at_ms: number
  readonly tenant: string
  readonly run_id: string
  readonly seq: number
  readonly path: string
  readonly attempt: number
  readonly node: string
  readonly kind: string
  readonly status: StepStatus
  readonly dispatched_at_ms: number | null
  readonly until_ms: number | null
  readonly reason: string | null
  readonly worked_at_ms: number | null
  readonly latency_ms: number | null
  readonly queued_ms: number | null
  readonly made_by: string | null
  readonly model: string | null
  readonly provider: string | null
  readonly tool: string | null
  readonly input_chars: number | null
  readonly output_chars: number | null
  readonly input_tokens: number | null
  readonly output_tokens: number | null
  readonly cost_micro_usd: number | null
  readonly confidence: number | null
  readonly tries: number | null
  /** JSON: the candidates that failed before. */
  readonly failed_over: string | null
  readonly repaired: boolean | null
  readonly error_code: string | null
  readonly error_message: string | null
  readonly dead_lettered: boolean | null
  /** JSON of a PayloadRef. */
  readonly content_ref: string | null
  readonly output_ref: string | null
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

export type TraceRows = {
  readonly runs: readonly RunRow[]
  readonly steps: readonly StepRow[]
  readonly events: readonly EventRow[]
  readonly results: readonly ResultRow[]
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
} as const satisfies Columns<RunRow>

export const STEP_COLUMNS = {
  at_ms: 'bigint',
  tenant: 'text',
  run_id: 'text',
  seq: 'int',
  path: 'text',
  attempt: 'int',
  node: 'text',
  kind: 'text',
  status: 'text',
  dispatched_at_ms: 'bigint',
  until_ms: 'bigint',
  reason: 'text',
  worked_at_ms: 'bigint',
  latency_ms: 'double precision',
  queued_ms: 'double precision',
  made_by: 'text',
  model: 'text',
  provider: 'text',
  tool: 'text',
  input_chars: 'int',
  output_chars: 'int',
  input_tokens: 'int',
  output_tokens: 'int',
  cost_micro_usd: 'bigint',
  confidence: 'double precision',
  tries: 'int',
  failed_over: 'text',
  repaired: 'boolean',
  error_code: 'text',
  error_message: 'text',
  dead_lettered: 'boolean',
  content_ref: 'text',
  output_ref: 'text',
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
