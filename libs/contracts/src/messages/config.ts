import { z } from 'zod'
import { EpochMs, JsonValue } from './shared.ts'

/** A document of configuration changed. The newest record of a key counts; who cannot read it keeps the one before. */
export const ConfigChanged = z.looseObject({
  /** `models`, `routes`, `prices`, `policies`, `tools`, `prompts`; with a name behind a slash where there are several. */
  document: z.string().min(1).max(200),
  version: z.number().int().positive(),
  hash: z.string().length(64),
  by: z.string().max(200),
  atMs: EpochMs,
  content: JsonValue,
})
export type ConfigChanged = z.infer<typeof ConfigChanged>
