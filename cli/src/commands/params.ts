import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'
import { userName } from './flow-alias.ts'

type Value = string | number | boolean | null
type Setting = {
  readonly name: string
  readonly type: string
  readonly value: Value
  readonly default: Value
  readonly min?: number
  readonly max?: number
  readonly about?: string
  readonly from: string
}
type View = {
  readonly flow: string
  readonly version: string
  readonly tenant: string
  readonly env: string
  readonly params: readonly Setting[]
}
type Change = {
  readonly tenant: string
  readonly environment: string
  readonly name: string
  readonly old: Value
  readonly new: Value
  readonly by: string
  readonly reason: string
  readonly atMs: number
}
type Scope = { readonly tenant?: string; readonly env?: string; readonly json?: boolean }

const scoped = (command: Command): Command =>
  command
    .argument('<flow>', 'namespace/name')
    .option('--tenant <tenant>', 'only for this tenant')
    .option('--env <environment>', 'only in this environment (BATON_ENVIRONMENT of the running system)')
    .option('--json', 'print JSON')

const rangeOf = ({ min, max }: Setting): string => (min === undefined && max === undefined ? '' : `${min ?? ''}…${max ?? ''}`)
const textOf = (value: Value): string => (value === null ? '-' : String(value))
const fieldsOf = ({ tenant, env }: Scope): Record<string, string | undefined> => ({ tenant, env })

const settingsTable = ({ params }: View): string =>
  table(
    ['param', 'value', 'from', 'default', 'type', 'range', 'about'],
    params.map((param) => [
      param.name,
      textOf(param.value),
      param.from,
      textOf(param.default),
      param.type,
      rangeOf(param),
      param.about ?? '',
    ]),
  )

const get = (context: CommandContext): Command =>
  scoped(new Command('get').description('the params of a flow, their values and where they come from')).action(
    async (flow: string, options: Scope) => {
      const view = await runningSystem().get<View>(`/v1/params/${flow}${query(fieldsOf(options))}`)
      show(context, view, { ...options, text: () => settingsTable(view) })
    },
  )

/** `send=0.9`, `name=` takes the override away. */
const assignment = (text: string): [string, Value] => {
  const mark = text.indexOf('=')
  if (mark <= 0) throw new Fault('request.malformed', `${text}: write NAME=VALUE, or NAME= for the value of the flow`)
  const raw = text.slice(mark + 1)
  return [text.slice(0, mark), raw === '' ? null : valueOf(raw)]
}

const valueOf = (raw: string): Value => {
  if (raw === 'true' || raw === 'false') return raw === 'true'
  if (/^-?\d+(\.\d+)?%$/.test(raw)) return Number((Number(raw.slice(0, -1)) / 100).toPrecision(15))
  if (/^-?\d+(\.\d+)?$/.test(raw)) return Number(raw)
  return /^".*"$/s.test(raw) ? raw.slice(1, -1) : raw
}

const set = (context: CommandContext): Command =>
  scoped(new Command('set').description('change params within their range; new runs see it at once'))
    .argument('<values...>', 'NAME=VALUE; NAME= takes the override away; NAME="0.5" is text')
    .option('--by <name>', 'who changes them', userName())
    .option('--reason <text>', 'why, for the audit')
    .action(async (flow: string, values: readonly string[], options: Scope & { by: string; reason?: string }) => {
      const { tenant, env, by, reason } = options
      const body = {
        values: Object.fromEntries(values.map(assignment)),
        by,
        ...(tenant === undefined ? {} : { tenant }),
        ...(env === undefined ? {} : { env }),
        ...(reason === undefined ? {} : { reason }),
      }
      const view = await runningSystem().put<View & { changed: number }>(`/v1/params/${flow}`, body)
      show(context, view, { ...options, text: () => `${view.changed} changed\n${settingsTable(view)}` })
    })

const history = (context: CommandContext): Command =>
  scoped(new Command('history').description('who changed a param, when, from what, to what')).action(
    async (flow: string, options: Scope) => {
      const { items } = await runningSystem().get<{ items: readonly Change[] }>(`/v1/params/${flow}/history${query(fieldsOf(options))}`)
      show(context, items, {
        ...options,
        text: () =>
          table(
            ['when', 'param', 'old', 'new', 'tenant', 'environment', 'by', 'why'],
            items.map((change) => [
              new Date(change.atMs).toISOString(),
              change.name,
              textOf(change.old),
              textOf(change.new),
              change.tenant === '' ? 'all' : change.tenant,
              change.environment === '' ? 'all' : change.environment,
              change.by,
              change.reason,
            ]),
          ),
      })
    },
  )

/** `baton params get|set|history`. */
export const paramsCommand = (context: CommandContext): Command =>
  new Command('params')
    .description('values of a flow that change without a new version')
    .addCommand(get(context))
    .addCommand(set(context))
    .addCommand(history(context))
