import { migrate } from '@baton/store'
import { createWorker, startHost, type StartService } from '@baton/service'
import { BUILT_IN_TOOLS } from './built-in.ts'
import { findFunctions } from './function-files.ts'
import { migrations } from './migrations/migrations.ts'
import { IndexController, SEARCH_INDEXES } from './retrieval/index.controller.ts'
import { retrievalSearch } from './retrieval/retrieval.consumer.ts'
import { searchIndexes } from './retrieval/search-index.repository.ts'
import { TicketController } from './tickets/ticket.controller.ts'
import { toolCall } from './tool-call.consumer.ts'
import { TOOL_REGISTRY, ToolController } from './tool.controller.ts'
import { createRegistry } from './tool-registry.ts'
import { fixedSource } from './tool-source.ts'

/** Starts the tools service: functions as tools, retrieval, and the ticket store's reads. */
export const start: StartService = async (platform, options) => {
  const { db, config, telemetry } = platform
  await migrate(db, { scope: 'tools', migrations })
  const { found, problems } = await findFunctions(config.flowsDir, new Set(BUILT_IN_TOOLS.map(({ name }) => name)))
  const registry = createRegistry([fixedSource('functions', [...BUILT_IN_TOOLS, ...found.map(({ tool }) => tool)])])
  for (const { file, reason } of problems)
    telemetry.logger.error({ service: 'tools', file, reason }, 'tools of this file are not available')
  const indexes = searchIndexes(db)
  const worker = createWorker({
    platform,
    service: 'tools',
    handlers: { 'tool.call': toolCall({ platform, registry }), 'retrieval.search': retrievalSearch({ platform, indexes }) },
    // L9: the ledger keeps the result of every effect before it is answered, and reads may be done again.
    keepAnswer: () => false,
  })
  return startHost({
    name: 'tools',
    platform,
    controllers: [worker, ToolController, TicketController, IndexController],
    providers: [
      { provide: TOOL_REGISTRY, useValue: registry },
      { provide: SEARCH_INDEXES, useValue: indexes },
    ],
    ...options,
  })
}
