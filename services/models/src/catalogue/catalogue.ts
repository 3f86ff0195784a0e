// config/models.yaml: which models there are, what they cost, and which names of flows mean which models.
//   G1. Names resolve to models in order: a route to its list, a list to its models, each model once.
//   G2. A model whose provider is not configured, or whose file is not in the flows folder, is passed over; when that leaves none, `model.none_configured` says what to do.
//   G3. Secrets are never in the file: they come from the environment.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import type { ServiceConfig } from '@baton/service'
import { z } from 'zod'
import { classifierModel } from '../adapters/classifier.adapter.ts'
import { extractiveModel } from '../adapters/extractive.adapter.ts'
import { openAiModel } from '../adapters/openai.adapter.ts'
import { rulesModel, RulesFile } from '../adapters/rules.adapter.ts'
import { scriptedModel } from '../adapters/scripted.adapter.ts'
import type { Model } from '../model.ts'
import type { PlanRoute } from '../routes/route-plan.ts'
import { readScript } from './script-file.ts'
import { readYaml } from './yaml-file.ts'

const Price = z.strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() })
const Name = z.string().regex(/^[A-Za-z0-9][\w./:@-]{0,199}$/)
/** Files are named relative to the flows folder, so that a flow brings its own models along. */
const File = z
  .string()
  .min(1)
  .refine((path) => !path.split(/[\\/]/).includes('..'), 'must stay inside the flows folder')

const ModelEntry = z.discriminatedUnion('provider', [
  z.strictObject({
    provider: z.literal('openai'),
    /** The server's name of the model; the variable OPENAI_MODEL wins where `fromEnvironment` is true. */
    model: z.string().min(1),
    fromEnvironment: z.boolean().default(false),
    /** Dollars per million tokens. Needed: an unknown price is never taken for nothing. */
    price: Price,
    temperature: z.number().min(0).max(2).optional(),
    seed: z.number().int().optional(),
    outputTokensMax: z.number().int().positive().default(2_048),
    responseFormat: z.enum(['schema', 'json', 'prompt']).default('schema'),
  }),
  z.strictObject({
    provider: z.literal('classifier'),
    weights: File,
    labels: File.optional(),
    sensitiveFrom: z.number().gt(0).max(1).default(0.25),
  }),
  z.strictObject({
    provider: z.literal('extractive'),
    quotesMax: z.number().int().min(1).max(10).default(3),
    scoreMin: z.number().min(0).max(1).default(0.2),
  }),
  z.strictObject({ provider: z.literal('rules'), rules: File }),
  z.strictObject({
    provider: z.literal('scripted'),
    /** YAML with `answers`, or JSON lines. */
    script: File,
    /** What its tokens are said to cost. */
    price: Price.default({ input: 0, output: 0 }),
  }),
])
type ModelEntry = z.infer<typeof ModelEntry>

export const ModelsFile = z.strictObject({ models: z.record(Name, ModelEntry), routes: z.record(Name, z.array(Name).min(1)).default({}) })
export type ModelsFile = z.infer<typeof ModelsFile>

/** What the catalogue needs to know of where it runs. */
export type Surroundings = Pick<ServiceConfig, 'flowsDir' | 'openai'> & { readonly openaiModel?: string; readonly nowMs: () => number }

export type Listed = {
  readonly name: string
  readonly provider: string
  readonly local: boolean
  readonly configured: boolean
  readonly routes: readonly string[]
}
export type Catalogue = {
  /** The usable models for the names of a step, in order (G1, G2). Throws `model.unknown` or `model.none_configured`. */
  readonly resolve: (names: readonly string[]) => readonly Model[]
  /** Whether a call by these names may cost money. */
  readonly spends: (names: readonly string[]) => boolean
  /** Chooses for one dispatch (routes/route-plan.ts says what may be thrown). */
  readonly plan: PlanRoute
  readonly list: () => readonly Listed[]
}

const WAYS_OUT =
  'set OPENAI_BASE_URL (and OPENAI_API_KEY where the server wants one) to any OpenAI-compatible server, ' +
  'or name a local model (rules, classifier, extractive) in config/models.yaml and in the step'

type OpenAiEntry = Extract<ModelEntry, { provider: 'openai' }>
type Server = Pick<Surroundings, 'openaiModel' | 'nowMs'> & { readonly openai: NonNullable<Surroundings['openai']> }

const remote = (name: string, entry: OpenAiEntry, { openai, openaiModel, nowMs }: Server): Model => {
  const { provider: _provider, fromEnvironment, model, temperature, seed, ...rest } = entry
  const chosen = fromEnvironment ? (openaiModel ?? model) : model
  const sampling = { ...(temperature === undefined ? {} : { temperature }), ...(seed === undefined ? {} : { seed }) }
  return openAiModel(name, { ...rest, ...openai, model: chosen, ...sampling }, nowMs) // G3
}

