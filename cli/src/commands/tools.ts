import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { BUILT_IN_TOOL_NAMES } from '@baton/tools/built-in-names'
import { KNOWN_TOOLS_FILE } from '../platform/inventory.ts'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'
import { importCommand } from './tools-import.ts'

type ToolView = { readonly name: string; readonly effect: string; readonly about: string }
type Refreshed = {
  readonly server: string
  readonly tools: readonly string[]
  readonly fault?: { readonly code: string; readonly message: string }
}
export type ChangedTool = {
  readonly tool: string
  readonly principal: string
  readonly fingerprint: string
  readonly accepted?: { readonly by: string; readonly atMs: number }
  readonly changes: readonly { readonly at: string; readonly from?: string; readonly to?: string }[]
}

const ABOUT_CHARS = 70
const short = (text: string): string => (text.length <= ABOUT_CHARS ? text : `${text.slice(0, ABOUT_CHARS - 1)}…`)

/** A tool that is off, and why. */
export const changeText = ({ tool, principal, accepted, changes }: ChangedTool): string => {
  const when =
    accepted === undefined ? 'never accepted' : `accepted by ${accepted.by} on ${new Date(accepted.atMs).toISOString().slice(0, 16)}`
  const head = `${tool}${principal === '' ? '' : ` (${principal})`}: ${when}`
  const lines = changes.flatMap(({ at, from, to }) => [
    `  ${at}`,
    ...(from === undefined ? [] : [`    - ${from}`]),
    ...(to === undefined ? [] : [`    + ${to}`]),
  ])
  return [head, ...lines].join('\n')
}

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('tools that flows may use')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { items } = await runningSystem().get<{ items: readonly ToolView[] }>('/v1/tools')
      const rows = items.map(({ name, effect, about }) => [name, effect, short(about)])
      show(context, items, { ...options, text: () => table(['tool', 'effect', 'about'], rows) })
    })

const refresh = (context: CommandContext): Command =>
  new Command('refresh')
    .description('ask every MCP server for its tools, and keep the names of all tools for `baton check`')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const api = runningSystem()
      const { items: servers } = await api.post<{ items: readonly Refreshed[] }>('/v1/tools/refresh', {})
      const { items } = await api.get<{ items: readonly ToolView[] }>('/v1/tools')
      const names = items.map(({ name }) => name).filter((name) => !BUILT_IN_TOOL_NAMES.includes(name))
      const file = join(process.env['BATON_CONFIG_DIR'] ?? 'config', KNOWN_TOOLS_FILE)
      await writeFile(file, `${JSON.stringify({ tools: names.toSorted() }, null, 2)}\n`)
      const told = servers.map(({ server, tools, fault }) => `${server}: ${fault === undefined ? `${tools.length} tools` : fault.message}`)
      show(context, { file, tools: names, servers }, { ...options, text: () => [...told, `${names.length} names in ${file}`].join('\n') })
      if (servers.some(({ fault }) => fault !== undefined)) context.fail()
    })

const diff = (context: CommandContext): Command =>
  new Command('diff')
    .description('tools of MCP servers that are off because they are not what was accepted, and what changed')
    .argument('[tool]', 'SERVER/TOOL')
    .option('--json', 'print JSON')
    .action(async (tool: string | undefined, options: { json?: boolean }) => {
      const { items } = await runningSystem().get<{ items: readonly ChangedTool[] }>(`/v1/tools/changes${query({ tool })}`)
      show(context, items, {
        ...options,
        text: () => (items.length === 0 ? 'every tool is what was accepted' : items.map(changeText).join('\n')),
      })
      if (items.length > 0) context.fail()
    })

const accept = (context: CommandContext): Command =>
  new Command('accept')
    .description('accept a tool as it is now; its difference is shown, and what changes meanwhile is not accepted with it')
    .argument('<tool>', 'SERVER/TOOL')
    .addOption(new Option('--by <name>', 'who you are').default(process.env['USER'] ?? 'operator'))
    .action(async (tool: string, { by }: { by: string }) => {
      const api = runningSystem()
      const { items } = await api.get<{ items: readonly ChangedTool[] }>(`/v1/tools/changes${query({ tool })}`)
      if (items.length === 0) return context.terminal.print(`${tool} is what was accepted`)
      for (const change of items) {
        context.terminal.print(changeText(change))
        const { fingerprint, principal } = change
        await api.post('/v1/tools/accept', { tool, fingerprint, principal, by })
      }
      context.terminal.print(`${tool} is accepted by ${by}`)
    })

/** `baton tools list|refresh|diff|accept|import`. */
export const toolsCommand = (context: CommandContext): Command =>
  new Command('tools')
    .description('tools that flows may use; what changed of those that others serve')
    .addCommand(list(context))
    .addCommand(refresh(context))
    .addCommand(diff(context))
    .addCommand(accept(context))
    .addCommand(importCommand(context))
