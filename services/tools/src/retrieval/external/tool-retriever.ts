// A retriever of others, as the tool that a `retrieve` step calls.
//   O1. Only a tool without effect may stand for an index.
//   O2. What it answers is content from outside, unless its tool says otherwise.
import { Fault, type Json } from '@baton/contracts'
import { defineTool, type Tool } from '../../tool.ts'
import type { ToolRegistry } from '../../tool-registry.ts'
import { checkArguments } from '../../tool-run.ts'
import { Found, foundOf, SearchArgs } from '../passages.ts'
import { passagesOfAnswer } from './answer.policy.ts'
import type { Retriever } from './retrievers.config.ts'

/** Makes it. Throws `tool.unknown`, or `config.invalid` for a tool that has effects. */
export const toolRetriever = async (registry: ToolRegistry, retriever: Retriever): Promise<Tool> => {
  const tool = await registry.find(retriever.tool)
  if (tool.effect !== 'read')
    throw new Fault('config.invalid', `${retriever.index}: ${tool.name} has effects, an index has none`, { tool: tool.name }) // O1
  return {
    ...defineTool({
      name: `index:${retriever.index}`,
      effect: 'read',
      input: SearchArgs,
      output: Found,
      timeoutMs: tool.timeoutMs,
      run: async (args, context) => {
        const top = args.top ?? 5
        const given: { [name: string]: Json } = { ...retriever.arguments, [retriever.query]: args.query }
        if (retriever.top !== null) given[retriever.top] = top
        if (retriever.filter !== null && args.filter != null) given[retriever.filter] = args.filter as Json // JSON when it came in.
        const answer = (await tool.run(checkArguments(tool, given), context)) as Json // Tools answer JSON; what is no passage is left out.
        return foundOf(passagesOfAnswer(answer, retriever, top))
      },
    }),
    outside: tool.outside ?? true, // O2
    ...(tool.outbound === undefined ? {} : { outbound: tool.outbound }),
  }
}
