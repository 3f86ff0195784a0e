import { Command, CommanderError } from 'commander'
import { FAULTS, toFault } from '@baton/contracts'
import { checkCommand } from './commands/check.ts'
import type { CommandContext } from './commands/context.ts'
import { deadLetterCommand } from './commands/dead-letters.ts'
import { doctorCommand } from './commands/doctor.ts'
import { evalCommand } from './commands/eval.ts'
import { flowsCommand } from './commands/flows.ts'
import { indexCommand } from './commands/index-documents.ts'
import { initCommand } from './commands/init.ts'
import { modelsCommand } from './commands/models.ts'
import { reviewsCommand } from './commands/reviews.ts'
import { runCommand } from './commands/run.ts'
import { runsCommand } from './commands/runs.ts'
import { statsCommand } from './commands/stats.ts'
import { topicsCommand } from './commands/topics.ts'
import { traceCommand } from './commands/trace.ts'
import { upCommand } from './commands/up.ts'
import { openTerminal } from './terminal.ts'

/** Every command, in the order of the help. */
const COMMANDS = [
  upCommand,
  initCommand,
  runCommand,
  checkCommand,
  evalCommand,
  flowsCommand,
  statsCommand,
  runsCommand,
  traceCommand,
  reviewsCommand,
  deadLetterCommand,
  indexCommand,
  modelsCommand,
  topicsCommand,
  doctorCommand,
]

/** The command line as commander sees it; nothing is run. */
export const buildProgram = (context: CommandContext): Command => {
  const program = new Command('baton')
    .description('The orchestration layer that turns many unreliable AI calls into one dependable result')
    .version('0.1.0')
    .showHelpAfterError('(add --help for usage)')
    .exitOverride()
  for (const command of COMMANDS) program.addCommand(command(context).exitOverride().copyInheritedSettings(program))
  return program
}

/** Exit codes: 0 done, 1 failed, 2 wrong use. */
export const main = async (args: readonly string[]): Promise<number> => {
  const terminal = openTerminal()
  let exitCode = 0
  const program = buildProgram({ terminal, fail: () => void (exitCode = 1) })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const fault = toFault(error)
    terminal.note(`${fault.code}: ${fault.message}`)
    if (fault.code !== 'handler.failed') terminal.note(FAULTS[fault.code].summary)
    else if (fault.cause instanceof Error && process.env['BATON_DEBUG'] !== undefined) terminal.note(fault.cause.stack ?? '')
    return 1
  }
}
