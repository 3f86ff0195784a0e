import { z } from 'zod'
import { EpochMs, JsonValue, Priority, RunId, Tenant } from './shared.ts'
import { Ask } from './step.ts'

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
  /** Nobody decided in time, and the risk was such that the run goes on all the same; `by` is `nobody`. */
  unreviewed: z.boolean().optional(),
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
  kind: z.enum(['approval', 'edit', 'question', 'label']).optional(),
  /** Where in its chain it stands now; 0 where it was asked. */
  rung: z.number().int().nonnegative().optional(),
})
export type ReviewRequested = z.infer<typeof ReviewRequested>
export const ReviewClaimed = z.looseObject({ runId: RunId, taskId: z.string(), tenant: Tenant, by: z.string(), untilMs: EpochMs })
export type ReviewClaimed = z.infer<typeof ReviewClaimed>

/** The attempt is no longer waited for: its task leaves the queue, decided by nobody. */
export const ReviewWithdraw = z.looseObject({ runId: RunId, tenant: Tenant, attemptId: z.string(), reason: z.string().max(1_000) })
export type ReviewWithdraw = z.infer<typeof ReviewWithdraw>

/** What else happened to a task: nothing that a run waits for. */
export const ReviewChanged = z.looseObject({
  runId: RunId,
  taskId: z.string(),
  tenant: Tenant,
  change: z.enum(['released', 'reassigned', 'delegated', 'voted', 'held', 'undone', 'cancelled', 'superseded', 'commented']),
  status: z.string(),
  queue: z.string(),
  by: z.string(),
  epoch: z.number().int(),
  atMs: EpochMs,
})
export type ReviewChanged = z.infer<typeof ReviewChanged>

/** What a decision says about the work that it was made on: a score of a person, for evaluations and thresholds. */
export const ReviewScored = z.looseObject({
  runId: RunId,
  taskId: z.string(),
  tenant: Tenant,
  flow: z.string(),
  path: z.string(),
  kind: z.enum(['approval', 'edit', 'question', 'label']),
  verdict: Verdict,
  /** 1: it was right as it was. 0: it was changed, answered otherwise or rejected. */
  score: z.number().min(0).max(1),
  by: z.string().max(200),
  /** How sure the machine had been, and what had made it. */
  confidence: z.number().min(0).max(1).optional(),
  route: z.string().optional(),
  /** It had gone on without a person, and was looked at afterwards. */
  automatic: z.boolean(),
  /** From when the person took it until they decided. */
  tookMs: z.number().nonnegative(),
  atMs: EpochMs,
})
export type ReviewScored = z.infer<typeof ReviewScored>

/** A look at what was decided without a person; no run waits for it. */
export const ReviewSample = z.looseObject({
  runId: RunId,
  tenant: Tenant,
  attemptId: z.string(),
  flow: z.string(),
  planHash: z.string().length(64),
  nodeId: z.string(),
  path: z.string(),
  ask: Ask,
})
export type ReviewSample = z.infer<typeof ReviewSample>
