import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { FAULTS, toFault } from '@baton/contracts/fault'
import type { CommandContext } from './commands/context.ts'
import { openTerminal } from './terminal.ts'

type MakeCommand = (context: CommandContext) => Command

/** Every command, in the order of the help. Each is loaded when it is asked for: `check` starts without a server's modules. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  up: async () => (await import('./commands/up.ts')).upCommand,
  init: async () => (await import('./commands/init.ts')).initCommand,
  run: async () => (await import('./commands/run.ts')).runCommand,
  check: async () => (await import('./commands/check.ts')).checkCommand,
  graph: async () => (await import('./commands/graph.ts')).graphCommand,
  fmt: async () => (await import('./commands/fmt.ts')).fmtCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  diff: async () => (await import('./commands/diff.ts')).diffCommand,
  types: async () => (await import('./commands/types.ts')).typesCommand,
  test: async () => (await import('./commands/test.ts')).testCommand,
  eval: async () => (await import('./commands/eval.ts')).evalCommand,
  flows: async () => (await import('./commands/flows.ts')).flowsCommand,
  triggers: async () => (await import('./commands/triggers.ts')).triggersCommand,
  params: async () => (await import('./commands/params.ts')).paramsCommand,
  stats: async () => (await import('./commands/stats.ts')).statsCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  send: async () => (await import('./commands/send.ts')).sendCommand,
  trace: async () => (await import('./commands/trace.ts')).traceCommand,
  why: async () => (await import('./commands/why.ts')).whyCommand,
  reviews: async () => (await import('./commands/reviews.ts')).reviewsCommand,
  dlq: async () => (await import('./commands/dead-letters.ts')).deadLetterCommand,
  index: async () => (await import('./commands/index-documents.ts')).indexCommand,
  memory: async () => (await import('./commands/memory.ts')).memoryCommand,
  tools: async () => (await import('./commands/tools.ts')).toolsCommand,
  routes: async () => (await import('./commands/routes.ts')).routesCommand,
  prompts: async () => (await import('./commands/prompts.ts')).promptsCommand,
  models: async () => (await import('./commands/models.ts')).modelsCommand,
  budgets: async () => (await import('./commands/budgets.ts')).budgetsCommand,
  topics: async () => (await import('./commands/topics.ts')).topicsCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  upgrade: async () => (await import('./commands/upgrade.ts')).upgradeCommand,
}

/** The command that the arguments name, or all of them: for the help, and to say which one was meant. */
const commandsFor = (args: readonly string[]): Promise<readonly MakeCommand[]> => {
  const named = args[0] === undefined || !Object.hasOwn(COMMANDS, args[0]) ? undefined : COMMANDS[args[0]]
  return Promise.all((named === undefined ? Object.values(COMMANDS) : [named]).map((load) => load()))
}

/** The command line as commander sees it, all of it without arguments; nothing is run. */
export const buildProgram = async (context: CommandContext, args: readonly string[] = []): Promise<Command> => {
  const program = new Command('baton')
    .description('The orchestration layer that turns many unreliable AI calls into one dependable result')
    .version('0.1.0')
    .showHelpAfterError('(add --help for usage)')
    .exitOverride()
  for (const command of await commandsFor(args)) program.addCommand(inheriting(command(context), program))
  return program
}

/** A command of a command is wrong use like any other: exit 2, with the hint. */
const inheriting = (command: Command, parent: Command): Command => {
  command.exitOverride().copyInheritedSettings(parent)
  for (const below of command.commands) inheriting(below, command)
  return command
}

/** Exit codes: 0 done, 1 failed, 2 wrong use. */
export const main = async (args: readonly string[]): Promise<number> => {
  const terminal = openTerminal()
  let exitCode = 0
  try {
    const program = await buildProgram({ terminal, fail: () => void (exitCode = 1) }, args)
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    // Said by commander already, but for what a command finds wrong in its options together.
    if (error instanceof InvalidArgumentError) terminal.note(`${error.message} (add --help for usage)`)
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const fault = toFault(error)
    terminal.note(`${fault.code}: ${fault.message}`)
    if (fault.code !== 'handler.failed') terminal.note(FAULTS[fault.code].summary)
    else if (fault.cause instanceof Error && process.env['BATON_DEBUG'] !== undefined) terminal.note(fault.cause.stack ?? '')
    return 1
  }
}
