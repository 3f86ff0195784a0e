import { createWorker, startHost, type StartService } from '@baton/service'
import { loadCatalogue } from './catalogue/catalogue.ts'
import { readModelsEnvironment } from './env.ts'
import { invokeHandler } from './invoke/invoke.ts'

/** The models service: takes `model.invoke`. Answers of models that cost money are kept before they are published (L9). */
export const start: StartService = async (platform, { port, host }) => {
  const { config, nowMs } = platform
  const { openaiModel } = readModelsEnvironment(process.env)
  const catalogue = await loadCatalogue(config.configDir, {
    flowsDir: config.flowsDir,
    nowMs,
    ...(config.openai === undefined ? {} : { openai: config.openai }),
    ...(openaiModel === undefined ? {} : { openaiModel }),
  })
  const worker = createWorker({
    platform,
    service: 'models',
    handlers: { 'model.invoke': invokeHandler(catalogue, { random: Math.random, clockMs: () => performance.now() }) },
    keepAnswer: ({ override }, node) => node.kind === 'model' && catalogue.spends(override?.models ?? node.models),
  })
  return startHost({ name: 'models', platform, controllers: [worker], port, host })
}
