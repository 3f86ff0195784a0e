import { Command, Option } from 'commander'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { runningSystem } from './running-system.ts'

type ReviewItem = {
  readonly taskId: string
  readonly runId: string
  readonly queue: string
  readonly priority: string
  readonly status: string
  readonly title: string
  readonly dueAtMs: number
  readonly claimedBy?: string | null
}

const reviewer = (): Option => new Option('--by <name>', 'who you are').default(process.env['USER'] ?? 'reviewer')

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('tasks that wait for people, most urgent first')
    .option('--status <status>', 'pending, claimed, decided, expired or cancelled')
    .option('--queue <queue>', 'only this queue')
    .option('--priority <priority>', 'emergency, high, normal or low')
    .option('--limit <n>', 'rows, at most 200', '50')
    .option('--cursor <cursor>', 'where the last page ended')
    .option('--json', 'print JSON')
    .action(
      async ({
        json,
        ...filters
      }: {
        json?: boolean
        status?: string
        queue?: string
        priority?: string
        limit: string
        cursor?: string
      }) => {
        const page = await runningSystem().get<{ items: readonly ReviewItem[]; nextCursor?: string | null }>(`/v1/reviews${query(filters)}`)
        const rows = page.items.map((task) => [
          task.taskId,
          task.queue,
          task.priority,
          task.status,
          new Date(task.dueAtMs).toISOString(),
          task.title,
        ])
        const more = page.nextCursor == null ? '' : `\nmore: --cursor ${page.nextCursor}`
        show(context, page, {
          ...(json === undefined ? {} : { json }),
          text: () => table(['task', 'queue', 'priority', 'status', 'due', 'title'], rows) + more,
        })
      },
    )

const showOne = (context: CommandContext): Command =>
  new Command('show')
    .description('one task with everything needed to decide')
    .argument('<task>')
    .action(async (task: string) =>
      context.terminal.print(JSON.stringify(await runningSystem().get(`/v1/reviews/${encodeURIComponent(task)}`), null, 2)),
    )

const claim = (context: CommandContext): Command =>
  new Command('claim')
    .description('take a task, so that nobody else works on it')
    .argument('<task>')
    .addOption(reviewer())
    .action(async (task: string, { by }: { by: string }) => {
      await runningSystem().post(`/v1/reviews/${encodeURIComponent(task)}:claim`, { by })
      context.terminal.print(`${task}: claimed by ${by}`)
    })

const decide = (context: CommandContext): Command =>
  new Command('decide')
    .description('decide a task; the run goes on')
    .argument('<task>')
    .addOption(new Option('--verdict <verdict>', 'what you decide').choices(['approve', 'edit', 'reject', 'respond']).makeOptionMandatory())
    .option('--output <json>', 'what the step gives, for edit and respond')
    .option('--reason <text>', 'kept with the decision')
    .addOption(reviewer())
    .action(async (task: string, options: { verdict: string; output?: string; reason?: string; by: string }) => {
      const { output, ...decision } = options
      const answer = await runningSystem().post<{ status: string }>(`/v1/reviews/${encodeURIComponent(task)}:decide`, {
        ...decision,
        ...(output === undefined ? {} : { output: JSON.parse(output) as unknown }),
      })
      context.terminal.print(`${task}: ${answer.status}`)
    })

/** `baton reviews list|show|claim|decide` (E3, E4). */
export const reviewsCommand = (context: CommandContext): Command =>
  new Command('reviews')
    .description('work on what a machine must not decide alone')
    .addCommand(list(context))
    .addCommand(showOne(context))
    .addCommand(claim(context))
    .addCommand(decide(context))
