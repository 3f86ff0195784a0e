// Where tools come from: built-in functions, files beside flows, HTTP and OpenAPI descriptions, MCP servers.
//   O1. A source that cannot answer costs nothing but its own tools: `tools` gives what it knows, and does not throw for one server.
//   O2. `find` may be slow the first time (a server has to be started) and is asked only for names that the source may have.
import type { Tool } from './tool.ts'

export type ToolSource = {
  /** For messages: `functions`, `http`, `mcp`. */
  readonly name: string
  /** What it has now, for lists (O1). */
  readonly tools: () => Promise<readonly Tool[]>
  /** The tool of this name, or undefined. Throws a Fault where it should be there and is not: `tool.changed`, `tool.unreachable`. */
  readonly find: (name: string) => Promise<Tool | undefined>
  /** Ends what was started. */
  readonly close?: () => Promise<void>
}

/** Tools that are known from the start. */
export const fixedSource = (name: string, tools: readonly Tool[]): ToolSource => {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  return { name, tools: () => Promise.resolve(tools), find: (tool) => Promise.resolve(byName.get(tool)) }
}
