import { Command } from 'commander'
import { userName } from './flow-alias.ts'
import { show, type CommandContext } from './context.ts'
import { readJson } from './run-json.ts'
import { runningSystem } from './running-system.ts'

/** `baton runs patch RUN`: what a paused run goes on with. */
export const patchCommand = (context: CommandContext): Command =>
  new Command('patch')
    .description('change the input or params of a paused run')
    .argument('<run>')
    .option('--input <json>', 'fields of the input that change: JSON, @FILE, or -')
    .option('--params <json>', 'params that change: JSON, @FILE, or -')
    .option('--by <name>', 'who changes it', userName())
    .option('--json', 'print JSON')
    .action(async (run: string, options: { input?: string; params?: string; by: string; json?: boolean }, command: Command) => {
      const { input, params, by, json } = options
      if (input === undefined && params === undefined) command.error('error: name --input, --params or both')
      const patched = await runningSystem().patch<{ runId: string; status: string }>(`/v1/runs/${encodeURIComponent(run)}`, {
        by,
        ...(input === undefined ? {} : { input: await readJson('--input', input) }),
        ...(params === undefined ? {} : { params: await readJson('--params', params) }),
      })
      show(context, patched, { ...(json === undefined ? {} : { json }), text: () => `${run}: ${patched.status}` })
    })
