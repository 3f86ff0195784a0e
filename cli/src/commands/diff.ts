import { Command } from 'commander'
import { diffFlows, diffText } from '@baton/flow'
import { openNamedFlow } from '../platform/flow-opener.ts'
import { show, type CommandContext } from './context.ts'

/** `baton diff A B`: what changes in behaviour from one version of a flow to another. */
export const diffCommand = (context: CommandContext): Command =>
  new Command('diff')
    .description('say what changes in behaviour between two versions of a flow')
    .argument('<before>', 'flow file or folder, or namespace/name[@version|@alias] of a published flow')
    .argument('<after>', 'the same')
    .option('--json', 'print JSON')
    .action(async (before: string, after: string, options: { json?: boolean }) => {
      const [old, now] = await Promise.all([openNamedFlow(before, context.terminal), openNamedFlow(after, context.terminal)])
      const diff = diffFlows(old, now)
      show(context, diff, { ...options, text: () => diffText(diff) })
    })
