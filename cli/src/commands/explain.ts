import { Command } from 'commander'
import { explainFlow, explanationText } from '@baton/flow'
import { openNamedFlow } from '../platform/flow-opener.ts'
import { show, type CommandContext } from './context.ts'

/** `baton explain FLOW|FILE`: a flow in plain words. */
export const explainCommand = (context: CommandContext): Command =>
  new Command('explain')
    .description('say in plain words what a flow does, costs, asks of people and cannot undo')
    .argument('<flow>', 'flow file or folder, or namespace/name[@version|@alias] of a published flow')
    .option('--json', 'print JSON')
    .action(async (name: string, options: { json?: boolean }) => {
      const explained = explainFlow(await openNamedFlow(name, context.terminal))
      show(context, explained, { ...options, text: () => explanationText(explained) })
    })
