import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command } from 'commander'
import { Fault, type RunResult } from '@baton/contracts'
import { readFlow } from '../platform/flow-source.ts'
import type { CommandContext } from './context.ts'
import { readJson } from './run-json.ts'
import { runningSystem } from './running-system.ts'

type RunOptions = { readonly input: string; readonly wait: string; readonly id?: string; readonly dryRun?: boolean }

const runLocally = async (path: string, request: object, wait: string): Promise<RunResult> => {
  const { files, entry, result } = await readFlow(path)
  if (!result.ok) throw new Fault('flow.invalid', `${path} has mistakes; "baton check ${path}" lists them`)
  const [{ withLocalSystem }, { publishFlow }] = await Promise.all([import('../platform/local-system.ts'), import('@baton/gateway')])
  // The folder around a flow's own is its flows folder: its tools and model files are found from there.
  const flowsDir = statSync(path).isDirectory() ? dirname(resolve(path)) : undefined
  const logLevel = process.env['LOG_LEVEL'] ?? 'silent'
  return withLocalSystem({ logLevel, ...(flowsDir === undefined ? {} : { flowsDir }) }, async ({ platform, ask }) => {
    await publishFlow(platform, { files, entry, by: 'run', replace: true, nameless: true })
    return ask<RunResult>('POST', `/v1/runs?wait=${wait}`, { ...request, flow: result.plan.flow })
  })
}

/** `baton run FLOW|FILE --input JSON`: a file runs here and now, a name in the running system. */
export const runCommand = (context: CommandContext): Command =>
  new Command('run')
    .description('run a flow file here, or a published flow in the running system')
    .argument('<flow>', 'flow file, folder, or namespace/name[@version]')
    .option('--input <json>', 'the input: JSON, @FILE, or - for standard input', '{}')
    .option('--wait <time>', 'how long to wait for the result', '60s')
    .option('--id <id>', 'request id; a repeat answers with the first result')
    .option('--dry-run', 'say what tools would do, and change nothing outside')
    .action(async (flow: string, options: RunOptions) => {
      const input = await readJson('--input', options.input)
      const request = { input, ...(options.dryRun === true ? { mode: 'dry_run' } : {}) }
      const local = existsSync(flow)
      const result = local
        ? await runLocally(flow, request, options.wait)
        : await runningSystem().post<RunResult>(`/v1/runs?wait=${options.wait}`, {
            flow,
            ...request,
            ...(options.id === undefined ? {} : { id: options.id }),
          })
      context.terminal.print(JSON.stringify(result, null, 2))
      if (result.status === 'failed' || result.status === 'cancelled') context.fail()
    })
