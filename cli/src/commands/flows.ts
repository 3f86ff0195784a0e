import { Command } from 'commander'
import { table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'
import { aliasCommand, userName } from './flow-alias.ts'
import { packCommand, publication } from './flow-pack.ts'
import { runningSystem } from './running-system.ts'
import { triggersOf, triggerTable } from './triggers.ts'

type FlowItem = {
  readonly flow: string
  readonly version: string
  readonly hash: string
  readonly aliases: readonly string[]
  readonly publishedAtMs: number
}

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('published flows')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { items } = await runningSystem().get<{ items: readonly FlowItem[] }>('/v1/flows')
      show(context, items, {
        ...options,
        text: () =>
          table(
            ['flow', 'version', 'aliases', 'plan', 'published'],
            items.map((item) => [
              item.flow,
              item.version,
              item.aliases.join(', '),
              item.hash.slice(0, 12),
              new Date(item.publishedAtMs).toISOString(),
            ]),
          ),
      })
    })

const showOne = (context: CommandContext): Command =>
  new Command('show')
    .description('the compiled plan of a flow; beside it, on stderr, what starts it and when it is due next')
    .argument('<flow>', 'namespace/name[@version|@alias]')
    .action(async (flow: string) => {
      context.terminal.print(JSON.stringify(await runningSystem().get(`/v1/flows/${flow}`), null, 2))
      const triggers = await triggersOf(flow.split('@')[0])
      if (triggers.length > 0) context.terminal.note(triggerTable(triggers))
    })

const publish = (context: CommandContext): Command =>
  new Command('publish')
    .description('check a flow and make it available')
    .argument('<path>', 'flow file or folder, or a pack')
    .option('--alias <alias>', 'alias to move to it', 'stable')
    .option('--replace', 'replace a version that was published with other content')
    .action(async (path: string, options: { alias: string; replace?: boolean }) => {
      const { flow, files, entry, plan } = await publication(path)
      const body = {
        files: Object.fromEntries(files),
        entry,
        plan,
        alias: options.alias,
        replace: options.replace === true,
        by: userName(),
      }
      const published = await runningSystem().put<{ flow: string; version: string; changed: boolean; warnings?: readonly string[] }>(
        `/v1/flows/${flow}`,
        body,
      )
      for (const warning of published.warnings ?? []) context.terminal.note(`warning: ${warning}`)
      context.terminal.print(
        `${published.flow}@${published.version} ${published.changed ? 'published' : 'was published before'} as ${options.alias}`,
      )
    })

/** `baton flows list|show|publish|pack|alias`. */
export const flowsCommand = (context: CommandContext): Command =>
  new Command('flows')
    .description('list, show, pack and publish flows, move their aliases')
    .addCommand(list(context))
    .addCommand(showOne(context))
    .addCommand(publish(context))
    .addCommand(packCommand(context))
    .addCommand(aliasCommand(context))
