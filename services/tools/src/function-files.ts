// Functions that lie beside a flow: every export of a file in `flows/NAME/functions` (or `tools`) that is a tool.
//   N1. A name that is taken is reported; the tool that was there first keeps it.
//   N2. A file that cannot be loaded is reported and costs nothing but its own tools.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Fault, toFault } from '@baton/contracts'
import type { Tool } from './tool.ts'

/** Names of tools: words with `/` between them. */
export const TOOL_NAME = /^[a-z0-9][a-z0-9_.-]*(\/[a-z0-9][a-z0-9_.-]*)*$/
const TOOL_FILE = /^(?!.*\.(spec|d)\.ts$).+\.(ts|mjs|js)$/
const FOLDERS = ['functions', 'tools']

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

const entries = async (dir: string): Promise<readonly { readonly name: string; readonly isDirectory: boolean }[]> => {
  try {
    return (await readdir(dir, { withFileTypes: true })).map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

const toolFiles = async (flowsDir: string): Promise<readonly string[]> => {
  const files: string[] = []
  for (const flow of await entries(flowsDir)) {
    if (!flow.isDirectory) continue
    for (const folder of FOLDERS) {
      const dir = join(flowsDir, flow.name, folder)
      for (const file of await entries(dir)) if (!file.isDirectory && TOOL_FILE.test(file.name)) files.push(join(dir, file.name))
    }
  }
  return files.sort()
}

/** Tools that a module exports: each export, or each member of an exported list. A tool exported twice counts once. */
export const toolsOfModule = async (file: string): Promise<readonly Tool[]> => {
  const module: unknown = await import(pathToFileURL(file).href)
  const found = new Set(Object.values(Object(module)).flat().filter(isTool))
  if (found.size === 0)
    throw new Fault('config.invalid', 'exports no tool: use defineTool({ name, effect, input, output, timeoutMs, run })')
  return [...found]
}

/** A tool and the file it came from. */
export type FoundTool = { readonly tool: Tool; readonly file: string }

/** The functions of the flows folder whose names are not taken. */
export const findFunctions = async (
  flowsDir: string,
  taken: ReadonlySet<string>,
): Promise<{ readonly found: readonly FoundTool[]; readonly problems: readonly ToolProblem[] }> => {
  const names = new Set(taken)
  const found: FoundTool[] = []
  const problems: ToolProblem[] = []
  for (const file of await toolFiles(flowsDir)) {
    try {
      for (const tool of await toolsOfModule(file)) {
        if (names.has(tool.name)) problems.push({ file, reason: `a tool called ${tool.name} is there already` }) // N1
        else found.push({ tool, file })
        names.add(tool.name)
      }
    } catch (error) {
      problems.push({ file, reason: toFault(error).message }) // N2
    }
  }
  return { found, problems }
}
