// `baton budgets list|show|forgive`: what may be spent, what was, and when it will be gone.
import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import { table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'
import { userName } from './flow-alias.ts'
import { runningSystem } from './running-system.ts'

type Budget = {
  readonly key: string
  readonly startMs: number
  readonly endMs: number
  readonly cap: number
  readonly spent: number
  readonly reserved: number
  readonly lost: number
  readonly used: number
  readonly standing: 'free' | 'soft' | 'gone'
  readonly goneAtMs?: number
}
type Json = { readonly json?: boolean }

const STANDINGS = { free: '', soft: 'cheaper models first', gone: 'used up' } as const
const usd = (micro: number): string => `$${(micro / 1e6).toFixed(4)}`
const when = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
/** When it is used up if it goes on like this. */
const forecast = ({ goneAtMs, standing }: Budget): string => (standing === 'gone' || goneAtMs === undefined ? '' : when(goneAtMs))

const budgets = async (): Promise<readonly Budget[]> =>
  (await runningSystem().get<{ budgets: readonly Budget[] }>('/v1/models/budgets')).budgets
const jsonOf = ({ json }: Json): Json => (json === undefined ? {} : { json })

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('budgets of this period: cap, spent, reserved, and when they are used up if it goes on like this')
    .option('--all', 'periods that are over, too')
    .option('--json', 'print JSON')
    .action(async (options: Json & { all?: boolean }) => {
      const now = Date.now()
      const found = (await budgets()).filter(({ endMs }) => options.all === true || endMs > now)
      const rows = found.map((one) => [
        one.key,
        when(one.startMs),
        usd(one.cap),
        usd(one.spent),
        usd(one.reserved),
        `${(100 * one.used).toFixed(1)} %`,
        STANDINGS[one.standing],
        forecast(one),
      ])
      show(context, found, {
        ...jsonOf(options),
        text: () =>
          rows.length === 0
            ? 'no budget was used in this period; config/limits.yaml says which there are'
            : table(['budget', 'since', 'cap', 'spent', 'reserved', 'used', 'standing', 'gone at this pace'], rows),
      })
    })

const textOf = (one: Budget): string =>
  [
    `${one.key}, ${when(one.startMs)} to ${when(one.endMs)}`,
    `  cap       ${usd(one.cap)}`,
    `  spent     ${usd(one.spent)}${one.lost > 0 ? `, of it ${usd(one.lost)} of processes that died with it` : ''}`,
    `  reserved  ${usd(one.reserved)}`,
    `  left      ${usd(Math.max(0, one.cap - one.spent - one.reserved))} (${(100 * (1 - one.used)).toFixed(1)} %)`,
    `  standing  ${STANDINGS[one.standing] === '' ? 'free' : STANDINGS[one.standing]}`,
    `  forecast  ${one.goneAtMs === undefined ? 'lasts for the period at this pace' : `used up at ${when(one.goneAtMs)}`}`,
  ].join('\n')

const showOne = (context: CommandContext): Command =>
  new Command('show')
    .description('one budget in every period that is kept, the newest first')
    .argument('<key>', 'as `budgets list` names it: tenant:acme/day')
    .option('--json', 'print JSON')
    .action(async (key: string, options: Json) => {
      const found = (await budgets()).filter((one) => one.key === key).toSorted((left, right) => right.startMs - left.startMs)
      if (found.length === 0) throw new Fault('request.not_found', `there is no budget ${key}; \`baton budgets list --all\` names them`)
      show(context, found, { ...jsonOf(options), text: () => found.map(textOf).join('\n\n') })
    })

const forgive = (context: CommandContext): Command =>
  new Command('forgive')
    .description('what was spent of a budget in this period counts no more: it begins anew; who did it is in the log of the models service')
    .argument('<key>', 'as `budgets list` names it: tenant:acme/day')
    .option('--by <name>', 'who does it', userName())
    .option('--json', 'print JSON')
    .action(async (key: string, options: Json & { by: string }) => {
      const done = await runningSystem().post<{ forgivenMicroUsd: number }>('/v1/models/budgets:forgive', { key, by: options.by })
      show(context, done, { ...jsonOf(options), text: () => `${usd(done.forgivenMicroUsd)} of ${key} count no more` })
    })

/** `baton budgets`. */
export const budgetsCommand = (context: CommandContext): Command =>
  [list(context), showOne(context), forgive(context)].reduce(
    (budgetsOf, command) => budgetsOf.addCommand(command),
    new Command('budgets').description('money for models: what may be spent, what was, and when it will be gone'),
  )
