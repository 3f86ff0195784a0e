// What people do with a task, on the command line.
import { Command, Option } from 'commander'
import { show, type CommandContext } from './context.ts'
import { userName } from './flow-alias.ts'
import { readJson } from './run-json.ts'
import { runningSystem } from './running-system.ts'

const reviewer = (): Option => new Option('--by <name>', 'who you are').default(userName(), 'your user name')
const asJson = (): Option => new Option('--json', 'print JSON')

const post = <T>(task: string, action: string, body: object): Promise<T> =>
  runningSystem().post<T>(`/v1/reviews/${encodeURIComponent(task)}:${action}`, body)

type Action = { readonly name: string; readonly about: string; readonly said: string; readonly options?: readonly Option[] }

/** Actions that need nothing but a person, or a few words more. */
const ACTIONS: readonly Action[] = [
  { name: 'claim', about: 'take a task, so that nobody else works on it', said: 'claimed' },
  { name: 'release', about: 'give a task back', said: 'released' },
  {
    name: 'reassign',
    about: 'pass a task on',
    said: 'passed on',
    options: [new Option('--to <person>', 'only this person may act'), new Option('--queue <queue>', 'another queue')],
  },
  {
    name: 'delegate',
    about: 'let somebody stand in for a time',
    said: 'delegated',
    options: [new Option('--to <person>', 'who stands in').makeOptionMandatory()],
  },
  { name: 'undo', about: 'take your decision back while it is held', said: 'taken back' },
  { name: 'cancel', about: 'take a task back: nobody has to decide it', said: 'cancelled' },
]

const actionCommand = (context: CommandContext, { name, about, said, options = [] }: Action): Command => {
  const command = new Command(name).description(about).argument('<task>').addOption(reviewer()).addOption(asJson())
  for (const option of options) command.addOption(option)
  return command.action(async (task: string, { json, ...body }: { by: string; json?: boolean }) => {
    const changed = await post<object>(task, name, body)
    show(context, changed, { ...(json === undefined ? {} : { json }), text: () => `${task}: ${said} by ${body.by}` })
  })
}

const decide = (context: CommandContext): Command =>
  new Command('decide')
    .description('decide a task; the run goes on')
    .argument('<task>')
    .addOption(new Option('--verdict <verdict>', 'what you decide').choices(['approve', 'edit', 'reject', 'respond']).makeOptionMandatory())
    .option('--output <json>', 'what the step gives, for edit and respond; @FILE reads a file, - standard input')
    .option('--reason <text>', 'kept with the decision')
    .option('--because <name>', 'a reason that the step names')
    .option('--fingerprint <text>', 'of what you saw; refused when the task asks something else')
    .addOption(reviewer())
    .addOption(asJson())
    .action(async (task: string, { output, json, ...decision }: { output?: string; by: string; verdict: string; json?: boolean }) => {
      const body = { ...decision, ...(output === undefined ? {} : { output: await readJson('--output', output) }) }
      const decided = await post<{ status: string }>(task, 'decide', body)
      show(context, decided, {
        ...(json === undefined ? {} : { json }),
        text: () => `${task}: ${decided.status}, ${body.verdict} by ${body.by}`,
      })
    })

const comment = (context: CommandContext): Command =>
  new Command('comment')
    .description('say something about a task')
    .argument('<task>')
    .argument('<text>')
    .addOption(reviewer())
    .action(async (task: string, text: string, { by }: { by: string }) => {
      await runningSystem().post(`/v1/reviews/${encodeURIComponent(task)}/comments`, { by, text })
      context.terminal.print(`${task}: ${text}`)
    })

const link = (context: CommandContext): Command =>
  new Command('link')
    .description('a link with which one person decides once, without signing in')
    .argument('<task>')
    .requiredOption('--for <person>', 'whose decision it is')
    .addOption(asJson())
    .action(async (task: string, options: { for: string; json?: boolean }) => {
      const made = await runningSystem().post<{ path: string }>(`/v1/reviews/${encodeURIComponent(task)}/links`, { person: options.for })
      show(context, made, { ...(options.json === undefined ? {} : { json: options.json }), text: () => made.path })
    })

export const actionCommands = (context: CommandContext): readonly Command[] => [
  ...ACTIONS.map((action) => actionCommand(context, action)),
  decide(context),
  comment(context),
  link(context),
]
