// Indexes of others outside of a run: for people and programs that look at what a flow would get.
import type { z } from 'zod'
import type { Json } from '@baton/contracts'
import type { Platform } from '@baton/service'
import { checkArguments, runTool, ToolFailure } from '../../tool-run.ts'
import type { ToolRegistry } from '../../tool-registry.ts'
import type { Found, SearchArgs } from '../passages.ts'
import type { Passage } from '../search-index.repository.ts'
import type { Retriever } from './retrievers.config.ts'
import { toolRetriever } from './tool-retriever.ts'

/** Indexes of others, with the tools that stand for them. */
export type Others = {
  readonly list: () => readonly { readonly name: string; readonly tool: string }[]
  readonly has: (index: string) => boolean
  readonly search: (asked: { readonly tenant: string; readonly index: string; readonly args: SearchArgs }) => Promise<readonly Passage[]>
}

/** Asks them as a step does, once. */
export const askOthers = (
  { db, stores, telemetry, nowMs }: Pick<Platform, 'db' | 'stores' | 'telemetry' | 'nowMs'>,
  { registry, byIndex }: { readonly registry: ToolRegistry; readonly byIndex: ReadonlyMap<string, Retriever> },
): Others => ({
  list: () => [...byIndex.values()].map(({ index: name, tool }) => ({ name, tool })),
  has: (index) => byIndex.has(index),
  search: async ({ tenant, index, args }) => {
    const retriever = byIndex.get(index)
    if (retriever === undefined) return []
    const tool = await toolRetriever(registry, retriever)
    const given = checkArguments(tool, JSON.parse(JSON.stringify(args)) as Json) // what was not said is left out
    const nobody = { tenant, effectKey: `search/${index}`, runId: '', flow: '', path: '' } // no run: a tool that only reads needs no key
    const context = { ...nobody, db, stores, nowMs, logger: telemetry.logger }
    try {
      const { output } = await runTool(tool, {
        args: given,
        timeoutMs: tool.timeoutMs,
        context,
        signal: () => AbortSignal.timeout(tool.timeoutMs),
      })
      return (output as z.output<typeof Found>).items // as the tool's own schema has checked
    } catch (error) {
      throw error instanceof ToolFailure ? error.fault : error
    }
  },
})
