// Every metric and span attribute of Baton by its pinned name. Dashboards and alerts rely on them: add rows, rename nothing.

export type MetricKind = 'counter' | 'gauge' | 'histogram'
export type MetricSpec = {
  readonly kind: MetricKind
  readonly about: string
  readonly labels: readonly string[]
  readonly bucketsMs?: readonly number[]
}

/** Bounds that suit calls from a cache hit to a slow model. */
export const LATENCY_BUCKETS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000] as const
/** Bounds for whole runs, people included. */
const RUN_BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000, 300_000, 3_600_000, 86_400_000] as const

/** Names ending in `_seconds` are observed in milliseconds and exported in seconds. */
export const METRICS = {
  baton_dead_letters: { kind: 'gauge', about: 'Dead letters that nobody redrove or discarded', labels: ['service', 'code'] },
  baton_dead_letters_oldest_seconds: { kind: 'gauge', about: 'Age of the oldest of them', labels: ['service'] },
  baton_dead_letter_kinds_total: {
    kind: 'counter',
    about: 'Dead letters that were the first of their fingerprint',
    labels: ['service', 'code'],
  },
  baton_requests_total: { kind: 'counter', about: 'Requests taken in, by what became of them', labels: ['via', 'outcome'] },
  baton_messages_total: {
    kind: 'counter',
    about: 'Messages handled in lanes, by what became of them',
    labels: ['service', 'pattern', 'outcome'],
  },
  baton_message_seconds: { kind: 'histogram', about: 'Time of one message in its handler', labels: ['service', 'pattern'] },
  baton_lanes_in_flight: { kind: 'gauge', about: 'Messages being handled now', labels: ['service', 'group'] },
  baton_lanes_watermark_gap: { kind: 'gauge', about: 'Messages taken and not settled', labels: ['service', 'group'] },
  baton_produced_records: { kind: 'gauge', about: 'Records published by this process since its start', labels: ['service'] },
  baton_produced_requests: {
    kind: 'gauge',
    about: 'Requests that carried them; records / requests is the batch size',
    labels: ['service'],
  },
  baton_lanes_busy: { kind: 'gauge', about: 'Keys that have a message in this process', labels: ['service', 'group'] },
  baton_lanes_held_bytes: { kind: 'gauge', about: 'Bytes of the messages taken and not settled', labels: ['service', 'group'] },
  baton_lanes_oldest_unprocessed_seconds: {
    kind: 'gauge',
    about: 'Since when the oldest message that is not settled is in its topic',
    labels: ['service', 'group'],
  },
  baton_lanes_partitions: { kind: 'gauge', about: 'Partitions of this process', labels: ['service', 'group'] },
  baton_lanes_partitions_paused: {
    kind: 'gauge',
    about: 'Partitions that take nothing now because a bound is reached',
    labels: ['service', 'group'],
  },
  baton_lanes_ownership_changes: { kind: 'gauge', about: 'Partitions that came or went since the start', labels: ['service', 'group'] },
  baton_lanes_lag: {
    kind: 'gauge',
    about: 'Messages between the positions and the ends of the own partitions',
    labels: ['service', 'group', 'topic'],
  },
  baton_lanes_retry_depth: {
    kind: 'gauge',
    about: 'Messages in the retry topics of the own partitions',
    labels: ['service', 'group', 'topic'],
  },
  baton_lanes_oldest_seconds: { kind: 'gauge', about: 'Age of the oldest message taken and not settled', labels: ['service', 'group'] },
  baton_steps_total: { kind: 'counter', about: 'Attempts of steps, by service and outcome', labels: ['service', 'contract', 'outcome'] },
  baton_step_seconds: {
    kind: 'histogram',
    about: 'Time of the work of one attempt of a step, as its service measured it',
    labels: ['kind', 'outcome'],
  },
  baton_faults_total: { kind: 'counter', about: 'Faults by code', labels: ['service', 'code'] },
  baton_http_requests_total: { kind: 'counter', about: 'HTTP answers by status class', labels: ['service', 'status'] },
  baton_http_request_seconds: { kind: 'histogram', about: 'Time of one HTTP request', labels: ['service'] },
  baton_runs_total: { kind: 'counter', about: 'Runs that ended, by flow and status', labels: ['flow', 'status'] },
  baton_runs_escalated_total: { kind: 'counter', about: 'Runs that ended after a person was asked', labels: ['flow'] },
  baton_run_seconds: { kind: 'histogram', about: 'Time from request to result', labels: ['flow'], bucketsMs: RUN_BUCKETS_MS },
  baton_run_cost_micro_usd_total: { kind: 'counter', about: 'Cost of ended runs in millionths of a US dollar', labels: ['flow'] },
  baton_model_call_seconds: { kind: 'histogram', about: 'Time of one model call', labels: ['model', 'outcome'] },
  baton_model_breaker_state: { kind: 'gauge', about: 'Breakers of models and servers: 0 closed, 1 half open, 2 open', labels: ['name'] },
  baton_model_breaker_opened_total: { kind: 'counter', about: 'How often a breaker opened here', labels: ['name', 'code'] },
  baton_model_hedges_total: { kind: 'counter', about: 'Calls started a second time, by which was faster', labels: ['model', 'won'] },
  baton_model_failovers_total: {
    kind: 'counter',
    about: 'Calls that failed and were followed by another model',
    labels: ['model', 'code'],
  },
  baton_model_deferred_total: { kind: 'counter', about: 'Commands put off because nothing could serve them', labels: ['reason'] },
  baton_model_cost_micro_usd_total: {
    kind: 'counter',
    about: 'Cost of calls in millionths of a US dollar, those of no use included',
    labels: ['model'],
  },
  baton_model_limited_total: { kind: 'counter', about: 'Calls that a limit held back', labels: ['of'] },
  baton_model_cache_total: { kind: 'counter', about: 'Steps with a cache, by whether it had the answer', labels: ['outcome'] },
  baton_model_cache_saved_micro_usd_total: { kind: 'counter', about: 'What answers of the cache would have cost', labels: [] },
  baton_budget_used_ratio: { kind: 'gauge', about: 'The fullest budget of a kind, as this process knows it', labels: ['of', 'per'] },
  baton_budget_lasts_seconds: { kind: 'gauge', about: 'How long the budget of a kind will last that is gone first', labels: ['of', 'per'] },
  baton_budget_alerts_total: { kind: 'counter', about: 'Budgets that became short, by why that was said', labels: ['of', 'reason'] },
  baton_tool_call_seconds: { kind: 'histogram', about: 'Time of one tool call', labels: ['tool', 'outcome'] },
  baton_reviews_total: { kind: 'counter', about: 'What happened to reviews', labels: ['event'] },
  baton_reviews_hurried_total: { kind: 'counter', about: 'Decisions of people that took less than three seconds', labels: [] },
  baton_review_notices_total: { kind: 'counter', about: 'Tries to tell addresses outside of a review', labels: ['outcome'] },
  baton_reviews_open: { kind: 'gauge', about: 'Review tasks that wait for a person', labels: ['queue'] },
  baton_routing_runs_retired_total: { kind: 'counter', about: 'Runs that ended and left the hot table', labels: [] },
  baton_retention_removed_total: {
    kind: 'counter',
    about: 'What was removed because it was kept long enough: rows, of ended runs partitions',
    labels: ['table'],
  },
  baton_checkpoint_lag_seconds: { kind: 'gauge', about: 'Age of the oldest record that no checkpoint covers', labels: [] },
} as const satisfies Record<string, MetricSpec>
export type MetricName = keyof typeof METRICS

/** Attributes of spans and log lines. */
export const ATTRIBUTES = {
  runId: 'baton.run.id',
  tenant: 'baton.tenant',
  flow: 'baton.flow.name',
  flowVersion: 'baton.flow.version',
  stepPath: 'baton.step.path',
  attemptId: 'baton.step.attempt_id',
  faultCode: 'baton.fault.code',
  model: 'gen_ai.request.model',
  provider: 'gen_ai.provider.name',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
} as const
