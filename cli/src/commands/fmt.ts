import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { Fault } from '@baton/contracts/fault'
import { compileFlow, formatFlow } from '@baton/flow'
import { findFlows, type FoundFlow } from '../platform/flow-finder.ts'
import type { CommandContext } from './context.ts'

/** `baton fmt PATH…`: one way a flow looks; comments and meaning stay. */
export const fmtCommand = (context: CommandContext): Command =>
  new Command('fmt')
    .description('format flow files')
    .argument('<path...>', 'flow files or folders')
    .option('--check', 'write nothing; fail when a file would change')
    .action(async (paths: readonly string[], { check = false }: { check?: boolean }) => {
      const flows = await findFlows(paths)
      const changed: string[] = []
      for (const flow of flows) {
        const text = formatted(flow)
        if (text === undefined) {
          context.terminal.note(`${flow.path}: not formatted; "baton check ${flow.path}" says why`)
          context.fail()
        } else if (text !== flow.files.get(flow.entry)) {
          changed.push(flow.path)
          if (!check) await writeUnlessChanged(flow, text)
        }
      }
      for (const path of changed) context.terminal.print(check ? `${path}: not formatted` : `${path}: formatted`)
      context.terminal.note(`${flows.length} flow${flows.length === 1 ? '' : 's'}, ${changed.length} ${check ? 'to format' : 'formatted'}`)
      if (check && changed.length > 0) context.fail()
    })

/** The formatted text; undefined where the file cannot be read, or would mean something else. */
const formatted = ({ files, entry }: FoundFlow): string | undefined => {
  const text = formatFlow(files.get(entry) ?? '', { json: entry.endsWith('.json') })
  if (text === undefined) return undefined
  const before = compileFlow({ files, entry })
  const after = compileFlow({ files: new Map([...files, [entry, text]]), entry })
  const same = before.ok ? after.ok && after.plan.hash === before.plan.hash : !after.ok
  return same ? text : undefined
}

/** Somebody may be writing the file at this moment. */
const writeUnlessChanged = async ({ path, files, entry }: FoundFlow, text: string): Promise<void> => {
  if ((await readFile(path, 'utf8')) !== files.get(entry)) throw new Fault('request.conflicting', `${path} was changed meanwhile`)
  await writeFile(path, text)
}
