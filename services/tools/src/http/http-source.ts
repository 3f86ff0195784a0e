import { checkNames } from '../tool-registry.ts'
import { fixedSource, type ToolSource } from '../tool-source.ts'
import type { AllowList } from './address.policy.ts'
import { guardedAgent } from './guarded-agent.adapter.ts'
import type { HttpOperation } from './http-operation.ts'
import { httpTool } from './http-tool.ts'

/** Tools over HTTP, written by hand or imported, with connections that go only where they may. Throws `config.invalid`. */
export const openHttp = ({
  operations,
  network,
}: {
  readonly operations: readonly HttpOperation[]
  readonly network: AllowList
}): ToolSource => {
  const agent = guardedAgent(network)
  const tools = operations.map((operation) => httpTool(operation, agent))
  checkNames(tools)
  return { ...fixedSource('http', tools), close: () => agent.destroy() }
}
