import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { Fault } from '@baton/contracts'
import { table } from '../print/table.ts'
import { show, type CommandContext } from './context.ts'

const NAME = /^[a-z0-9][a-z0-9_.-]*$/

type Options = { readonly name?: string; readonly server?: string; readonly write?: boolean; readonly json?: boolean }

const nameOf = (file: string, given: string | undefined): string => {
  const name =
    given ??
    basename(file)
      .replace(/\.[^.]+$/, '')
      .toLowerCase()
  if (!NAME.test(name))
    throw new Fault('request.malformed', `--name: ${name} is not made of small letters, digits, _ . and -`, { field: 'name' })
  return name
}

/** Operations of an OpenAPI document as tools: shows them, and with `--write` adds the document to config/tools.yaml. */
export const importCommand = (context: CommandContext): Command =>
  new Command('import')
    .description('turn the operations of an OpenAPI 3 document into tools')
    .argument('<file>', 'the document, JSON or YAML')
    .option('--name <name>', 'namespace of the tools; default: the name of the file')
    .option('--server <url>', 'where the calls go; default: the first server of the document')
    .option('--write', 'copy the document into the folder of the configuration and add it to tools.yaml')
    .option('--json', 'print JSON')
    .action(async (file: string, options: Options) => {
      const { importedTools, readDocumentFile, withDocument } = await import('@baton/tools/openapi')
      const name = nameOf(file, options.name)
      const read = await readDocumentFile(file).catch((error: unknown) => {
        const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
        throw new Fault('request.malformed', why.startsWith('ENOENT') ? `there is no file ${file}` : `${file}: ${why}`, { field: 'file' })
      })
      const tools = importedTools(read, name)
      const rows = tools.map((tool) => [tool.name, tool.effect, tool.operation, tool.about.slice(0, 60)])
      const left = read.left.map(({ id, reason }) => `left out: ${id} ${reason}`)
      const server = options.server ?? read.servers[0] ?? ''
      if (!/^https?:\/\/[^/]/.test(server)) left.push('the document names no server with its host: say --server')
      if (options.write === true) left.push(await write({ file, name, text: (path, entry) => withDocument(path, read, entry) }, options))
      show(
        context,
        { tools, left: read.left },
        { ...options, text: () => [table(['tool', 'effect', 'operation', 'about'], rows), ...left].join('\n') },
      )
    })

type Text = (text: string, entry: { name: string; file: string; server?: string }) => string

const write = async ({ file, name, text }: { file: string; name: string; text: Text }, { server }: Options): Promise<string> => {
  const configDir = process.env['BATON_CONFIG_DIR'] ?? 'config'
  const path = join(configDir, 'tools.yaml')
  const before = await readFile(path, 'utf8').catch(() => '')
  const document = join('openapi', basename(file))
  const after = text(before, { name, file: document, ...(server === undefined ? {} : { server }) })
  await mkdir(join(configDir, 'openapi'), { recursive: true })
  await copyFile(file, join(configDir, document))
  await writeFile(path, after)
  return `${path}: openapi.${name}; secrets are variables of the environment named there`
}
