import { z } from 'zod'
import { EpochMs, FaultDataSchema, JsonValue, Meter, MicroUsd, PayloadRef, Priority, RunId, Tenant } from './shared.ts'
import { StepKind } from './step.ts'

/** Steps that are made of others, wait, or speak to the world outside. */
const COMPOSED = ['parallel', 'map', 'vote', 'loop', 'wait', 'event', 'emit', 'flow', 'agent', 'team'] as const

// One transition of one run. `seq` rises by one per engine event of the run; with `runId` it is the event's id.
const transition = { runId: RunId, tenant: Tenant, seq: z.number().int().nonnegative(), atMs: EpochMs }
const stepTransition = {
  ...transition,
  path: z.string(),
  nodeId: z.string(),
  kind: z.enum([...StepKind.options, 'switch', 'gate', 'set', 'handler', ...COMPOSED, 'undo']),
}

export const JournalRunStarted = z.looseObject({
  ...transition,
  requestId: z.string(),
  source: z.string(),
  flow: z.string(),
  version: z.string(),
  planHash: z.string(),
  priority: Priority,
  labels: z.record(z.string(), z.string()),
  requestedAtMs: EpochMs,
  /** The run whose step started this one, or that this one runs again. */
  parentRunId: RunId.optional(),
  rootRunId: RunId.optional(),
  rerunOf: RunId.optional(),
})
export type JournalRunStarted = z.infer<typeof JournalRunStarted>
export const JournalStepDispatched = z.looseObject({
  ...stepTransition,
  attempt: z.number().int(),
  attemptId: z.string(),
  leaseUntilMs: EpochMs,
})
export type JournalStepDispatched = z.infer<typeof JournalStepDispatched>
/** A step made of others began; `parts` is how many it has, where that is known. */
export const JournalStepOpened = z.looseObject({ ...stepTransition, parts: z.number().int().optional(), detail: JsonValue.optional() })
export type JournalStepOpened = z.infer<typeof JournalStepOpened>
export const JournalStepCompleted = z.looseObject({
  ...stepTransition,
  attempt: z.number().int(),
  attemptId: z.string().optional(),
  by: z.string(),
  dispatchedAtMs: EpochMs,
  meter: Meter.optional(),
  outputRef: PayloadRef.optional(),
})
export type JournalStepCompleted = z.infer<typeof JournalStepCompleted>
export const JournalStepFailed = z.looseObject({
  ...stepTransition,
  attempt: z.number().int(),
  attemptId: z.string().optional(),
  dispatchedAtMs: EpochMs,
  fault: FaultDataSchema,
  deadLettered: z.boolean().optional(),
  meter: Meter.optional(),
})
export type JournalStepFailed = z.infer<typeof JournalStepFailed>
/** retrying, deferred, extended: the attempt goes on until then. asks: it is over, and a person is asked before the next. */
export const JournalStepWaiting = z.looseObject({
  ...stepTransition,
  attemptId: z.string(),
  reason: z.enum(['retrying', 'deferred', 'extended', 'asks']),
  untilMs: EpochMs,
  fault: FaultDataSchema.optional(),
  meter: Meter.optional(),
})
export type JournalStepWaiting = z.infer<typeof JournalStepWaiting>
/** Somebody paused, resumed, changed or cancelled the run, or runs it again. */
export const JournalRunControlled = z.looseObject({
  ...transition,
  action: z.enum(['paused', 'resumed', 'patched', 'cancelled', 'retried', 'refused']),
  by: z.string(),
  detail: JsonValue.optional(),
})
export type JournalRunControlled = z.infer<typeof JournalRunControlled>
/** An event from outside arrived. `path` is the step that waited for it; absent while none does. */
export const JournalEventReceived = z.looseObject({
  ...transition,
  eventId: z.string(),
  event: z.string(),
  path: z.string().optional(),
})
export type JournalEventReceived = z.infer<typeof JournalEventReceived>
/** An answer that changes nothing: late, repeated or of a lost lease (R3). Its cost is billed all the same. */
export const JournalAnswerIgnored = z.looseObject({
  ...transition,
  attemptId: z.string(),
  reason: z.enum(['duplicate', 'late', 'unknown']),
  costMicroUsd: MicroUsd,
})
export type JournalAnswerIgnored = z.infer<typeof JournalAnswerIgnored>
/** A switch, gate or handler chose. `chosen` is the case, rule or handler, in words. */
export const JournalDecided = z.looseObject({ ...stepTransition, chosen: z.string(), detail: JsonValue.optional() })
export type JournalDecided = z.infer<typeof JournalDecided>
export const JournalRunEnded = z.looseObject({
  ...transition,
  flow: z.string(),
  version: z.string(),
  status: z.enum(['completed', 'failed', 'cancelled']),
  fault: FaultDataSchema.optional(),
  requestedAtMs: EpochMs,
  latencyMs: z.number(),
  workingMs: z.number(),
  waitedMs: z.number().meta({ description: 'time people and events were waited for' }),
  costMicroUsd: MicroUsd,
  steps: z.number().int(),
  escalated: z.boolean(),
})
export type JournalRunEnded = z.infer<typeof JournalRunEnded>
