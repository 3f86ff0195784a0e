// From an entry of the catalogue to the model, with all that is said of it.
//   G2. A model whose provider is not configured, or whose file is not there, is none.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Capabilities, costMicroUsd, type Tokens } from '@baton/policy/routing'
import { anthropicModel } from '../adapters/anthropic.adapter.ts'
import { classifierModel } from '../adapters/classifier.adapter.ts'
import { extractiveModel } from '../adapters/extractive.adapter.ts'
import { localModel } from '../adapters/local.adapter.ts'
import { openAiModel } from '../adapters/openai.adapter.ts'
import { recordedModel } from '../adapters/recorded.adapter.ts'
import { rulesModel, RulesFile } from '../adapters/rules.adapter.ts'
import { scriptedModel } from '../adapters/scripted.adapter.ts'
import type { Model, ModelAbout, ModelLimits } from '../model.ts'
import { type ModelServer, serverOf } from './model-server.ts'
import type { LimitsEntry, ModelEntry, ModelsFile } from './models-file.ts'
import { type PriceBook, type Pricing, writtenPricing } from './price-book.ts'
import { readScript } from './script-file.ts'
import type { Surroundings } from './surroundings.ts'
import { readYaml } from './yaml-file.ts'

type Remote = Extract<ModelEntry, { provider: 'openai' | 'anthropic' }>
const isRemote = (entry: ModelEntry): entry is Remote => entry.provider === 'openai' || entry.provider === 'anthropic'

/** Whether a model answers in this process, for nothing. */
const isLocal = ({ provider }: ModelEntry): boolean =>
  provider === 'local' || provider === 'classifier' || provider === 'extractive' || provider === 'rules'

const MICRO = 1_000_000

/** An entry with what was found out about it. */
type Found = {
  readonly name: string
  readonly entry: ModelEntry
  readonly pricing: Pricing
  readonly server?: ModelServer
  readonly model: string
}

/** What kinds of models can do where they do not say. */
const USUAL: Readonly<Record<ModelEntry['provider'], readonly (keyof Capabilities)[]>> = {
  openai: ['tools', 'jsonSchema'],
  anthropic: ['tools', 'jsonSchema', 'vision'],
  local: ['jsonSchema'],
  classifier: ['jsonSchema'],
  extractive: ['jsonSchema'],
  rules: ['jsonSchema'],
  recorded: ['tools', 'jsonSchema', 'vision', 'audio'],
  scripted: ['tools', 'jsonSchema', 'vision', 'audio'],
}

const capabilitiesOf = (entry: ModelEntry): Capabilities => {
  const can: readonly string[] = entry.can ?? USUAL[entry.provider]
  return {
    tools: can.includes('tools'),
    jsonSchema: can.includes('jsonSchema'),
    vision: can.includes('vision'),
    audio: can.includes('audio'),
    // What a trained classifier or a rule reads has no length that matters.
    ...(entry.contextTokens === undefined ? {} : { contextTokens: entry.contextTokens }),
    ...('outputTokensMax' in entry ? { outputTokens: entry.outputTokensMax } : {}),
  }
}

const limitsOf = (limits: LimitsEntry | undefined): ModelLimits => ({
  ...(limits?.requestsPerMinute === undefined ? {} : { requestsPerMinute: limits.requestsPerMinute }),
  ...(limits?.tokensPerMinute === undefined ? {} : { tokensPerMinute: limits.tokensPerMinute }),
  ...(limits?.concurrency === undefined ? {} : { concurrency: limits.concurrency }),
  ...(limits?.firstToken === undefined ? {} : { firstTokenMs: limits.firstToken }),
  ...(limits?.idle === undefined ? {} : { idleMs: limits.idle }),
})

const samplingOf = (entry: ModelEntry): ModelAbout['sampling'] => ({
  ...('temperature' in entry && entry.temperature !== undefined ? { temperature: entry.temperature } : {}),
  ...('seed' in entry && entry.seed !== undefined ? { seed: entry.seed } : {}),
})

/** What an entry may leave unsaid. */
const saidOf = (entry: ModelEntry, server: ModelServer | undefined): Pick<ModelAbout, 'region' | 'callCostMaxMicroUsd' | 'quality'> => {
  const region = entry.region ?? server?.entry.region
  const cap = isRemote(entry) ? entry.callCostMax : undefined
  return {
    ...(region === undefined ? {} : { region }),
    ...(cap === undefined ? {} : { callCostMaxMicroUsd: Math.round(cap * MICRO) }),
    ...(entry.quality === undefined ? {} : { quality: entry.quality }),
  }
}

const WRITES_USUALLY = 1_024

/** All that is said of a model. Its price is that of the moment in which it is read. */
const aboutOf = ({ name, entry, pricing, server, model }: Found, nowMs: () => number): ModelAbout => {
  const fixed = {
    name,
    local: isLocal(entry),
    capabilities: capabilitiesOf(entry),
    dataClasses: entry.dataClasses ?? [],
    outputTokensMax: 'outputTokensMax' in entry ? entry.outputTokensMax : WRITES_USUALLY,
    server: server?.name ?? entry.provider,
    model,
    limits: limitsOf(entry.limits),
    serverLimits: limitsOf(server?.entry.limits),
    sampling: samplingOf(entry),
    ...saidOf(entry, server),
  }
  if (fixed.local) return fixed
  // A type with an optional field cannot say that the field is computed.
  return Object.defineProperty(fixed, 'price', { enumerable: true, get: () => pricing.at(nowMs()) }) as ModelAbout
}

