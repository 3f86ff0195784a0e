import { Command } from 'commander'
import { readFlow } from '../platform/flow-source.ts'
import { show, type CommandContext } from './context.ts'

/** `baton check PATH…`: what can be known before a run is known before a run (A15). */
export const checkCommand = (context: CommandContext): Command =>
  new Command('check')
    .description('find mistakes in flows before anything runs')
    .argument('<path...>', 'flow files or folders')
    .option('--json', 'print JSON')
    .action(async (paths: readonly string[], options: { json?: boolean }) => {
      const results = await Promise.all(paths.map(async (path) => ({ path, result: (await readFlow(path)).result })))
      const lines = results.flatMap(({ path, result }) => [
        ...result.diagnostics.map(
          (found) =>
            `${found.file}:${found.line}:${found.column} ${found.code} ${found.message}${found.fix === undefined ? '' : `\n    try: ${found.fix}`}`,
        ),
        ...(result.ok ? [`${path}: ok, ${result.plan.flow}@${result.plan.version}, plan ${result.plan.hash.slice(0, 12)}`] : []),
      ])
      show(
        context,
        results.map(({ path, result }) => ({ path, ok: result.ok, diagnostics: result.diagnostics })),
        { ...options, text: () => lines.join('\n') },
      )
      if (results.some(({ result }) => !result.ok)) context.fail()
    })
