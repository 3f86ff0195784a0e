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
  mode: z.enum(['live', 'dry_run']).optional().meta({ description: 'dry_run: effects of tools are said, not made' }),
})
export type RunRequest = z.infer<typeof RunRequest>

/** A step's output as a later run of the same flow takes it over. */
const KnownOutput = z.looseObject({ output: JsonValue, ref: PayloadRef.optional(), by: z.string() })

/** A flow that steps of a run start, pinned when the run begins (L2). */
export const PinnedFlow = z.looseObject({
  flow: z.string(),
  version: z.string(),
  planHash: z.string().length(64),
  params: z.record(z.string(), JsonValue),
})
export type PinnedFlow = z.infer<typeof PinnedFlow>

/** Caps that lower those of the plan. */
export const RunLimits = z.looseObject({
  timeMs: z.number().int().positive().optional(),
  totalMs: z.number().int().positive().optional(),
  steps: z.number().int().positive().optional(),
  costMicroUsd: MicroUsd.optional(),
  tokens: z.number().int().positive().optional(),
  calls: z.number().int().positive().optional(),
  depth: z.number().int().nonnegative().optional(),
})
export type RunLimits = z.infer<typeof RunLimits>

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
  /** `dry_run`: effects are said, not made. Absent: live. */
  mode: z.enum(['live', 'dry_run']).optional(),
  requestedAtMs: EpochMs,
  /** The step that started this run, and to which its end is an answer. */
  parent: z.looseObject({ runId: RunId, attemptId: z.string(), path: z.string() }).optional(),
  /** The first run of a tree; its key and its partition are those of all. */
  rootRunId: RunId.optional(),
  /** Begin of the effect keys (L8): the same for a rerun, another for each step that starts a run. */
  effectBase: z.string().optional(),
  /** Flows that steps may start, by the name they use: `support/refund@stable`. */
  flows: z.record(z.string(), PinnedFlow).optional(),
  limits: RunLimits.optional(),
  /** A rerun (L8): outputs of the steps before `from`, taken over from the run before. */
  reuse: z.looseObject({ runId: RunId, from: z.string(), steps: z.record(z.string(), KnownOutput) }).optional(),
  /** What started it, where that was no request: `schedule`, `topic tickets`. */
  trigger: z.string().max(200).optional(),
  /** True when the intake cannot exclude that this run was started before; its owner then looks it up first. */
  repeat: z.boolean(),
})
export type RunRequested = z.infer<typeof RunRequested>

export const RunCancel = z.looseObject({
  runId: RunId,
  by: z.string(),
  reason: z.string().max(1_000),
  /** Whether effects are taken back before it ends; they are where this is absent. */
  undo: z.boolean().optional(),
})
export type RunCancel = z.infer<typeof RunCancel>
const control = { runId: RunId, by: z.string().max(200) }
/** Nothing more is asked for until the run is resumed; answers that come are kept. */
export const RunPause = z.looseObject({ ...control, reason: z.string().max(1_000).optional() })
export type RunPause = z.infer<typeof RunPause>
export const RunResume = z.looseObject(control)
export type RunResume = z.infer<typeof RunResume>
/** Changes what a paused run goes on with. Fields that are named replace those of the input; params likewise. */
export const RunPatch = z.looseObject({
  ...control,
  input: z.record(z.string(), JsonValue).optional(),
  params: z.record(z.string(), JsonValue).optional(),
})
export type RunPatch = z.infer<typeof RunPatch>
/** Runs an ended run again, as a run of its own, from a step on (L8). */
export const RunRetry = z.looseObject({
  ...control,
  newRunId: RunId,
  requestId: z.string(),
  /** Name of a step of the flow; absent: the one that failed, else the first. */
  from: z.string().optional(),
  requestedAtMs: EpochMs,
})
export type RunRetry = z.infer<typeof RunRetry>
/** Something happened outside that the run may wait for. The same event twice is one. */
export const RunEvent = z.looseObject({
  runId: RunId,
  eventId: z.string().min(1).max(256),
  event: z.string().min(1).max(200),
  data: JsonValue,
  by: z.string().max(200).optional(),
  /** What the event was found by, where it was not sent to the run itself: only a wait for this key takes it. */
  key: z.string().max(500).optional(),
})
export type RunEvent = z.infer<typeof RunEvent>
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
