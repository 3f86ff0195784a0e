// `retrieval.search`: passages of the node's index that fit the question, best first. Tries and time as for any tool without effect.
//   R1. An index that somebody else keeps (config/retrievers.yaml) goes before one of our own of the same name.
//   R2. What comes from outside taints the run.
import { Fault, isJsonObject, type Json } from '@baton/contracts'
import type { Platform, WorkHandler } from '@baton/service'
import { triesOf, walk } from '../dispatch.ts'
import { faultOf } from '../tool-call.consumer.ts'
import type { ToolRegistry } from '../tool-registry.ts'
import { checkArguments } from '../tool-run.ts'
import { defineTool, type Tool } from '../tool.ts'
import type { Retriever } from './external/retrievers.config.ts'
import { toolRetriever } from './external/tool-retriever.ts'
import { Found, foundOf, SearchArgs, searchOptionsOf } from './passages.ts'
import { QUERY_CHARS_MAX, type SearchIndex } from './search-index.repository.ts'

const SEARCH_TIMEOUT_MS = 10_000

/** Searching an index of our own, as a tool. */
const searchTool = (indexes: SearchIndex, index: string): Tool =>
  defineTool({
    name: `index:${index}`,
    effect: 'read',
    input: SearchArgs,
    output: Found,
    timeoutMs: SEARCH_TIMEOUT_MS,
    run: async (args, { tenant, signal }) => foundOf(await indexes.search({ ...searchOptionsOf(args), tenant, index, signal })),
  })

/** Indexes of others. */
export type Retrievers = { readonly registry: ToolRegistry; readonly byIndex: ReadonlyMap<string, Retriever> }

const argumentsOf = (input: Json, top: number): Json => {
  const asked = typeof input === 'string' ? { query: input } : input
  return isJsonObject(asked) ? { top, ...asked } : asked
}

const toolOf = (indexes: SearchIndex, retrievers: Retrievers | undefined, index: string): Promise<Tool> => {
  const retriever = retrievers?.byIndex.get(index)
  return retrievers === undefined || retriever === undefined
    ? Promise.resolve(searchTool(indexes, index))
    : toolRetriever(retrievers.registry, retriever) // R1
}

/** The handler of `retrieval.search`. */
export const retrievalSearch = ({
  platform,
  indexes,
  retrievers,
}: {
  platform: Platform
  indexes: SearchIndex
  retrievers?: Retrievers
}): WorkHandler => {
  return async (command, work) => {
    const { node } = work
    if (node.kind !== 'retrieve') throw new Fault('flow.invalid', `node ${node.id} searches no index`, { node: node.id })
    const startedAtMs = work.nowMs()
    const started = performance.now()
    const tool = await toolOf(indexes, retrievers, node.index)
    const args = checkArguments(tool, argumentsOf(work.input, node.top))
    const { tenant, effectKey, runId, flow, path } = command
    const { db, stores, telemetry } = platform
    const context = { tenant, effectKey, runId, flow, path, db, stores, nowMs: work.nowMs, logger: telemetry.logger }
    try {
      const done = await walk({
        tools: [tool],
        args: new Map([[tool.name, args]]),
        context,
        signal: () => work.signal,
        ...triesOf(node, [tool]),
      })
      const { output } = done.kept
      return {
        status: 'answered',
        output,
        by: tool.name,
        meter: {
          startedAtMs,
          latencyMs: performance.now() - started,
          tries: done.tries,
          tool: tool.name,
          inputChars: Math.min(JSON.stringify(args).length, QUERY_CHARS_MAX),
          outputChars: JSON.stringify(output).length,
          costMicroUsd: 0,
        },
        content: { arguments: args, passages: output },
        ...(tool.outside === true ? { taint: [tool.name] } : {}), // R2
      }
    } catch (error) {
      throw faultOf(error)
    }
  }
}
