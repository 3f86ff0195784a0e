import { Command } from 'commander'
import { userName } from './flow-alias.ts'
import { show, type CommandContext } from './context.ts'
import { readJson } from './run-json.ts'
import { runningSystem } from './running-system.ts'

type Options = { data?: string; id?: string; by: string; key?: string; json?: boolean }

/** `baton send RUN EVENT`, or `baton send --key KEY EVENT` where the run is not known: what it waits for has happened (A10). */
export const sendCommand = (context: CommandContext): Command =>
  new Command('send')
    .description('tell a run of an event that it waits for')
    .argument('[run]', 'left out with --key')
    .argument('[event]', 'name of the event, as the flow waits for it')
    .option('--key <key>', 'what the event is about, where the run is not known: the key that the flow waits for')
    .option('--data <json>', 'what comes with it: JSON, @FILE, or - for standard input')
    .option('--id <id>', 'the same id is the same event; default a new one')
    .option('--by <name>', 'who sends it', userName())
    .option('--json', 'print JSON')
    .action(async (first: string | undefined, second: string | undefined, options: Options, command: Command) => {
      const { data, id, by, key, json } = options
      const [run, event] = key === undefined ? [first, second] : [undefined, first]
      if (event === undefined) command.error(key === undefined ? 'error: baton send RUN EVENT' : 'error: baton send --key KEY EVENT')
      const body = {
        event,
        by,
        ...(key === undefined ? {} : { key }),
        ...(data === undefined ? {} : { data: await readJson('--data', data) }),
        ...(id === undefined ? {} : { id }),
      }
      const path = run === undefined ? '/v1/events' : `/v1/runs/${encodeURIComponent(run)}/events`
      const sent = await runningSystem().post<{ runId: string | null; eventId: string }>(path, body)
      const kept = `${event} kept as ${sent.eventId}: nobody waits for ${key} yet`
      const text = (): string => (sent.runId === null ? kept : `${sent.runId}: ${event} sent as ${sent.eventId}`)
      show(context, sent, { ...(json === undefined ? {} : { json }), text })
    })
