// What an operator sees of steps and runs as they end: one structured line a step (G1), and metrics.
import type { Telemetry } from '@baton/telemetry'
import type { RunRow, StepRow, TraceRows } from '../storage/rows.ts'
import { isClosed } from './step-rows.policy.ts'

/** Reports what a batch brought to an end. Called after the rows are committed; a repeat of an event is reported again. */
export const reportEnds = ({ logger, metrics }: Telemetry, { runs, steps }: TraceRows): void => {
  for (const step of steps) {
    if (!isClosed(step)) continue
    logger.info(stepFields(step), step.status === 'completed' ? 'step completed' : 'step failed')
    metrics.observe('baton_step_seconds', step.latency_ms ?? 0, { kind: step.kind, outcome: step.status })
  }
  for (const run of runs) if (run.ended_at_ms !== null) countRun(metrics, run)
}

const stepFields = ({ facts, ...step }: StepRow): Parameters<Telemetry['logger']['info']>[0] => ({
  runId: step.run_id,
  tenant: step.tenant,
  step: step.path,
  attempt: step.attempt,
  kind: step.kind,
  by: facts.by,
  model: step.model,
  inputChars: facts.inputChars,
  outputChars: facts.outputChars,
  latencyMs: step.latency_ms,
  queuedMs: facts.queuedMs,
  confidence: facts.confidence,
  costMicroUsd: step.cost_micro_usd,
  tries: facts.tries,
  error: step.error_code,
})

const countRun = (metrics: Telemetry['metrics'], run: RunRow): void => {
  const { flow } = run
  metrics.count('baton_runs_total', { flow, status: run.status })
  metrics.observe('baton_run_seconds', run.latency_ms ?? 0, { flow })
  if (run.escalated === true) metrics.count('baton_runs_escalated_total', { flow })
  if ((run.cost_micro_usd ?? 0) > 0) metrics.count('baton_run_cost_micro_usd_total', { flow }, run.cost_micro_usd ?? 0)
}
