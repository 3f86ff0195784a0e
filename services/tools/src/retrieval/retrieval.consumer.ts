// `retrieval.search`: passages of the node's index that fit the question, best first. Tries and time as for any tool without effect.
import { z } from 'zod'
import { Fault, isJsonObject, type Json } from '@baton/contracts'
import type { Platform, WorkHandler } from '@baton/service'
import { triesOf, walk } from '../dispatch.ts'
import { faultOf } from '../tool-call.consumer.ts'
import { checkArguments } from '../tool-run.ts'
import { defineTool, type Tool } from '../tool.ts'
import { QUERY_CHARS_MAX, type SearchIndex } from './search-index.repository.ts'

/** Passages of one search, at most. */
export const TOP_MAX = 100
const SEARCH_TIMEOUT_MS = 10_000

const Items = z.array(z.object({ id: z.string(), title: z.string(), text: z.string(), score: z.number(), rank: z.number() }))
const Found = z.object({ items: Items, score: z.number() })

/** Searching an index, as a tool. The score beside the items is that of the best one. */
const searchTool = (indexes: SearchIndex, index: string): Tool =>
  defineTool({
    name: `index:${index}`,
    effect: 'read',
    input: z.strictObject({ query: z.string(), top: z.number().int().min(1).max(TOP_MAX).nullish() }),
    output: Found,
    timeoutMs: SEARCH_TIMEOUT_MS,
    run: async ({ query, top }, { tenant }) => {
      const items = await indexes.search({ tenant, index, query, top: top ?? 5 })
      return { items: [...items], score: items[0]?.score ?? 0 }
    },
  })

const argumentsOf = (input: Json, top: number): Json => {
  const asked = typeof input === 'string' ? { query: input } : input
  return isJsonObject(asked) ? { top, ...asked } : asked
}

/** The handler of `retrieval.search`. */
export const retrievalSearch = ({ platform, indexes }: { platform: Platform; indexes: SearchIndex }): WorkHandler => {
  return async (command, work) => {
    const { node } = work
    if (node.kind !== 'retrieve') throw new Fault('flow.invalid', `node ${node.id} searches no index`, { node: node.id })
    const startedAtMs = work.nowMs()
    const started = performance.now()
    const tool = searchTool(indexes, node.index)
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
      }
    } catch (error) {
      throw faultOf(error)
    }
  }
}
