import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import type { CommandContext } from './context.ts'

const FLOW = `# Two steps and no more: a string is a prompt, the model is the configured default, the last step is the output.
# Try it:  npx baton run FOLDER --input '{"text":"…"}'   (needs a model: OPENAI_BASE_URL and OPENAI_API_KEY)
steps:
  - facts: Extract the facts from {{ input.text }}
  - summary: Summarise {{ facts }}
`

/** `baton init DIR`: a folder with the smallest flow. */
export const initCommand = (context: CommandContext): Command =>
  new Command('init')
    .description('make a folder with a first flow')
    .argument('<dir>', 'folder to make')
    .action(async (dir: string) => {
      const file = join(dir, 'flow.yaml')
      if (existsSync(file)) throw new Fault('request.conflicting', `${file} is there already`)
      await mkdir(dir, { recursive: true })
      await writeFile(file, FLOW.replace('FOLDER', dir))
      context.terminal.print(`${file} written`)
      context.terminal.print(`check it:  npx baton check ${dir}`)
      context.terminal.print(
        `run it:    OPENAI_BASE_URL=… OPENAI_API_KEY=… npx baton run ${dir} --input '{"text":"${basename(dir)}: what happened today"}'`,
      )
    })
