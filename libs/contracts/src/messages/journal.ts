import { z } from 'zod'
import { EpochMs, FaultDataSchema, JsonValue, Meter, MicroUsd, PayloadRef, Priority, RunId, Tenant } from './shared.ts'
import { StepKind } from './step.ts'

// One transition of one run. `seq` rises by one per engine event of the run; with `runId` it is the event's id.
const transition = { runId: RunId, tenant: Tenant, seq: z.number().int().nonnegative(), atMs: EpochMs }
const stepTransition = {
  ...transition,
  path: z.string(),
  nodeId: z.string(),
  kind: z.union([StepKind, z.enum(['switch', 'gate', 'set', 'handler'])]),
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
})
export type JournalRunStarted = z.infer<typeof JournalRunStarted>
export const JournalStepDispatched = z.looseObject({
  ...stepTransition,
  attempt: z.number().int(),
  attemptId: z.string(),
  leaseUntilMs: EpochMs,
})
export type JournalStepDispatched = z.infer<typeof JournalStepDispatched>
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
/** retrying, deferred, extended: the attempt goes on until then. */
export const JournalStepWaiting = z.looseObject({
  ...stepTransition,
  attemptId: z.string(),
  reason: z.enum(['retrying', 'deferred', 'extended']),
  untilMs: EpochMs,
  fault: FaultDataSchema.optional(),
})
export type JournalStepWaiting = z.infer<typeof JournalStepWaiting>
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
