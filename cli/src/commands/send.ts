import { Command } from 'commander'
import { userName } from './flow-alias.ts'
import { show, type CommandContext } from './context.ts'
import { readJson } from './run-json.ts'
import { runningSystem } from './running-system.ts'

/** `baton send RUN EVENT`: what a run waits for has happened (A10). */
export const sendCommand = (context: CommandContext): Command =>
  new Command('send')
    .description('tell a run of an event that it waits for')
    .argument('<run>')
    .argument('<event>', 'name of the event, as the flow waits for it')
    .option('--data <json>', 'what comes with it: JSON, @FILE, or - for standard input')
    .option('--id <id>', 'the same id is the same event; default a new one')
    .option('--by <name>', 'who sends it', userName())
    .option('--json', 'print JSON')
    .action(async (run: string, event: string, options: { data?: string; id?: string; by: string; json?: boolean }) => {
      const { data, id, by, json } = options
      const sent = await runningSystem().post<{ runId: string; eventId: string }>(`/v1/runs/${encodeURIComponent(run)}/events`, {
        event,
        by,
        ...(data === undefined ? {} : { data: await readJson('--data', data) }),
        ...(id === undefined ? {} : { id }),
      })
      show(context, sent, { ...(json === undefined ? {} : { json }), text: () => `${run}: ${event} sent as ${sent.eventId}` })
    })
