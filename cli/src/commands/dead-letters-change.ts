// Sending dead letters back, as they are or mended, and putting them away: those that are named, or those of a query.
import { readFile } from 'node:fs/promises'
import { buffer as readAll } from 'node:stream/consumers'
import { Command } from 'commander'
import { SERVICES } from '@baton/contracts'
import { show, type CommandContext } from './context.ts'
import { withFilters, type FilterOptions } from './dead-letters-filter.ts'
import { changeText, type Change } from './dead-letters-view.ts'
import { userName } from './flow-alias.ts'
import { readJson } from './run-json.ts'
import { runningSystem } from './running-system.ts'
import { watchJob, type Job } from './runs-jobs.ts'

type Options = FilterOptions & {
  readonly where?: string
  readonly all?: boolean
  readonly limit?: string
  readonly rate?: string
  readonly dryRun?: boolean
  readonly edit?: string
  readonly patch?: string
  readonly header?: readonly string[]
  readonly by: string
  readonly reason?: string
  readonly json?: boolean
}
type Refused = { readonly id: string; readonly reason: string }
type Found = { readonly letters?: readonly string[]; readonly refused?: readonly Refused[]; readonly undecided?: number }
type Answer = Found & {
  readonly jobId: string
  readonly status: string
  readonly dryRun: boolean
  readonly matched: number
  readonly redriven: number
  readonly discarded: number
  readonly failed: number
  readonly changes?: readonly Change[]
}

/** Only what was said. */
const defined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** `tools-17`, `tools/17`, and `tools 17 18`. */
const idsOf = (words: readonly string[]): readonly string[] => {
  const [first, ...offsets] = words
  const service = SERVICES.find((name) => name === first)
  return service === undefined ? words : offsets.map((offset) => `${service}-${offset}`)
}

/** What to ask for; ends the command when it is neither letters nor a query. */
const choiceOf = (words: readonly string[], options: Options, command: Command): Record<string, unknown> => {
  const named = idsOf(words)
  const { fingerprint, code, tenant, since, where, all, limit, rate, dryRun, by, reason } = options
  const service = options.service ?? (named.length === 0 ? words[0] : undefined)
  const filters = defined({ fingerprint, code, tenant, since, where, all })
  const isQuery = Object.keys(filters).length > 0
  if (named.length > 0 && isQuery) command.error('error: name messages or a query, not both')
  if (named.length === 0 && !isQuery)
    command.error('error: name messages like tools-17, or a query like --where, --fingerprint, --code, or --all')
  return defined({
    ...(named.length > 0 ? { ids: named } : { ...filters, service }),
    limit: limit === undefined ? undefined : Number(limit),
    ratePerSecond: rate === undefined ? undefined : Number(rate),
    dryRun,
    by,
    reason,
  })
}

/** The edit that the options describe; undefined when they describe none. */
const editOf = async ({ edit, patch, header = [] }: Options): Promise<Record<string, unknown> | undefined> => {
  const headers = header.map((line): [string, string | null] => {
    const [, name, , value] = /^([^=]+?)(=(.*))?$/s.exec(line) ?? []
    return [name ?? line, value ?? null]
  })
  const said = defined({
    ...(edit === undefined ? {} : await bodyOf(edit)),
    patch: patch === undefined ? undefined : await readJson('--patch', patch),
    headers: headers.length === 0 ? undefined : Object.fromEntries(headers),
  })
  return Object.keys(said).length === 0 ? undefined : said
}

/** A file as JSON, else as text, else as bytes. */
const bodyOf = async (file: string): Promise<Record<string, unknown>> => {
  const bytes = file === '-' ? await readAll(process.stdin) : await readFile(file)
  const text = bytes.toString('utf8')
  try {
    return { body: JSON.parse(text) }
  } catch {
    return Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') }
  }
}

/** Begins, and follows what takes longer to its end. */
const run = async (context: CommandContext, action: 'redrive' | 'discard', body: Record<string, unknown>): Promise<Answer> => {
  const answer = await runningSystem().post<Answer>(`/v1/dead-letters:${action}`, body)
  if (answer.status !== 'running') return answer
  context.terminal.note(`job ${answer.jobId}; it goes on without this command (baton dlq jobs ${answer.jobId} --pause, --cancel)`)
  const job: Job & { readonly found?: Found } = await watchJob(context, { jobId: answer.jobId, noun: 'messages' })
  const { status, matched, done, failed, fault } = job
  if (fault !== null) context.terminal.note(`${fault.code}: ${fault.message}`)
  return { ...answer, ...job.found, status, matched, failed, ...(action === 'redrive' ? { redriven: done } : { discarded: done }) }
}

const print = (context: CommandContext, answer: Answer, { json }: Options): void => {
  const { matched, redriven, discarded, failed, dryRun, status, refused = [], undecided = 0, changes = [] } = answer
  const done = dryRun ? 'nothing was done' : discarded > 0 ? `${discarded} discarded` : `${redriven} redriven`
  show(context, answer, {
    ...(json === undefined ? {} : { json }),
    text: () =>
      [
        ...changes.map(changeText),
        `${matched} matched, ${done}${failed === 0 ? '' : `, ${failed} could not be`}${status === 'completed' ? '' : ` (${status})`}`,
        ...(undecided === 0 ? [] : [`${undecided} more of which the query cannot be said: a field is not there`]),
        ...refused.map(({ id, reason }) => `${id}: ${reason}`),
      ].join('\n'),
  })
  if (failed > 0 || status === 'failed' || (matched === 0 && refused.length > 0)) context.fail()
}

const chosen = (command: Command): Command =>
  withFilters(
    command
      .argument('[ids...]', 'as listed, like tools-17; without any, those of a query')
      .option('--where <cel>', 'those of which this holds, like: fault.code == "tool.failed" && tenant == "acme"'),
  )
    .option('--all', 'every open message, or every one of the service')
    .option('--limit <n>', 'at most so many, the oldest first')
    .option('--dry-run', 'only count')
    .option('--rate <perSecond>', 'messages a second (default: 100)')

const collect = (line: string, lines: readonly string[] | undefined): readonly string[] => [...(lines ?? []), line]

export const redrive = (context: CommandContext): Command =>
  chosen(new Command('redrive').description('send messages back to where they failed, as they are or mended'))
    .option('--edit <file>', 'send this content instead, - for standard input; ids stay as they are')
    .option('--patch <json>', 'change the content by a JSON merge patch, or @FILE')
    .option('--header <name=value>', 'set a header, as often as needed; without = take it away', collect)
    .option('--by <name>', 'who does it; kept with the message', userName())
    .option('--reason <text>', 'kept with the message')
    .option('--json', 'print JSON')
    .action(async (words: readonly string[], options: Options, command: Command) => {
      const edit = await editOf(options)
      print(context, await run(context, 'redrive', defined({ ...choiceOf(words, options, command), edit })), options)
    })

export const discard = (context: CommandContext): Command =>
  chosen(new Command('discard').description('put messages away for good'))
    .requiredOption('--reason <text>', 'why; kept with the message')
    .option('--by <name>', 'who does it; kept with the message', userName())
    .option('--json', 'print JSON')
    .action(async (words: readonly string[], options: Options, command: Command) => {
      print(context, await run(context, 'discard', choiceOf(words, options, command)), options)
    })
