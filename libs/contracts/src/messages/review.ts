import { z } from 'zod'
import { EpochMs, JsonValue, Priority, RunId, Tenant } from './shared.ts'

export const Verdict = z.enum(['approve', 'edit', 'reject', 'respond'])
export type Verdict = z.infer<typeof Verdict>

/** A person decided. The engine takes it as the answer of the attempt (R7: bound to `fingerprint`). */
export const ReviewDecided = z.looseObject({
  runId: RunId,
  attemptId: z.string(),
  taskId: z.string(),
  verdict: Verdict,
  output: JsonValue.meta({ description: 'what the step gives: the draft when approved, else what the person wrote; null when rejected' }),
  by: z.string().max(200),
  reason: z.string().max(4_000).optional(),
  fingerprint: z.string(),
  decidedAtMs: EpochMs,
})
export type ReviewDecided = z.infer<typeof ReviewDecided>

/** Nobody decided in time. */
export const ReviewExpired = z.looseObject({ runId: RunId, attemptId: z.string(), taskId: z.string(), dueAtMs: EpochMs })
export type ReviewExpired = z.infer<typeof ReviewExpired>

/** What hitl tells the journal about a task. */
export const ReviewRequested = z.looseObject({
  runId: RunId,
  attemptId: z.string(),
  taskId: z.string(),
  tenant: Tenant,
  path: z.string(),
  queue: z.string(),
  priority: Priority,
  dueAtMs: EpochMs,
})
export type ReviewRequested = z.infer<typeof ReviewRequested>
export const ReviewClaimed = z.looseObject({ runId: RunId, taskId: z.string(), tenant: Tenant, by: z.string(), untilMs: EpochMs })
export type ReviewClaimed = z.infer<typeof ReviewClaimed>

/** The attempt is no longer waited for: its task leaves the queue, decided by nobody. */
export const ReviewWithdraw = z.looseObject({ runId: RunId, tenant: Tenant, attemptId: z.string(), reason: z.string().max(1_000) })
export type ReviewWithdraw = z.infer<typeof ReviewWithdraw>
