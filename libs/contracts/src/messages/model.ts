import { z } from 'zod'
import { EpochMs, MicroUsd, RunId, Tenant } from './shared.ts'

/** Why this model (B17): every candidate with its score or the reason it lost, and every call that was made. */
export const ModelRouted = z.looseObject({
  runId: RunId,
  tenant: Tenant,
  path: z.string(),
  nodeId: z.string(),
  attemptId: z.string(),
  atMs: EpochMs,
  route: z.string().meta({ description: 'the route or model that the step names' }),
  policy: z.string().meta({ description: 'how the route chooses: fallback, weighted, cheapest, fastest, learned, cascade …' }),
  chosen: z.string().optional().meta({ description: 'the model that answered; absent when none did' }),
  candidates: z.array(
    z.looseObject({
      model: z.string(),
      score: z.number().optional(),
      /** What the score is made of, each between 0 and 1. */
      parts: z.record(z.string(), z.number()).optional(),
      /** Why it was not asked, or did not win. */
      lost: z.string().optional(),
    }),
  ),
  calls: z.array(
    z.looseObject({
      model: z.string(),
      startedAtMs: EpochMs,
      latencyMs: z.number().nonnegative(),
      outcome: z.string().meta({ description: 'answered, cancelled, or the code of the fault' }),
      costMicroUsd: MicroUsd,
      hedge: z.boolean().optional(),
      shadow: z.boolean().optional(),
    }),
  ),
})
export type ModelRouted = z.infer<typeof ModelRouted>

/** A piece of the text that a model is writing (B11). An attempt of a higher number makes the pieces of earlier ones void. */
export const StreamPiece = z.looseObject({
  runId: RunId,
  tenant: Tenant,
  path: z.string(),
  attempt: z.number().int().positive(),
  attemptId: z.string(),
  /** Number of the call within the attempt: one of a higher number makes what came before void. */
  call: z.number().int().positive().optional(),
  /** From 0, by one, in each call. */
  seq: z.number().int().nonnegative(),
  text: z.string(),
  /** The last piece: the answer is whole, or given up. */
  end: z.enum(['done', 'broken']).optional(),
})
export type StreamPiece = z.infer<typeof StreamPiece>

/** A provider answers with another snapshot than before, though nobody here changed anything (B19). */
export const ModelChanged = z.looseObject({
  model: z.string().meta({ description: 'the name in the catalogue' }),
  server: z.string(),
  asked: z.string().meta({ description: 'what was asked for: the name that the server knows the model by' }),
  before: z.string().meta({ description: 'what answered until now: the name of its snapshot, and the fingerprint where there is one' }),
  after: z.string(),
  atMs: EpochMs,
})
export type ModelChanged = z.infer<typeof ModelChanged>
