// The catalogue that is asked, exchanged while it is asked: a new document comes over the configuration topic.
//   H1. What does not read, or names what is not there, is refused and told; the catalogue before it stays.
//   H2. A choice sees one catalogue, the old one or the new one, never parts of both.
//   H3. The newest document counts; taking it away goes back to the file.
import type { BusRecord } from '@baton/bus/bus'
import { ConfigChanged } from '@baton/contracts'
import { Fault, toFault } from '@baton/contracts/fault'
import type { Logger, Metrics } from '@baton/telemetry'
import { z } from 'zod'
import { parseConfig } from './config-text.ts'
import { type Catalogue, createCatalogue, ModelsFile, type Surroundings } from './catalogue.ts'

/** Key of the document on the configuration topic. */
export const MODELS_KEY = 'config/models'

/** Which document counts, and what came of the newest one. */
type CatalogueState = {
  /** 0: the file. */
  readonly version: number
  readonly source: 'file' | 'topic'
  readonly by?: string
  readonly atMs?: number
  /** The newest document, if it was refused (H1). */
  readonly refused?: { readonly version: number; readonly problem: string }
}

export type LiveCatalogue = Catalogue & {
  readonly state: () => CatalogueState
  /** What would become of this text as the document. Throws `config.invalid` with the lines. */
  readonly check: (text: string) => Promise<{ readonly content: unknown; readonly models: number; readonly routes: number }>
  /** Takes a record of the configuration topic; resolves when it counts or is refused. */
  readonly take: (record: Pick<BusRecord, 'key' | 'value'>) => Promise<void>
}

const FILE = 'models.yaml'

const fromJson = (content: unknown): ModelsFile => {
  const read = ModelsFile.safeParse(content)
  if (read.success) return read.data
  throw new Fault('config.invalid', `The document has mistakes:\n${z.prettifyError(read.error)}`, { document: 'models' })
}

const readRecord = (value: Uint8Array): ConfigChanged => {
  const read = ConfigChanged.safeParse(JSON.parse(Buffer.from(value).toString('utf8')))
  if (read.success) return read.data
  throw new Fault('config.invalid', 'The record is no change of configuration.', { document: 'models' })
}

type Told = { readonly logger: Logger; readonly metrics: Metrics }

/** Makes it over the file. `file` must be right: without one there is nothing to fall back to. */
export const createLiveCatalogue = async (
  file: ModelsFile,
  surroundings: Surroundings,
  { logger, metrics }: Told,
): Promise<LiveCatalogue> => {
  const first = await createCatalogue(file, surroundings)
  let current: Catalogue = first // H2: exchanged as a whole
  let state: CatalogueState = { version: 0, source: 'file' }
  let taking: Promise<void> = Promise.resolve()

  const accept = async (value: Uint8Array): Promise<void> => {
    if (value.length === 0) {
      current = first // H3
      state = { version: 0, source: 'file' }
      logger.info({}, 'catalogue of models is the file again')
      return
    }
    const { version, by, atMs, content } = readRecord(value)
    try {
      current = await createCatalogue(fromJson(content), surroundings)
      state = { version, source: 'topic', by, atMs }
      logger.info({ version, by }, 'catalogue of models changed')
    } catch (error) {
      const { message } = toFault(error)
      state = { ...state, refused: { version, problem: message } } // H1
      metrics.count('baton_config_refused', { document: 'models' })
      logger.error({ version, by, problem: message }, 'catalogue of models refused; the one before it stays')
    }
  }
  const takeOne = async (value: Uint8Array): Promise<void> => {
    try {
      await accept(value)
    } catch (error) {
      metrics.count('baton_config_refused', { document: 'models' })
      logger.error({ problem: toFault(error).message }, 'record of the configuration topic refused')
    }
  }
  return {
    resolve: (names) => current.resolve(names),
    spends: (names) => current.spends(names),
    plan: (request, live) => current.plan(request, live),
    list: () => current.list(),
    embedder: (name) => current.embedder(name),
    state: () => state,
    check: async (text) => {
      const content = parseConfig(text, ModelsFile, FILE)
      const made = await createCatalogue(content, surroundings)
      return { content: parseConfig(text, z.unknown(), FILE), models: made.list().length, routes: Object.keys(content.routes).length }
    },
    take: ({ key, value }) => {
      // One after another, in the order of the topic.
      if (key === MODELS_KEY) taking = taking.then(() => takeOne(value))
      return taking
    },
  }
}
