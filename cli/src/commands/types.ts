import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { clientTypes } from '@baton/flow'
import { openNamedFlow } from '../platform/flow-opener.ts'
import type { CommandContext } from './context.ts'

/** `baton types FLOW|FILE`: what a client sends and reads, as TypeScript. */
export const typesCommand = (context: CommandContext): Command =>
  new Command('types')
    .description('write TypeScript types of what goes into a flow and comes out of it')
    .argument('<flow>', 'flow file or folder, or namespace/name[@version|@alias] of a published flow')
    .option('--out <file>', 'file to write instead of printing')
    .action(async (name: string, { out }: { out?: string }) => {
      const text = clientTypes(await openNamedFlow(name, context.terminal))
      if (out === undefined) context.terminal.print(text.trimEnd())
      else {
        await writeFile(out, text)
        context.terminal.note(`${out} written`)
      }
    })
