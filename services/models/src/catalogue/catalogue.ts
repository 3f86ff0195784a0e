// config/models.yaml: which models there are, what they cost, and which names of flows mean which models.
//   G1. Names resolve to models in order: a route to its models, a list to its members, each model once.
//   G2. A model whose provider is not configured, or whose file is not there, is passed over; when that leaves none, `model.none_configured` says what to do.
//   G4. A route that names what is not there, or a condition that does not read, is told when the file is read, not when a run needs it.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, toFault } from '@baton/contracts/fault'
import { namesOf } from '@baton/policy/routing'
import { type FindEmbedder, openEmbedders } from '../embeddings/open-embedders.ts'
import type { Model, ModelAbout } from '../model.ts'
import { createPlanner } from '../routes/planner.ts'
import type { PlanRoute } from '../routes/route-plan.ts'
import { type Made, makeModel } from './make-model.ts'
import { ModelsFile } from './models-file.ts'
import { openPriceBook, type Pricing } from './price-book.ts'
import type { Surroundings } from './surroundings.ts'
import { readYaml } from './yaml-file.ts'

export { ModelsFile } from './models-file.ts'
export type { Surroundings } from './surroundings.ts'

export type Listed = {
  readonly name: string
  readonly provider: string
  readonly local: boolean
  readonly configured: boolean
  readonly routes: readonly string[]
  readonly about: ModelAbout
  /** Where its price comes from. */
  readonly priceFrom: Pricing['source']
}

export type Catalogue = {
  /** The usable models for the names of a step, in order (G1, G2). Throws `model.unknown` or `model.none_configured`. */
  readonly resolve: (names: readonly string[]) => readonly Model[]
  /** Whether a call by these names may cost money. */
  readonly spends: (names: readonly string[]) => boolean
  /** Chooses for one dispatch (routes/route-plan.ts says what may be thrown). */
  readonly plan: PlanRoute
  readonly embedder: FindEmbedder
  readonly list: () => readonly Listed[]
}

const WAYS_OUT =
  'set OPENAI_BASE_URL (and OPENAI_API_KEY where the server wants one) to any OpenAI-compatible server, or ANTHROPIC_API_KEY, ' +
  'or name a model of this process (local: baton models pull smollm2; rules, classifier, extractive) in config/models.yaml and in the step'

/** Model names behind a name, routes followed; a route may name routes, each at most once. */
const expand = (name: string, file: ModelsFile, seen: ReadonlySet<string> = new Set()): readonly string[] => {
  // A route may have the name of its first model (`gpt: [gpt, extractive]`).
  const route = seen.has(name) || !Object.hasOwn(file.routes, name) ? undefined : file.routes[name]
  return route === undefined ? [name] : namesOf(route).flatMap((member) => expand(member, file, new Set([...seen, name])))
}

/** G4. Names that routes use must be there; a server that is not configured is no mistake. */
const checkRoutes = (file: ModelsFile): void => {
  for (const [name, tree] of Object.entries(file.routes)) {
    const missing = namesOf(tree).find((member) => !Object.hasOwn(file.models, member) && !Object.hasOwn(file.routes, member))
    if (missing !== undefined)
      throw new Fault('config.invalid', `routes.${name}: there is no model or route ${missing}.`, { route: name, model: missing })
  }
  for (const name of Object.keys(file.calibration))
    if (!Object.hasOwn(file.models, name) && !Object.hasOwn(file.routes, name))
      throw new Fault('config.invalid', `calibration.${name}: there is no model or route ${name}.`, { route: name })
}

/** Whether a price has to be looked for in the book. */
const needsBook = ({ models, prices }: ModelsFile): boolean =>
  Object.values(models).some(
    (entry) =>
      (entry.provider === 'openai' || entry.provider === 'anthropic') &&
      ((entry.price === undefined && !Object.hasOwn(prices, entry.model)) || (entry.provider === 'openai' && entry.fromEnvironment)),
  )

const noneOf = (
  names: readonly string[],
  wanted: readonly string[],
  { made, file }: { made: ReadonlyMap<string, Made>; file: ModelsFile },
): Fault => {
  const unknown = wanted.filter((name) => !made.has(name))
  return unknown.length === wanted.length
    ? new Fault(
        'model.unknown',
        `No model or route is named ${unknown.join(', ')}; config/models.yaml has ${[...made.keys(), ...Object.keys(file.routes)].join(', ')}.`,
        { models: unknown.join(', ') },
      )
    : new Fault('model.none_configured', `None of the models ${wanted.join(', ')} can be used here: ${WAYS_OUT}.`, {
        models: names.join(', '),
      }) // G2
}

/** A catalogue over a parsed file. Models of configured providers are made at once, their files read when first asked. Throws `config.invalid`. */
export const createCatalogue = async (file: ModelsFile, surroundings: Surroundings): Promise<Catalogue> => {
  checkRoutes(file)
  const book = await openPriceBook(file.prices, { isNeeded: needsBook(file), nowMs: surroundings.nowMs() })
  const made = new Map(
    await Promise.all(
      Object.entries(file.models).map(async ([name, entry]) => [name, await makeModel(name, entry, { file, surroundings, book })] as const),
    ),
  )
  const behind = (names: readonly string[]): readonly string[] => [...new Set(names.flatMap((name) => expand(name, file)))] // G1
  const resolve = (names: readonly string[]): readonly Model[] => {
    const wanted = behind(names)
    const usable = wanted.flatMap((name) => made.get(name)?.model ?? [])
    if (usable.length === 0) throw noneOf(names, wanted, { made, file })
    return usable
  }
  const list = (): readonly Listed[] =>
    [...made].map(([name, { model, about, pricing }]) => ({
      name,
      provider: file.models[name]?.provider ?? '',
      local: about.local,
      configured: model !== undefined,
      routes: Object.keys(file.routes).filter((route) => expand(route, file).includes(name)),
      about,
      priceFrom: pricing.source,
    }))
  const planner = await createPlanner(file, { made, surroundings })
  return {
    resolve,
    list,
    embedder: openEmbedders({ file, surroundings }),
    spends: (names) => behind(names).some((name) => made.get(name)?.model?.local === false),
    plan: (request, live) => {
      try {
        return planner(request, live)
      } catch (error) {
        const { code } = toFault(error)
        if (code === 'model.none_configured' || code === 'model.unknown') resolve(request.names) // Says best what to do.
        throw error
      }
    },
  }
}

/** Where there is no `config/models.yaml`: whatever OPENAI_BASE_URL serves, named by OPENAI_MODEL; its price is that of gpt-4o-mini. */
const WITHOUT_FILE: unknown = {
  models: {
    gpt: { provider: 'openai', model: 'gpt-4o-mini', fromEnvironment: true, price: { input: 0.15, output: 0.6 } },
    extractive: { provider: 'extractive' },
  },
  routes: { default: ['gpt'] },
}

/** Reads `config/models.yaml`; without one, a small file of our own. Throws `config.invalid` with the line of the mistake. */
export const readModelsFile = async (configDir: string): Promise<ModelsFile> => {
  const path = join(configDir, 'models.yaml')
  return existsSync(path) ? readYaml(path, ModelsFile) : ModelsFile.parse(WITHOUT_FILE)
}

/** The catalogue of `config/models.yaml`. */
export const loadCatalogue = async (configDir: string, surroundings: Surroundings): Promise<Catalogue> =>
  createCatalogue(await readModelsFile(configDir), surroundings)
