// `baton prompts list|test|diff`: prompts as versioned files.
import { stat } from 'node:fs/promises'
import { Command } from 'commander'
import type { PromptFile, PromptTest } from '@baton/models'
import { readEnvironment } from '@baton/service/config'
import { table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'

const filesOf = async (paths: readonly string[]): Promise<readonly string[]> => {
  const { findPromptFiles } = await import('@baton/models')
  const wanted = paths.length > 0 ? paths : [readEnvironment(process.env).config.flowsDir]
  const found = await Promise.all(wanted.map(async (path) => ((await stat(path)).isDirectory() ? findPromptFiles(path) : [path])))
  return found.flat()
}

const variablesText = ({ variables }: PromptFile): string =>
  Object.entries(variables)
    .map(([name, { type, outside }]) => `${name}: ${type}${outside ? ' (outside)' : ''}`)
    .join(', ')

const list = (context: CommandContext): Command =>
  new Command('list')
    .description('prompt files with their versions, variables, examples and tests')
    .argument('[paths...]', 'files or folders; default: the flows folder')
    .option('--json', 'print JSON')
    .action(async (paths: string[], options: { json?: boolean }) => {
      const { readPromptFile } = await import('@baton/models')
      const files = await Promise.all((await filesOf(paths)).map(readPromptFile))
      show(context, files, {
        ...options,
        text: () =>
          table(
            ['prompt', 'variables', 'examples', 'tests', 'returns', 'file'],
            files.map((file) => [file.name, variablesText(file), file.examples, file.tests.length, file.returns ?? '', file.path]),
          ),
      })
    })

type Outcome = { readonly prompt: string; readonly test: string; readonly problems: readonly string[] }

const testName = ({ name }: PromptTest, at: number): string => name ?? `test ${at + 1}`

const test = (context: CommandContext): Command =>
  new Command('test')
    .description('fill prompts as their tests say and look at the text; with --model, ask it and look at the answer')
    .argument('[paths...]', 'files or folders; default: the flows folder')
    .option('--model <name>', 'a model or route that answers the tests with `expect`')
    .option('--json', 'print JSON')
    .action(async (paths: string[], options: { model?: string; json?: boolean }) => {
      const { askPromptTest, catalogueOfFile, checkPromptTest, readPromptFile } = await import('@baton/models')
      const { model: name } = options
      const model = name === undefined ? undefined : (await catalogueOfFile(readEnvironment(process.env).config)).resolve([name])[0]
      const outcomes: Outcome[] = []
      for (const path of await filesOf(paths)) {
        const file = await readPromptFile(path)
        for (const [at, one] of file.tests.entries()) {
          const filled = checkPromptTest(file, one)
          const asked =
            model === undefined || one.expect === undefined || filled.problems.length > 0 ? [] : await askPromptTest(model, filled, one)
          outcomes.push({ prompt: file.name, test: testName(one, at), problems: [...filled.problems, ...asked] })
        }
      }
      const failed = outcomes.filter(({ problems }) => problems.length > 0)
      if (failed.length > 0) context.fail()
      show(context, outcomes, {
        ...(options.json === undefined ? {} : { json: options.json }),
        text: () =>
          [
            ...outcomes.map(
              ({ prompt, test: title, problems }) =>
                `${problems.length === 0 ? 'ok  ' : 'FAIL'} ${prompt} ${title}${problems.map((problem) => `\n       ${problem}`).join('')}`,
            ),
            `${outcomes.length - failed.length} of ${outcomes.length} tests of prompts pass`,
          ].join('\n'),
      })
    })

const diff = (context: CommandContext): Command =>
  new Command('diff')
    .description('two versions of a prompt beside each other, and what steps have to do that go over to the other')
    .argument('<before>', 'file')
    .argument('<after>', 'file')
    .option('--json', 'print JSON')
    .action(async (before: string, after: string, options: { json?: boolean }) => {
      const { diffLines, promptBreaks, readPromptFile } = await import('@baton/models')
      const [old, now] = await Promise.all([readPromptFile(before), readPromptFile(after)])
      const lines = diffLines(old.text, now.text)
      const breaks = promptBreaks(old, now)
      show(
        context,
        { before: old.name, after: now.name, lines, breaks },
        {
          ...options,
          text: () =>
            [
              `--- ${old.name}`,
              `+++ ${now.name}`,
              ...lines.map(({ sign, text }) => `${sign}${text}`),
              '',
              ...(breaks.length === 0 ? ['Steps may go over as they are.'] : breaks.map((problem) => `! ${problem}`)),
            ].join('\n'),
        },
      )
    })

/** `baton prompts list|test|diff`. */
export const promptsCommand = (context: CommandContext): Command =>
  new Command('prompts')
    .description('prompts as versioned files')
    .addCommand(list(context))
    .addCommand(test(context))
    .addCommand(diff(context))
