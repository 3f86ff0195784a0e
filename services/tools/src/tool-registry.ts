// Tools by name, out of several sources.
//   T1. A name belongs to one tool: the first source that has it keeps it; two of one name in one source are refused.
import { Fault } from '@baton/contracts'
import type { ToolSource } from './tool-source.ts'
import type { Tool } from './tool.ts'

export type ToolRegistry = {
  /** Throws `tool.unknown`. */
  readonly find: (name: string) => Promise<Tool>
  readonly list: () => Promise<readonly Tool[]>
}

/** Throws `config.invalid` when two of these have one name. */
export const checkNames = (tools: readonly Tool[]): void => {
  const names = new Set<string>()
  for (const { name } of tools) {
    if (names.has(name)) throw new Fault('config.invalid', `two tools are called ${name}`, { tool: name }) // T1
    names.add(name)
  }
}

/** A registry of sources. `govern` gives each tool what the configuration says about it. */
export const createRegistry = (sources: readonly ToolSource[], govern: (tool: Tool) => Tool = (tool) => tool): ToolRegistry => {
  const governed = new WeakMap<Tool, Tool>()
  const ruled = (tool: Tool): Tool => {
    const known = governed.get(tool)
    if (known !== undefined) return known
    const made = govern(tool)
    governed.set(tool, made)
    return made
  }
  return {
    find: async (name) => {
      for (const source of sources) {
        const tool = await source.find(name)
        if (tool !== undefined) return ruled(tool)
      }
      throw new Fault('tool.unknown', `no tool is called ${name}`, { tool: name })
    },
    list: async () => {
      const byName = new Map<string, Tool>()
      for (const tools of await Promise.all(sources.map((source) => source.tools())))
        for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, ruled(tool)) // T1
      return [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1))
    },
  }
}
