import { Command } from 'commander'
import { openTransport } from '@baton/client'
import { Fault } from '@baton/contracts'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type Memory = {
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly value: unknown
  readonly source: string
  readonly by: string
  readonly atMs: number
}
type Session = {
  readonly turns: readonly { readonly role: string; readonly text: string; readonly atMs: number }[]
  readonly state: readonly { readonly key: string; readonly value: unknown; readonly version: number }[]
}
type Json = { readonly json?: boolean }

const jsonOf = ({ json }: Json): Json => (json === undefined ? {} : { json })
const userPath = (user: string): string => `/v1/memory/users/${encodeURIComponent(user)}`
const sessionPath = (session: string): string => `/v1/memory/sessions/${encodeURIComponent(session)}`
const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/\s+/g, ' ').slice(0, 80)
const when = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19)

const remove = <T>(path: string): Promise<T> => openTransport({ url: runningSystem().url }).call<T>({ method: 'DELETE', path })

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('what is known of a user, and where it comes from')
    .argument('<user>')
    .option('--kind <kind>', 'profile, preference or fact')
    .option('--json', 'print JSON')
    .action(async (user: string, options: Json & { kind?: string }) => {
      const { items } = await runningSystem().get<{ items: readonly Memory[] }>(`${userPath(user)}${query({ kind: options.kind })}`)
      const rows = items.map((item) => [item.id, item.kind, written(item.value), item.source, item.by, when(item.atMs)])
      const text = (): string =>
        rows.length === 0 ? `nothing is known of ${user}` : table(['id', 'kind', 'value', 'from', 'by', 'at'], rows)
      show(context, items, { ...jsonOf(options), text })
    })

const forget = (context: CommandContext): Command =>
  new Command('forget')
    .description('forget one thing of a user; with --all the user, everywhere and for good')
    .argument('<user>')
    .argument('[id]')
    .option('--all', 'all memories, turns of sessions and state of this user')
    .action(async (user: string, id: string | undefined, options: { all?: boolean }) => {
      if (options.all === true) {
        const { memories, turns, state } = await remove<{ memories: number; turns: number; state: number }>(userPath(user))
        context.terminal.print(`${user} is forgotten: ${memories} memories, ${turns} turns, ${state} entries of sessions`)
        return
      }
      if (id === undefined) throw new Fault('request.malformed', 'name an id, or --all')
      const { forgotten } = await remove<{ forgotten: boolean }>(`${userPath(user)}/${encodeURIComponent(id)}`)
      if (!forgotten) throw new Fault('request.not_found', `${user} has no ${id}`)
      context.terminal.print(`${id} is forgotten`)
    })

const session = (context: CommandContext): Command =>
  new Command('session')
    .description('the conversation and the state of a session')
    .argument('<session>')
    .option('--limit <n>', 'turns', '50')
    .option('--forget', 'forget it instead')
    .option('--json', 'print JSON')
    .action(async (name: string, options: Json & { limit: string; forget?: boolean }) => {
      if (options.forget === true) {
        const { turns } = await remove<{ turns: number }>(sessionPath(name))
        context.terminal.print(`${turns} turns are forgotten`)
        return
      }
      const found = await runningSystem().get<Session>(`${sessionPath(name)}${query({ limit: options.limit })}`)
      const turns = found.turns.map(({ role, text, atMs }) => [when(atMs), role, written(text)])
      const state = found.state.map(({ key, value, version }) => [key, written(value), String(version)])
      show(context, found, {
        ...jsonOf(options),
        text: () =>
          turns.length + state.length === 0
            ? `nothing was said or kept in ${name}`
            : [table(['at', 'who', 'said'], turns), ...(state.length === 0 ? [] : [table(['state', 'value', 'version'], state)])].join(
                '\n\n',
              ),
      })
    })

/** `baton memory list|forget|session` (C8, C9, H7). */
export const memoryCommand = (context: CommandContext): Command =>
  new Command('memory')
    .description('what is kept of users and sessions')
    .addCommand(list(context))
    .addCommand(forget(context))
    .addCommand(session(context))
