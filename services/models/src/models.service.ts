import type { TableReader } from '@baton/bus/bus'
import { TOPICS } from '@baton/contracts'
import { createWorker, startHost, type StartService, type WorkHandler } from '@baton/service'
import { agentHandler } from './agent/agent-invoke.ts'
import { modelsOf } from './agent/agent-work.ts'
import { CATALOGUE, CatalogueController, LIVE_FACTS } from './catalogue/catalogue.controller.ts'
import { openCatalogue } from './catalogue/open-catalogue.ts'
import { invokeHandler } from './invoke/invoke.ts'

/** The models service: takes `model.invoke`. Answers of models that cost money are kept before they are published (L9). */
export const start: StartService = async (platform, { port, host }) => {
  const catalogue = await openCatalogue(platform)
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
  let config: TableReader | undefined
  return startHost({
    name: 'models',
    platform,
    port,
    host,
    controllers: [worker, CatalogueController],
    providers: [
      { provide: CATALOGUE, useValue: catalogue },
      { provide: LIVE_FACTS, useValue: (): object => ({}) },
    ],
    started: async () => {
      config = await platform.bus.table({ topic: TOPICS.config, onRecord: (record) => void catalogue.take(record) })
      await config.ready
    },
    drain: async () => config?.close(),
  })
}