/** What a call costs at this moment; where no price is known, the cap of a call. */
const costBy = ({ pricing, entry }: Found, nowMs: () => number) => {
  const cap = isRemote(entry) && entry.callCostMax !== undefined ? Math.round(entry.callCostMax * MICRO) : 0
  return (tokens: Tokens): number => {
    const price = pricing.at(nowMs())
    return price === undefined ? cap : costMicroUsd(price, tokens)
  }
}

const remote = (found: Found & { readonly entry: Remote; readonly server: ModelServer }, nowMs: () => number): Model => {
  const { name, entry, server, model } = found
  const cost = costBy(found, nowMs)
  const { temperature, outputTokensMax } = entry
  const shared = { model, cost, outputTokensMax, ...(temperature === undefined ? {} : { temperature }) }
  const address = server.url === undefined ? {} : { baseUrl: server.url }
  if (entry.provider === 'anthropic') return anthropicModel(name, { ...shared, ...address, apiKey: server.key ?? '' }, nowMs)
  const { seed, responseFormat = capabilitiesOf(entry).jsonSchema ? 'schema' : 'prompt' } = entry
  const key = server.key === undefined ? {} : { apiKey: server.key }
  return openAiModel(name, { ...shared, baseUrl: server.url ?? '', responseFormat, ...key, ...(seed === undefined ? {} : { seed }) }, nowMs)
}

type ClassifierEntry = Extract<ModelEntry, { provider: 'classifier' }>
type LocalEntry = Extract<ModelEntry, { provider: 'local' }>

const classifier = (name: string, { weights, labels, sensitiveFrom }: ClassifierEntry, flowsDir: string): Model | undefined =>
  existsSync(join(flowsDir, weights))
    ? classifierModel(name, {
        weights: join(flowsDir, weights),
        sensitiveFrom,
        ...(labels === undefined ? {} : { labels: join(flowsDir, labels) }),
      })
    : undefined

const local = (name: string, { weights, ...entry }: LocalEntry, { flowsDir, modelsDir }: Surroundings): Model | undefined => {
  if (modelsDir === undefined) return undefined
  const file = [join(modelsDir, weights), join(flowsDir, weights)].find((path) => existsSync(path))
  const { contextTokens, outputTokensMax, temperature, seed, threads } = entry
  return file === undefined
    ? undefined
    : localModel(name, { weights: file, modelsDir, contextTokens, outputTokensMax, temperature, seed, threads })
}

/** A model of files; undefined where they are not there (G2). */
const fromFiles = async (found: Found, surroundings: Surroundings): Promise<Model | undefined> => {
  const { name, entry } = found
  const { flowsDir, nowMs } = surroundings
  switch (entry.provider) {
    case 'classifier':
      return classifier(name, entry, flowsDir)
    case 'local':
      return local(name, entry, surroundings)
    case 'extractive':
      return extractiveModel(name, entry)
    case 'rules': {
      const rules = join(flowsDir, entry.rules)
      return existsSync(rules) ? rulesModel(name, await readYaml(rules, RulesFile)) : undefined
    }
    case 'scripted': {
      const script = join(flowsDir, entry.script)
      return existsSync(script) ? scriptedModel(name, { script: await readScript(script), cost: costBy(found, nowMs) }) : undefined
    }
    case 'recorded': {
      const file = join(flowsDir, entry.recordings)
      return existsSync(file) ? recordedModel(name, { file, cost: costBy(found, nowMs) }) : undefined
    }
    default:
      return undefined
  }
}

export type Making = { readonly file: ModelsFile; readonly surroundings: Surroundings; readonly book: PriceBook }
export type Made = { readonly model: Model | undefined; readonly about: ModelAbout; readonly pricing: Pricing }

const FREE = writtenPricing('free')

const findRemote = (name: string, entry: Remote, { file, surroundings, book }: Making): Found => {
  const server = serverOf(`models.${name}`, entry, { file, surroundings })
  const renamed = entry.provider === 'openai' && entry.fromEnvironment ? surroundings.openaiModel : undefined
  const model = renamed ?? entry.model
  const where = { url: server?.url, pricesOf: server?.pricesOf }
  // A price in the file is that of the model the file names; for another the book is asked first.
  const published = renamed === undefined || renamed === entry.model ? undefined : book.pricingOf(renamed, undefined, where)
  const pricing = published !== undefined && published.source !== 'unknown' ? published : book.pricingOf(model, entry.price, where)
  return { name, entry, pricing, model, ...(server === undefined ? {} : { server }) }
}

/** The model, and somebody who looks at what answered (B19). */
const watched = (model: Model, about: ModelAbout, { onServed }: Surroundings): Model =>
  onServed === undefined
    ? model
    : {
        ...model,
        invoke: async (question) => {
          const answer = await model.invoke(question)
          if (answer.servedBy !== undefined) onServed(about, answer.servedBy)
          return answer
        },
      }

/** Makes a model of its entry; without a provider or file, only what is said of it (G2). */
export const makeModel = async (name: string, entry: ModelEntry, making: Making): Promise<Made> => {
  const { surroundings } = making
  if (isRemote(entry)) {
    const found = findRemote(name, entry, making)
    const about = aboutOf(found, surroundings.nowMs)
    const { server } = found
    const model =
      server === undefined ? undefined : { ...watched(remote({ ...found, entry, server }, surroundings.nowMs), about, surroundings), about }
    return { model, about, pricing: found.pricing }
  }
  const pricing = 'price' in entry ? writtenPricing(entry.price) : FREE
  const found = { name, entry, pricing, model: name }
  const about = aboutOf(found, surroundings.nowMs)
  const model = await fromFiles(found, surroundings)
  return { model: model === undefined ? undefined : { ...model, about }, about, pricing }
}
