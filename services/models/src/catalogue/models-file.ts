// The shape of config/models.yaml. The simple form (models with a price, routes as lists) is a part of it.
//   Y1. Secrets have no place here: a server names the variable of the environment that holds its key.
//   Y2. Files are named relative to the flows folder, or to the data folder for weights that `baton models pull` fetched; never outside.
//   Y3. An unknown price is never nothing: it is taken from the price book, or the model is refused, or its calls have a cap.
import { toFault } from '@baton/contracts/fault'
import { readCalibrator, type Calibrator } from '@baton/policy/calibration'
import { z } from 'zod'
import { RouteSchema } from './route-schema.ts'
import { Duration, Name } from './shared.ts'

const Cost = z.number().nonnegative().max(100_000)
const OnePrice = z.strictObject({ input: Cost, output: Cost, cachedInput: Cost.optional() })
/** Dollars per million tokens; a list holds prices by the day from which they count. */
export const PriceEntry = z.union([
  OnePrice,
  z.literal('free'),
  z
    .array(z.strictObject({ from: z.iso.date(), input: Cost, output: Cost, cachedInput: Cost.optional() }))
    .min(1)
    .max(50),
])
export type PriceEntry = z.infer<typeof PriceEntry>

const File = z
  .string()
  .min(1)
  .refine((path) => !path.split(/[\\/]/).includes('..') && !path.startsWith('/'), 'must stay inside its folder') // Y2

/** A name of an embedding model, as indexes carry it. */
const EMBEDDING = /^[a-z0-9][a-z0-9._-]{0,99}$/

const Limits = z.strictObject({
  requestsPerMinute: z.number().int().positive().optional(),
  tokensPerMinute: z.number().int().positive().optional(),
  concurrency: z.number().int().positive().optional(),
  firstToken: Duration.optional(),
  idle: Duration.optional(),
})
export type LimitsEntry = z.infer<typeof Limits>

const Capability = z.enum(['tools', 'jsonSchema', 'vision', 'audio'])

/** What any model may say of itself. */
const common = {
  about: z.string().max(500).optional(),
  can: z.array(Capability).optional(),
  contextTokens: z.number().int().positive().optional(),
  region: z.string().max(50).optional(),
  dataClasses: z.array(z.string().min(1).max(50)).max(20).optional(),
  quality: z.number().min(0).max(1).optional(),
  limits: Limits.optional(),
}
const paid = {
  ...common,
  /** Absent: from the price book, by the server's name of the model. */
  price: PriceEntry.optional(),
  /** Dollars that a call is taken to cost where no price is known (Y3). */
  callCostMax: z.number().positive().max(1_000).optional(),
  outputTokensMax: z.number().int().positive().max(1_000_000).default(2_048),
  temperature: z.number().min(0).max(2).optional(),
}

export const ModelEntry = z.discriminatedUnion('provider', [
  z.strictObject({
    provider: z.literal('openai'),
    ...paid,
    server: Name.optional(),
    /** The server's name of the model; the variable OPENAI_MODEL wins where `fromEnvironment` is true. */
    model: z.string().min(1),
    fromEnvironment: z.boolean().default(false),
    seed: z.number().int().optional(),
    responseFormat: z.enum(['schema', 'json', 'prompt']).optional(),
  }),
  z.strictObject({ provider: z.literal('anthropic'), ...paid, server: Name.optional(), model: z.string().min(1) }),
  z.strictObject({
    provider: z.literal('local'),
    ...common,
    /** A GGUF file, in the data folder's `models` (where `baton models pull` puts it) or in the flows folder. */
    weights: File,
    contextTokens: z.number().int().min(256).max(131_072).default(2_048),
    outputTokensMax: z.number().int().positive().max(8_192).default(160),
    temperature: z.number().min(0).max(2).default(0),
    seed: z.number().int().default(1),
    threads: z.number().int().min(1).max(256).default(1),
  }),
  z.strictObject({
    provider: z.literal('classifier'),
    ...common,
    weights: File,
    labels: File.optional(),
    sensitiveFrom: z.number().gt(0).max(1).default(0.25),
  }),
  z.strictObject({
    provider: z.literal('extractive'),
    ...common,
    quotesMax: z.number().int().min(1).max(10).default(3),
    scoreMin: z.number().min(0).max(1).default(0.2),
  }),
  z.strictObject({ provider: z.literal('rules'), ...common, rules: File }),
  z.strictObject({
    provider: z.literal('recorded'),
    ...common,
    /** JSON lines `{ question | hash, answer | text, … }`, optionally with `.gz`. */
    recordings: File,
    price: PriceEntry.default({ input: 0, output: 0 }),
  }),
  z.strictObject({
    provider: z.literal('scripted'),
    ...common,
    /** YAML with `answers`, or JSON lines. */
    script: File,
    /** What its tokens are said to cost. */
    price: PriceEntry.default({ input: 0, output: 0 }),
  }),
])
export type ModelEntry = z.infer<typeof ModelEntry>

