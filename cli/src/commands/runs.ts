import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { controlCommand } from './runs-control.ts'
import { jobsCommand } from './runs-jobs.ts'
import { patchCommand } from './runs-patch.ts'
import { listRunsCommand, showRunCommand } from './runs-show.ts'

/** `baton runs list|show|cancel|pause|resume|retry|patch|jobs`. */
export const runsCommand = (context: CommandContext): Command =>
  new Command('runs')
    .description('list, show and change runs, one or many')
    .addCommand(listRunsCommand(context))
    .addCommand(showRunCommand(context))
    .addCommand(controlCommand(context, 'cancel'))
    .addCommand(controlCommand(context, 'pause'))
    .addCommand(controlCommand(context, 'resume'))
    .addCommand(controlCommand(context, 'retry'))
    .addCommand(patchCommand(context))
    .addCommand(jobsCommand(context))
