// The catalogue of a running service: the file, then whatever the configuration topic says.
import { join } from 'node:path'
import type { Platform } from '@baton/service'
import { migrate } from '@baton/store'
import { localEmbedders } from '../embeddings/local-embedder.adapter.ts'
import { readModelsEnvironment } from '../env.ts'
import { type Catalogue, createCatalogue, ModelsFile, readModelsFile } from './catalogue.ts'
import { parseConfig } from './config-text.ts'
import { createLiveCatalogue, type LiveCatalogue } from './live-catalogue.ts'
import { createSameness, samenessMigrations } from './sameness.ts'
import { learnedRoutes } from '../routes/learned-files.ts'
import type { Surroundings } from './surroundings.ts'

/** Where `baton models pull` puts weights. */
const modelsDirOf = ({ dataDir, modelsDir }: Pick<Platform['config'], 'dataDir' | 'modelsDir'>): string =>
  modelsDir ?? join(dataDir, 'models')

/** What models need to know of where they run. */
const surroundingsOf = ({ config, nowMs }: Pick<Platform, 'config' | 'nowMs'>): Surroundings => {
  const { openaiModel } = readModelsEnvironment(process.env)
  return {
    flowsDir: config.flowsDir,
    modelsDir: modelsDirOf(config),
    localEmbedders: localEmbedders(modelsDirOf(config)),
    env: process.env,
    learned: learnedRoutes(config.flowsDir),
    nowMs,
    ...(config.openai === undefined ? {} : { openai: config.openai }),
    ...(openaiModel === undefined ? {} : { openaiModel }),
  }
}

/** Opens it. Throws `config.invalid` where the file is wrong: nothing starts without a catalogue. */
export const openCatalogue = async (platform: Platform): Promise<LiveCatalogue> => {
  const { db, bus, telemetry, nowMs, config } = platform
  await migrate(db, { scope: 'models', migrations: samenessMigrations })
  const onServed = createSameness({ db, bus, telemetry, nowMs })
  const logger = telemetry.logger.child({ service: 'models' })
  return createLiveCatalogue(
    await readModelsFile(config.configDir),
    { ...surroundingsOf(platform), onServed },
    { logger, metrics: telemetry.metrics },
  )
}

/** The catalogue of the file, for commands that run without a system. */
export const catalogueOfFile = async (config: Platform['config']): Promise<Catalogue> =>
  createCatalogue(await readModelsFile(config.configDir), surroundingsOf({ config, nowMs: Date.now }))

/** Whether a text may become the catalogue. Throws `config.invalid` with the lines. */
export const checkModelsText = async (
  text: string,
  config: Platform['config'],
): Promise<{ readonly models: number; readonly routes: number }> => {
  const file = parseConfig(text, ModelsFile, 'models.yaml')
  const catalogue = await createCatalogue(file, surroundingsOf({ config, nowMs: Date.now }))
  return { models: catalogue.list().length, routes: Object.keys(file.routes).length }
}