const make = async (
  name: string,
  entry: ModelEntry,
  { flowsDir, openai, openaiModel, nowMs }: Surroundings,
): Promise<Model | undefined> => {
  switch (entry.provider) {
    case 'openai':
      return openai === undefined
        ? undefined
        : remote(name, entry, { openai, nowMs, ...(openaiModel === undefined ? {} : { openaiModel }) }) // G2
    case 'classifier': {
      const weights = join(flowsDir, entry.weights)
      if (!existsSync(weights)) return undefined // G2
      return classifierModel(name, {
        weights,
        sensitiveFrom: entry.sensitiveFrom,
        ...(entry.labels === undefined ? {} : { labels: join(flowsDir, entry.labels) }),
      })
    }
    case 'extractive':
      return extractiveModel(name, entry)
    case 'rules': {
      const rules = join(flowsDir, entry.rules)
      return existsSync(rules) ? rulesModel(name, await readYaml(rules, RulesFile)) : undefined // G2
    }
    case 'scripted': {
      const script = join(flowsDir, entry.script)
      return existsSync(script) ? scriptedModel(name, { script: await readScript(script), price: entry.price }) : undefined // G2
    }
  }
}

/** Model names behind a name, routes followed; a route may name routes, each at most once. */
const expand = (name: string, file: ModelsFile, seen: ReadonlySet<string> = new Set()): readonly string[] => {
  const route = file.routes[name]
  // A route may have the name of its first model (`gpt: [gpt, extractive]`).
  if (route === undefined || seen.has(name)) return [name]
  return route.flatMap((member) => expand(member, file, new Set([...seen, name])))
}

/** A catalogue over a parsed file. Models of configured providers are made at once, their files read when first asked. */
export const createCatalogue = async (file: ModelsFile, surroundings: Surroundings): Promise<Catalogue> => {
  const made = await Promise.all(
    Object.entries(file.models).map(async ([name, entry]) => [name, await make(name, entry, surroundings)] as const),
  )
  const models = new Map(made)
  const resolve = (names: readonly string[]): readonly Model[] => {
    const wanted = [...new Set(names.flatMap((name) => expand(name, file)))] // G1
    const usable = wanted.flatMap((name) => models.get(name) ?? [])
    if (usable.length > 0) return usable
    const unknown = wanted.filter((name) => !models.has(name))
    if (unknown.length === wanted.length) {
      throw new Fault(
        'model.unknown',
        `No model or route is named ${unknown.join(', ')}; config/models.yaml has ${[...models.keys(), ...Object.keys(file.routes)].join(', ')}.`,
        { models: unknown.join(', ') },
      )
    }
    throw new Fault('model.none_configured', `None of the models ${wanted.join(', ')} can be used here: ${WAYS_OUT}.`, {
      models: wanted.join(', '),
    }) // G2
  }
  const list = (): readonly Listed[] =>
    Object.entries(file.models).map(([name, { provider }]) => ({
      name,
      provider,
      local: provider !== 'openai' && provider !== 'scripted',
      configured: models.get(name) !== undefined,
      routes: Object.keys(file.routes).filter((route) => expand(route, file).includes(name)),
    }))
  const spends = (names: readonly string[]): boolean =>
    names.flatMap((name) => expand(name, file)).some((name) => models.get(name)?.local === false)
  const plan: PlanRoute = ({ names }) => ({
    route: names.join(', '),
    policy: 'fallback',
    steps: resolve(names).map((model, at) => ({ model, role: at === 0 ? 'primary' : 'fallback', stage: 0 })),
    candidates: resolve(names).map(({ name }) => ({ model: name })),
  })
  return { resolve, spends, list, plan }
}

/** Where there is no `config/models.yaml`: whatever OPENAI_BASE_URL serves, named by OPENAI_MODEL; its price is that of gpt-4o-mini. */
const WITHOUT_FILE: unknown = {
  models: {
    gpt: { provider: 'openai', model: 'gpt-4o-mini', fromEnvironment: true, price: { input: 0.15, output: 0.6 } },
    extractive: { provider: 'extractive' },
  },
  routes: { default: ['gpt'] },
}

/** Reads `config/models.yaml`; without one, a small catalogue of our own. Throws `config.invalid` with the place of the mistake. */
export const loadCatalogue = async (configDir: string, surroundings: Surroundings): Promise<Catalogue> => {
  const path = join(configDir, 'models.yaml')
  return createCatalogue(existsSync(path) ? await readYaml(path, ModelsFile) : ModelsFile.parse(WITHOUT_FILE), surroundings)
}
