import { z } from 'zod'
import { FAULTS, isFaultCode, type FaultCode } from '../fault.ts'
import type { Json } from '../json.ts'

/** Any JSON value. Checked by the JSON parser before, so zod only types it. */
export const JsonValue = z.custom<Json>((value) => value !== undefined, 'a JSON value is required').meta({ title: 'Any JSON value' })
export const Tenant = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
  .meta({ description: 'Tenant, `default` where none is named' })
export const RunId = z.string().min(1).max(80)
/** Milliseconds since 1970, UTC. */
export const EpochMs = z.number().int().nonnegative()
/** Amounts of money are whole millionths of a US dollar. */
export const MicroUsd = z.number().int().nonnegative()
export const Priority = z.enum(['emergency', 'high', 'normal', 'low', 'bulk'])
export type Priority = z.infer<typeof Priority>

const codes = Object.keys(FAULTS)
export const FaultDataSchema = z.looseObject({
  code: z.custom<FaultCode>(isFaultCode, 'an unknown fault code').meta({ type: 'string', enum: codes }),
  message: z.string().max(4_000),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
})

/** A value kept in the payload store, named by its content. */
export const PayloadRef = z.looseObject({ sha256: z.string().length(64), sizeBytes: z.number().int(), mediaType: z.string() })
export type PayloadRef = z.infer<typeof PayloadRef>

/** What a piece of work took. Lengths are characters of the JSON text. */
export const Meter = z.looseObject({
  startedAtMs: EpochMs,
  latencyMs: z.number().nonnegative(),
  queuedMs: z.number().nonnegative().optional(),
  tries: z.number().int().positive(),
  model: z.string().optional(),
  provider: z.string().optional(),
  tool: z.string().optional(),
  inputChars: z.number().int().nonnegative(),
  outputChars: z.number().int().nonnegative(),
  inputTokens: z.number().int().nonnegative().optional(),
  outputTokens: z.number().int().nonnegative().optional(),
  costMicroUsd: MicroUsd,
  confidence: z.number().min(0).max(1).optional(),
  /** What the model gave, where the calibration of its route made `confidence` of it. */
  rawConfidence: z.number().min(0).max(1).optional(),
  repaired: z.boolean().optional(),
  /** The answer to the very same question was there already; what asking would have cost. */
  cached: z.boolean().optional(),
  savedMicroUsd: MicroUsd.optional(),
  /** Candidates that failed before the one that answered, with their codes. */
  failedOver: z.array(z.string()).optional(),
  /** What did not fit the context of a model, and how it was shortened (S5): `part`, tokens lost, `end`, `start`, `middle`, `summary`, `results`, `all`. */
  leftOut: z
    .array(z.looseObject({ part: z.string().max(200), tokens: z.number().int().nonnegative(), how: z.string().max(40) }))
    .max(100)
    .optional(),
  /** The whole prompt, passages or arguments as they were sent, redacted, in the payload store. */
  contentRef: PayloadRef.optional(),
})
export type Meter = z.infer<typeof Meter>
