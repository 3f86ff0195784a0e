import { z } from 'zod'
import { EpochMs, FaultDataSchema, JsonValue, MicroUsd, PayloadRef, Priority, RunId, Tenant } from './shared.ts'

const Labels = z.record(z.string().max(64), z.string().max(256))

/** What a product publishes on the public request topic, or posts to /v1/runs. Unknown fields are ignored. */
export const RunRequest = z.looseObject({
  id: z.string().min(1).max(256).optional().meta({ description: 'Chosen by the caller; repeats of it answer with the first result' }),
  flow: z.string().min(1).max(200).meta({ description: 'namespace/name, with @version or @alias if wanted' }),
  input: JsonValue,
  tenant: Tenant.optional(),
  source: z.string().min(1).max(128).optional(),
  session: z.string().max(256).optional(),
  user: z.looseObject({ id: z.string().max(256).optional() }).optional(),
  priority: Priority.optional(),
  deadlineMs: z
    .number()
    .int()
    .positive()
    .max(31_536_000_000)
    .optional()
    .meta({ description: 'Working time in milliseconds, at most the limit of the flow' }),
  labels: Labels.optional(),
})
export type RunRequest = z.infer<typeof RunRequest>

/** First record of a run on its log. Everything that could change later is pinned in it (L2). */
export const RunRequested = z.looseObject({
  runId: RunId,
  requestId: z.string(),
  tenant: Tenant,
  source: z.string(),
  flow: z.string().meta({ description: 'namespace/name' }),
  version: z.string(),
  planHash: z.string().length(64),
  engineVersion: z.number().int().positive(),
  params: z.record(z.string(), JsonValue),
  input: JsonValue,
  inputRef: PayloadRef.optional(),
  priority: Priority,
  deadlineMs: z.number().int().positive().optional(),
  labels: Labels,
  session: z.string().optional(),
  user: z.looseObject({ id: z.string().optional() }).optional(),
  requestedAtMs: EpochMs,
  /** True when the intake cannot exclude that this run was started before; its owner then looks it up first. */
  repeat: z.boolean(),
})
export type RunRequested = z.infer<typeof RunRequested>

export const RunCancel = z.looseObject({ runId: RunId, by: z.string(), reason: z.string().max(1_000) })
export type RunCancel = z.infer<typeof RunCancel>
export const RunContinue = z.looseObject({ runId: RunId, seq: z.number().int() })
export type RunContinue = z.infer<typeof RunContinue>
export const RunQuarantine = z.looseObject({ runId: RunId, offset: z.string(), crashes: z.number().int() })
export type RunQuarantine = z.infer<typeof RunQuarantine>
/** A timer of a run is due. Appended by the owner of the partition, acted on when read back (L1). */
export const TimerMatured = z.looseObject({ runId: RunId, timerId: z.string(), dueAtMs: EpochMs })
export type TimerMatured = z.infer<typeof TimerMatured>

export const RunMetrics = z.looseObject({
  latencyMs: z.number().nonnegative(),
  workingMs: z.number().nonnegative().optional().meta({ description: 'latency without the time people and events were waited for' }),
  costUsd: z.number().nonnegative(),
  steps: z.number().int().nonnegative(),
  escalated: z.boolean(),
})

/** The one result of a run, on the public result topic. */
export const RunResult = z.looseObject({
  requestId: z.string(),
  runId: z.string(),
  flow: z.string(),
  version: z.string(),
  status: z.enum(['completed', 'failed', 'cancelled', 'rejected']),
  output: JsonValue.optional(),
  outputRef: PayloadRef.optional(),
  degraded: z.array(z.string()).optional(),
  fault: FaultDataSchema.optional(),
  metrics: RunMetrics,
})
export type RunResult = z.infer<typeof RunResult>

/** Spent so far by a run; the unit of every cost is a millionth of a US dollar. */
export const RunSpend = z.looseObject({ costMicroUsd: MicroUsd, steps: z.number().int() })
