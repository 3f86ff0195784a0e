import { Command } from 'commander'
import { table } from '../print/table.ts'
import { query, show, type CommandContext } from './context.ts'
import { userName } from './flow-alias.ts'
import { runningSystem } from './running-system.ts'

type Trigger = {
  readonly id: string
  readonly flow: string
  readonly kind: string
  readonly subject: string
  readonly state: string
  readonly nextDueAt?: string
  readonly lastRunId?: string
  readonly lastRunAt?: string
  readonly lastError?: string
}

/** The triggers of a running system, of one flow if named. */
export const triggersOf = async (flow?: string): Promise<readonly Trigger[]> =>
  (await runningSystem().get<{ items: readonly Trigger[] }>(`/v1/triggers${query({ flow })}`)).items

/** Triggers as people read them. */
export const triggerTable = (triggers: readonly Trigger[]): string =>
  table(
    ['trigger', 'flow', 'kind', 'listens to', 'state', 'next due', 'last run', 'at', 'last error'],
    triggers.map((trigger) => [
      trigger.id,
      trigger.flow,
      trigger.kind,
      trigger.subject,
      trigger.state,
      trigger.nextDueAt ?? '',
      trigger.lastRunId ?? '',
      trigger.lastRunAt ?? '',
      trigger.lastError ?? '',
    ]),
  )

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('what starts flows, when schedules are due next, and what came of each last')
    .argument('[flow]', 'namespace/name')
    .option('--json', 'print JSON')
    .action(async (flow: string | undefined, options: { json?: boolean }) => {
      const items = await triggersOf(flow)
      show(context, items, { ...options, text: () => triggerTable(items) })
    })

const act = (context: CommandContext, action: 'pause' | 'resume', about: string): Command =>
  new Command(action)
    .description(about)
    .argument('<trigger>', 'id of the trigger, as list shows it')
    .option('--by <name>', 'who does it', userName())
    .option('--json', 'print JSON')
    .action(async (id: string, options: { by: string; json?: boolean }) => {
      const trigger = await runningSystem().post<Trigger>(`/v1/triggers/${encodeURIComponent(id)}:${action}`, { by: options.by })
      show(context, trigger, { ...options, text: () => `${trigger.flow}: ${trigger.kind} ${trigger.subject} is ${trigger.state}` })
    })

/** `baton triggers list|pause|resume`. */
export const triggersCommand = (context: CommandContext): Command =>
  new Command('triggers')
    .description('topics, HTTP paths and schedules that start flows')
    .addCommand(list(context))
    .addCommand(act(context, 'pause', 'start nothing more; events of a topic wait, due times of a schedule are left out'))
    .addCommand(act(context, 'resume', 'go on'))