/** A server that models are behind. */
const Server = z
  .strictObject({
    speaks: z.enum(['openai', 'anthropic']).default('openai'),
    url: z.url({ protocol: /^https?$/ }).optional(),
    /** Variable that holds its address. */
    urlFrom: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*_BASE_URL$/, 'is the name of a variable that ends with _BASE_URL')
      .optional(),
    /** Variable that holds its key (Y1). */
    keyFrom: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*_API_KEY$/, 'is the name of a variable that ends with _API_KEY')
      .optional(),
    /** Whose price list counts, as the price book names it; absent: by the address. */
    pricesOf: z.string().max(50).optional(),
    region: z.string().max(50).optional(),
    limits: Limits.optional(),
  })
  .refine(({ url, urlFrom, speaks }) => url !== undefined || urlFrom !== undefined || speaks === 'anthropic', 'needs url or urlFrom')
export type ServerEntry = z.infer<typeof Server>

/** A model that turns texts into vectors. */
const EmbeddingEntry = z.discriminatedUnion('provider', [
  /** `model`: its folder in the folder of the models; absent, the entry's own name. */
  z.strictObject({ provider: z.literal('local'), model: z.string().regex(EMBEDDING).optional() }),
  z.strictObject({
    provider: z.literal('openai'),
    server: Name.optional(),
    /** The server's name of the model. */
    model: z.string().min(1).max(200),
    /** How long its vectors are. */
    dimensions: z.number().int().min(1).max(16_000),
  }),
])

/** Where a calibration comes from, for who reads the file. */
const fitted = {
  rows: z.number().int().nonnegative().optional(),
  at: z.iso.date().optional(),
  /** Expected calibration error before and after, as cross-validation saw it. */
  error: z.strictObject({ before: z.number(), after: z.number() }).optional(),
}
const Numbers = z.array(z.number()).min(1).max(2_000)
/** A calibrator that would turn the order of confidences round is refused. */
const CalibrationEntry = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('platt'), slope: z.number(), intercept: z.number(), ...fitted }),
    z.strictObject({ kind: z.literal('isotonic'), scores: Numbers, shares: Numbers, ...fitted }),
  ])
  .transform((entry, context): Calibrator => {
    try {
      return readCalibrator(entry)
    } catch (error) {
      context.addIssue({ code: 'custom', message: toFault(error).message, input: entry })
      return z.NEVER
    }
  })

const Policy = z.strictObject({
  /** CEL over `request`, `need` and `live`; absent: always. */
  if: z.string().max(2_000).optional(),
  /** The data is of this class. */
  dataClass: z.string().max(50).optional(),
  /** It may be answered only there. */
  regions: z.array(z.string().max(50)).min(1).max(20).optional(),
  /** Models that may not answer it. */
  deny: z.array(Name).max(100).optional(),
  why: z.string().max(300).optional(),
})
export type PolicyEntry = z.infer<typeof Policy>

export const ModelsFile = z.strictObject({
  servers: z.record(Name, Server).default({}),
  models: z.record(Name, ModelEntry),
  /** Prices by the server's name of a model, before the price book and behind what the model itself says. */
  prices: z.record(z.string().min(1).max(200), PriceEntry).default({}),
  routes: z.record(Name, RouteSchema).default({}),
  /** The first is meant where none is named; without any, MiniLM where it was pulled. */
  embeddings: z.record(z.string().regex(EMBEDDING), EmbeddingEntry).default({}),
  /** How far the confidence of a route, or of a model, can be believed: `baton models calibrate` writes it. */
  calibration: z.record(Name, CalibrationEntry).default({}),
  policies: z.array(Policy).max(200).default([]),
})
export type ModelsFile = z.infer<typeof ModelsFile>
