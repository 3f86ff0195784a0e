import { writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { toMermaid, toSvg, type OpenedFlow } from '@baton/flow'
import { openNamedFlow } from '../platform/flow-opener.ts'
import type { CommandContext } from './context.ts'

type Format = 'mermaid' | 'svg' | 'json'

/** `baton graph FLOW|FILE`: the paths of a flow to look at. */
export const graphCommand = (context: CommandContext): Command =>
  new Command('graph')
    .description('draw a flow')
    .argument('<flow>', 'flow file or folder, or namespace/name[@version|@alias] of a published flow')
    .addOption(new Option('--format <format>', 'what to write').choices(['mermaid', 'svg', 'json']).default('mermaid'))
    .option('--out <file>', 'file to write instead of printing')
    .action(async (name: string, { format, out }: { format: Format; out?: string }) => {
      const text = drawn(await openNamedFlow(name, context.terminal), format)
      if (out === undefined) context.terminal.print(text.trimEnd())
      else {
        await writeFile(out, text)
        context.terminal.note(`${out} written`)
      }
    })

const drawn = ({ plan, outline }: OpenedFlow, format: Format): string => {
  if (format === 'svg') return toSvg(outline)
  return format === 'mermaid' ? toMermaid(plan) : `${JSON.stringify(outline, null, 2)}\n`
}
