// Tools by name: the built-in ones, and those that lie beside a flow in `flows/X/tools`.
//   T1. A name belongs to one tool; the first one loaded keeps it, and the second is reported.
//   T2. A file that cannot be loaded is reported and costs nothing but its own tools.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Fault, toFault } from '@baton/contracts'
import type { Tool } from './tool.ts'

const TOOL_NAME = /^[a-z0-9][a-z0-9_.-]*(\/[a-z0-9][a-z0-9_.-]*)*$/
const TOOL_FILE = /^(?!.*\.(spec|d)\.ts$).+\.(ts|mjs|js)$/

export type ToolRegistry = {
  /** Throws `tool.unknown` naming what is there. */
  get(name: string): Tool
  readonly list: () => readonly Tool[]
}

/** A file of tools that could not be taken, and why. */
export type ToolProblem = { readonly file: string; readonly reason: string }

const isTool = (value: unknown): value is Tool => {
  if (typeof value !== 'object' || value === null) return false
  const tool = value as Record<string, unknown> // an object; every field is checked here
  return (
    typeof tool['name'] === 'string' &&
    TOOL_NAME.test(tool['name']) &&
    typeof tool['run'] === 'function' &&
    typeof tool['timeoutMs'] === 'number' &&
    typeof tool['input'] === 'object' &&
    typeof tool['output'] === 'object' &&
    ['read', 'write', 'irreversible'].includes(String(tool['effect']))
  )
}

/** A registry of these tools. Throws `config.invalid` when two have one name. */
export const createRegistry = (tools: readonly Tool[]): ToolRegistry => {
  const byName = new Map<string, Tool>()
  for (const tool of tools) {
    if (byName.has(tool.name)) throw new Fault('config.invalid', `two tools are called ${tool.name}`, { tool: tool.name }) // T1
    byName.set(tool.name, tool)
  }
  return {
    get: (name) => {
      const tool = byName.get(name)
      if (tool === undefined) throw new Fault('tool.unknown', `no tool is called ${name}`, { tool: name })
      return tool
    },
    list: () => [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1)),
  }
}

const entries = async (dir: string): Promise<readonly { readonly name: string; readonly isDirectory: boolean }[]> => {
  try {
    return (await readdir(dir, { withFileTypes: true })).map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

/** Every file of every `tools` folder below the flows. */
const toolFiles = async (flowsDir: string): Promise<readonly string[]> => {
  const files: string[] = []
  for (const flow of await entries(flowsDir)) {
    if (!flow.isDirectory) continue
    const dir = join(flowsDir, flow.name, 'tools')
    for (const file of await entries(dir)) if (!file.isDirectory && TOOL_FILE.test(file.name)) files.push(join(dir, file.name))
  }
  return files.sort()
}

/** Tools that a module exports: each export, or each member of an exported list. A tool exported twice counts once. */
const toolsOf = async (file: string): Promise<readonly Tool[]> => {
  const module: unknown = await import(pathToFileURL(file).href)
  const found = new Set(Object.values(Object(module)).flat().filter(isTool))
  if (found.size === 0)
    throw new Fault('config.invalid', 'exports no tool: use defineTool({ name, effect, input, output, timeoutMs, run })')
  return [...found]
}

/** The built-in tools and those of the flows folder. */
export const loadTools = async (
  builtIn: readonly Tool[],
  flowsDir: string,
): Promise<{ readonly registry: ToolRegistry; readonly problems: readonly ToolProblem[] }> => {
  const tools = [...builtIn]
  const problems: ToolProblem[] = []
  for (const file of await toolFiles(flowsDir)) {
    try {
      for (const tool of await toolsOf(file)) {
        if (!tools.some(({ name }) => name === tool.name)) tools.push(tool)
        else problems.push({ file, reason: `a tool called ${tool.name} is there already` }) // T1
      }
    } catch (error) {
      problems.push({ file, reason: toFault(error).message }) // T2
    }
  }
  return { registry: createRegistry(tools), problems }
}
