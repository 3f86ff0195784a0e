import { Command } from 'commander'
import { table } from '../print/table.ts'
import { taskText, type ShownTask } from '../review/task-text.ts'
import { query, show, type CommandContext } from './context.ts'
import { actionCommands } from './review-actions.ts'
import { learningCommands } from './review-learning.ts'
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

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('tasks that wait for people, most urgent first')
    .option('--status <status>', 'open, all, pending, claimed, escalated, decided, expired, cancelled or superseded')
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
    .option('--json', 'print JSON, all of it')
    .action(async (id: string, options: { json?: boolean }) => {
      const task = await runningSystem().get<ShownTask>(`/v1/reviews/${encodeURIComponent(id)}`)
      show(context, task, { ...options, text: () => taskText(task, Date.now()) })
    })

/** `baton reviews …`: the queue, one task, what people do with it, and what their decisions teach (E3, E4, E10). */
export const reviewsCommand = (context: CommandContext): Command => {
  const command = new Command('reviews').description('work on what a machine must not decide alone')
  for (const one of [list(context), showOne(context), ...actionCommands(context), ...learningCommands(context)]) command.addCommand(one)
  return command
}
