import { userInfo } from 'node:os'
import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type Move = {
  readonly alias: string
  readonly version: string
  readonly hash: string
  readonly kind: string
  readonly by: string
  readonly reason: string
  readonly atMs: number
}
type Moved = { readonly version: string; readonly hash: string; readonly from?: string; readonly changed?: boolean }
type Options = {
  readonly history?: boolean
  readonly rollback?: boolean
  readonly by: string
  readonly reason?: string
  readonly json?: boolean
}

/** Name of whoever is at the keyboard; the audit keeps it. */
export const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return 'cli'
  }
}

const HASH_CHARS = 12

/** `baton flows alias FLOW [ALIAS@VERSION]`. */
export const aliasCommand = (context: CommandContext): Command =>
  new Command('alias')
    .description('show, move or roll back the aliases of a flow')
    .argument('<flow>', 'namespace/name')
    .argument('[target]', 'ALIAS@VERSION moves the alias; ALIAS alone limits --history and --rollback to it')
    .option('--history', 'where the aliases pointed before (default without a target)')
    .option('--rollback', 'back to where the alias was before its last move; again, to where it was before that')
    .option('--by <name>', 'who moves it', userName())
    .option('--reason <text>', 'why, for the history')
    .option('--json', 'print JSON')
    .action(async (flow: string, target: string | undefined, options: Options) => {
      const [alias, version] = (target ?? '').split('@')
      const who = { by: options.by, ...(options.reason === undefined ? {} : { reason: options.reason }) }
      if (options.rollback === true) {
        if (version !== undefined) throw new Fault('request.malformed', 'a rollback names an alias and no version')
        const of = alias === undefined || alias === '' ? 'stable' : alias
        const moved = await runningSystem().post<Moved>(`/v1/aliases/${flow}:rollback`, { alias: of, ...who })
        show(context, moved, { ...options, text: () => `${flow}@${of}: back from ${moved.from ?? ''} to ${moved.version}` })
      } else if (version !== undefined && options.history !== true) {
        const moved = await runningSystem().put<Moved>(`/v1/aliases/${flow}`, { alias, version, ...who })
        show(context, moved, {
          ...options,
          text: () => `${flow}@${alias ?? ''} ${moved.changed === true ? 'points' : 'pointed before'} to ${moved.version}`,
        })
      } else await history(context, { flow, alias: alias === '' ? undefined : alias, options })
    })

const history = async (
  context: CommandContext,
  { flow, alias, options }: { flow: string; alias: string | undefined; options: Options },
): Promise<void> => {
  const { items } = await runningSystem().get<{ items: readonly Move[] }>(`/v1/aliases/${flow}${query({ alias })}`)
  show(context, items, {
    ...options,
    text: () =>
      table(
        ['alias', 'version', 'plan', 'how', 'by', 'when', 'why'],
        items.map((move) => [
          move.alias,
          move.version,
          move.hash.slice(0, HASH_CHARS),
          move.kind,
          move.by,
          new Date(move.atMs).toISOString(),
          move.reason,
        ]),
      ),
  })
}
