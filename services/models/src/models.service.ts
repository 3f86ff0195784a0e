import { createWorker, startHost, type StartService, type WorkHandler } from '@baton/service'
import { agentHandler } from './agent/agent-invoke.ts'
import { modelsOf } from './agent/agent-work.ts'
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
  const clocks = { random: Math.random, clockMs: () => performance.now() }
  const step = invokeHandler(catalogue, clocks)
  const turn = agentHandler(platform, { catalogue, ...clocks })
  const invoke: WorkHandler = (command, context) =>
    command.turn === undefined ? step(command, context) : turn({ ...command, turn: command.turn }, context)
  const worker = createWorker({
    platform,
    service: 'models',
    handlers: { 'model.invoke': invoke },
    keepAnswer: (command, node, plan) => {
      if (command.turn !== undefined) return catalogue.spends(modelsOf(command, plan))
      return node.kind === 'model' && catalogue.spends(command.override?.models ?? node.models)
    },
  })
  return startHost({ name: 'models', platform, controllers: [worker], port, host })
}
