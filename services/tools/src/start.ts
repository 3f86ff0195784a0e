import { migrate } from '@baton/store'
import { createWorker, startHost, type Platform, type StartService } from '@baton/service'
import { readToolsConfig } from './config/tools-config.ts'
import { openFunctions } from './function-source.ts'
import { openHttp } from './http/http-source.ts'
import { readMcpServers } from './mcp/mcp-config.ts'
import { MCP, McpController } from './mcp/mcp.controller.ts'
import { openMcp } from './mcp/mcp-source.ts'
import { forgetResults } from './kept-results.ts'
import { migrations } from './migrations/migrations.ts'
import { classified } from './permissions/rules.policy.ts'
import { forgetUses } from './permissions/use-limits.repository.ts'
import { serviceEmbedders } from './retrieval/embedding.adapter.ts'
import { readRetrievers } from './retrieval/external/retrievers.config.ts'
import { askOthers } from './retrieval/external/ask-others.ts'
import { IndexController, OTHERS, SEARCH_INDEXES } from './retrieval/index.controller.ts'
import { retrievalSearch } from './retrieval/retrieval.consumer.ts'
import { searchIndexes } from './retrieval/search-index.repository.ts'
import { vectorScanOf } from './retrieval/vector-scan.ts'
import { TicketController } from './tickets/ticket.controller.ts'
import { toolCall } from './tool-call.consumer.ts'
import { TOOL_REGISTRY, ToolController } from './tool.controller.ts'
import { createRegistry } from './tool-registry.ts'

const UPKEEP_EVERY_MS = 600_000
/** Longer than an agent may work. */
const RESULTS_KEEP_MS = 7 * 86_400_000

/** Starts the tools service: functions as tools, retrieval, and the ticket store's reads. */
export const start: StartService = async (platform, options) => {
  const { db, config, telemetry } = platform
  await migrate(db, { scope: 'tools', migrations })
  const tools = await readToolsConfig(config.configDir)
  for (const { id, reason } of tools.left) telemetry.logger.warn({ service: 'tools', operation: id, reason }, 'this operation is no tool')
  const embedders = serviceEmbedders(platform.call)
  const indexes = searchIndexes(db, { embedders, scan: await vectorScanOf(db) })
  const { source: functions, problems } = await openFunctions({ flowsDir: config.flowsDir, indexes }, tools.functions)
  const http = openHttp(tools)
  const mcp = openMcp({ servers: readMcpServers(tools.mcp), db, logger: telemetry.logger, nowMs: platform.nowMs })
  const registry = createRegistry([functions, http, mcp], (tool) => classified(tool, tools.rules.rules))
  for (const { file, reason } of problems)
    telemetry.logger.error({ service: 'tools', file, reason }, 'tools of this file are not available')
  const retrievers = { registry, byIndex: await readRetrievers(config.configDir) }
  const worker = createWorker({
    platform,
    service: 'tools',
    handlers: {
      'tool.call': toolCall({ platform, registry, rules: tools.rules, resultChars: tools.resultChars }),
      'retrieval.search': retrievalSearch({ platform, indexes, retrievers }),
    },
    // L9: the ledger keeps the result of every effect before it is answered, and reads may be done again.
    keepAnswer: () => false,
  })
  const running = await startHost({
    name: 'tools',
    platform,
    controllers: [worker, ToolController, TicketController, IndexController, McpController],
    providers: [
      { provide: TOOL_REGISTRY, useValue: registry },
      { provide: SEARCH_INDEXES, useValue: indexes },
      { provide: OTHERS, useValue: askOthers(platform, retrievers) },
      { provide: MCP, useValue: mcp },
    ],
    ...options,
  })
  const upkeep = setInterval(() => {
    forget(platform).catch((error: unknown) =>
      telemetry.logger.warn({ service: 'tools', reason: String(error) }, 'old rows were not removed'),
    )
  }, UPKEEP_EVERY_MS).unref()
  return {
    ...running,
    close: async (grace) => {
      clearInterval(upkeep)
      await running.close(grace)
      for (const source of [functions, http, mcp]) await source.close?.()
    },
  }
}

const forget = async ({ db, nowMs }: Platform): Promise<void> => {
  await forgetUses(db, nowMs())
  await forgetResults(db, nowMs() - RESULTS_KEEP_MS)
}
