// Dead letters on the command line: what is there, by trouble, one by one (F4). What is done with them is in dead-letters-change.ts.
import { Command } from 'commander'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { discard, redrive } from './dead-letters-change.ts'
import { withFilters, type FilterOptions } from './dead-letters-filter.ts'
import { ago, letterText, type Letter, type LetterItem } from './dead-letters-view.ts'
import { jobsCommand } from './runs-jobs.ts'
import { runningSystem } from './running-system.ts'

type Group = {
  readonly fingerprint: string
  readonly code: string
  readonly message: string
  readonly count: number
  readonly services: readonly string[]
  readonly firstSeenAtMs: number
  readonly lastSeenAtMs: number
  readonly example: string
}
type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null }
type PageOptions = FilterOptions & { readonly state: string; readonly limit: string; readonly cursor?: string; readonly json?: boolean }

const MESSAGE_CHARS = 80
const STATES = 'open, redriven, discarded or all'

/** Prints one page of a list that takes filters. */
const paged = <T>(
  context: CommandContext,
  command: Command,
  { path, header, row }: { path: string; header: readonly string[]; row: (item: T) => readonly (string | number)[] },
): Command =>
  withFilters(command)
    .option('--state <state>', STATES, 'open')
    .option('--limit <n>', 'rows, at most 200', '50')
    .option('--cursor <cursor>', 'where the last page ended')
    .option('--json', 'print JSON')
    .action(async ({ json, ...filters }: PageOptions) => {
      const page = await runningSystem().get<Page<T>>(`${path}${query(filters)}`)
      const more = page.nextCursor === null ? '' : `\nmore: --cursor ${page.nextCursor}`
      show(context, page, {
        ...(json === undefined ? {} : { json }),
        text: () => (page.items.length === 0 ? 'no dead letters' : table(header, page.items.map(row)) + more),
      })
    })

const list = (context: CommandContext): Command =>
  paged<LetterItem>(context, new Command('list').description('messages that no service could handle, with the reason'), {
    path: '/v1/dead-letters',
    header: ['id', 'topic', 'fault', 'tenant', 'tries', 'kind', 'age', 'left', 'reason'],
    row: ({ id, originTopic, code, tenant, attempts, fingerprint, failedAtMs, daysLeft, message }) => [
      id,
      originTopic,
      code,
      tenant,
      attempts,
      fingerprint,
      ago(failedAtMs),
      `${daysLeft} d`,
      message.slice(0, MESSAGE_CHARS),
    ],
  })

const groups = (context: CommandContext): Command =>
  paged<Group>(context, new Command('groups').description('the same by trouble: how many, since when, in which services'), {
    path: '/v1/dead-letters/groups',
    header: ['kind', 'count', 'fault', 'services', 'first', 'last', 'example', 'reason'],
    row: ({ fingerprint, count, code, services, firstSeenAtMs, lastSeenAtMs, example, message }) => [
      fingerprint,
      count,
      code,
      services.join(', '),
      `${ago(firstSeenAtMs)} ago`,
      `${ago(lastSeenAtMs)} ago`,
      example,
      message.slice(0, MESSAGE_CHARS),
    ],
  })

const showOne = (context: CommandContext): Command =>
  new Command('show')
    .description('one message: reason, tries, headers and content, secrets masked')
    .argument('<id>', 'as listed, like tools-17')
    .option('--body', 'print only the content, to be edited')
    .option('--raw', 'with headers and bytes as they are; implies --json')
    .option('--json', 'print JSON')
    .action(async (id: string, { body, raw, json }: { body?: boolean; raw?: boolean; json?: boolean }) => {
      const letter = await runningSystem().get<Letter>(`/v1/dead-letters/${id}${raw === true ? '?raw=true' : ''}`)
      const content = (): string => (letter.decoded.data === null ? letter.value : JSON.stringify(letter.decoded.data, null, 2))
      show(context, letter, { json: json === true || raw === true, text: () => (body === true ? content() : letterText(letter)) })
    })

/** `baton dlq list|groups|show|redrive|discard|jobs` (F4). */
export const deadLetterCommand = (context: CommandContext): Command =>
  new Command('dlq')
    .description('look into dead letters, mend them, send them back or put them away')
    .addCommand(list(context))
    .addCommand(groups(context))
    .addCommand(showOne(context))
    .addCommand(redrive(context))
    .addCommand(discard(context))
    .addCommand(jobsCommand(context))
