import { Command } from 'commander'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type DeadLetterItem = {
  readonly service: string
  readonly offset: number
  readonly key: string
  readonly originTopic: string
  readonly code: string
  readonly message: string
  readonly attempts: number
  readonly failedAtMs?: number
}

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('messages that no service could handle, with the reason')
    .option('--service <service>', 'only this service')
    .option('--limit <n>', 'rows, at most 200', '50')
    .option('--cursor <cursor>', 'where the last page ended')
    .option('--json', 'print JSON')
    .action(async ({ json, ...filters }: { json?: boolean; service?: string; limit: string; cursor?: string }) => {
      const page = await runningSystem().get<{ items: readonly DeadLetterItem[]; nextCursor?: string | null }>(
        `/v1/dead-letters${query(filters)}`,
      )
      const rows = page.items.map((letter) => [
        `${letter.service}/${letter.offset}`,
        letter.originTopic,
        letter.code,
        letter.attempts,
        letter.message.slice(0, 80),
      ])
      const more = page.nextCursor == null ? '' : `\nmore: --cursor ${page.nextCursor}`
      show(context, page, {
        ...(json === undefined ? {} : { json }),
        text: () => table(['id', 'topic', 'fault', 'attempts', 'reason'], rows) + more,
      })
    })

const showOne = (context: CommandContext): Command =>
  new Command('show')
    .description('one message: reason, headers and bytes')
    .argument('<id>', 'SERVICE/OFFSET, as listed')
    .action(async (id: string) => context.terminal.print(JSON.stringify(await runningSystem().get(`/v1/dead-letters/${id}`), null, 2)))

const redrive = (context: CommandContext): Command =>
  new Command('redrive')
    .description('send messages back to where they failed')
    .argument('<service>')
    .argument('[offsets...]', 'offsets as listed; none with --all')
    .option('--all', 'every open message of the service')
    .option('--dry-run', 'only count')
    .option('--rate <perSecond>', 'messages a second', '100')
    .option('--json', 'print JSON')
    .action(
      async (service: string, offsets: readonly string[], options: { all?: boolean; dryRun?: boolean; rate: string; json?: boolean }) => {
        const body = {
          service,
          ...(options.all === true ? { all: true } : { offsets: offsets.map(Number) }),
          dryRun: options.dryRun === true,
          ratePerSecond: Number(options.rate),
        }
        const answer = await runningSystem().post<{ matched: number; redriven: number }>('/v1/dead-letters:redrive', body)
        show(context, answer, {
          ...(options.json === undefined ? {} : { json: options.json }),
          text: () => `${answer.matched} matched, ${answer.redriven} redriven`,
        })
      },
    )

/** `baton dlq list|show|redrive` (F4). */
export const deadLetterCommand = (context: CommandContext): Command =>
  new Command('dlq')
    .description('look into dead letters and send them back')
    .addCommand(list(context))
    .addCommand(showOne(context))
    .addCommand(redrive(context))
