import { Command } from 'commander'
import { openPaint } from '../print/paint.ts'
import { show, type CommandContext } from './context.ts'

type Options = { readonly json?: boolean; readonly coverage?: boolean; readonly only?: string; readonly update?: boolean }

/** `baton test PATH…`: flows with scripted models, tools and people, on a clock on which days take no time. */
export const testCommand = (context: CommandContext): Command =>
  new Command('test')
    .description('play the tests of flows (*.test.yaml) in memory: no server, no model, and days take no time')
    .argument('<path...>', 'test files, or folders and flows with tests beside them')
    .option('--coverage', 'say which ways of a flow no case took: rules, cases, handlers, branches')
    .option('--only <name>', 'only the cases whose name contains this')
    .option('--update', 'write what happened into the test files, where it is not what they expect')
    .option('--json', 'print JSON')
    .action(async (paths: readonly string[], options: Options) => {
      const [{ findTests }, { runTests }, { coverageText, fileText, summaryText }] = await Promise.all([
        import('../test/find-tests.ts'),
        import('../test/run-tests.ts'),
        import('../test/report.ts'),
      ])
      const { only, update = false } = options
      const { tested, coverage } = await runTests(await findTests(paths), {
        update,
        onUpdated: (file) => context.terminal.note(`${file} written`),
        ...(only === undefined ? {} : { only }),
      })
      const paint = openPaint({ terminal: context.terminal.colours === true, env: process.env })
      const nothing = only !== undefined && tested.every(({ cases }) => cases.length === 0)
      const text = (): string =>
        [
          ...tested.map((one) => `${fileText(one, paint)}\n`),
          ...(options.coverage === true ? coverage.map((one) => `${coverageText(one.flow, one.flowFile, one.coverage, paint)}\n`) : []),
          summaryText(tested, paint),
          ...(nothing ? [paint.red(`no case has ${only ?? ''} in its name`)] : []),
        ].join('\n')
      show(context, tested, { ...(options.json === undefined ? {} : { json: options.json }), text })
      if (nothing || (!update && tested.some(({ ok }) => !ok))) context.fail()
      if (update && tested.some(({ mistakes, cases }) => mistakes.length > 0 || cases.some(({ broken }) => broken !== null))) context.fail()
    })
