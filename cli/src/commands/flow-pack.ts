import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { Fault, toFault } from '@baton/contracts'
import { readFlow } from '../platform/flow-source.ts'
import { show, type CommandContext } from './context.ts'

/** `baton flows pack`: a flow as one file that can be checked in, sent and published elsewhere. */
export const packCommand = (context: CommandContext): Command =>
  new Command('pack')
    .description('a flow and what its plan is made of as one file, with a hash')
    .argument('<path>', 'flow file or folder')
    .option('--out <file>', 'where to write it: FILE.tgz or FILE.pack.json; default NAMESPACE-NAME-VERSION.tgz')
    .option('--json', 'print JSON')
    .action(async (path: string, options: { out?: string; json?: boolean }) => {
      const { encodePack, isPackPath, packFlow } = await import('../pack/flow-pack.ts')
      const { files, entry } = await readFlow(path)
      const { manifest, files: packed, hash } = packFlow({ files, entry })
      const out = options.out ?? `${manifest.flow.replace('/', '-')}-${manifest.version}.tgz`
      if (!isPackPath(out)) throw new Fault('request.malformed', `${out}: a pack ends in .tgz, .tar.gz or .pack.json`)
      await writeFile(out, encodePack({ manifest, files: packed, hash }, out.endsWith('.json') ? 'json' : 'tgz'))
      const shown = { out, hash, flow: manifest.flow, version: manifest.version, plan: manifest.plan, files: Object.keys(manifest.files) }
      show(context, shown, {
        ...options,
        text: () =>
          [
            `${out}: ${shown.files.length} ${shown.files.length === 1 ? 'file' : 'files'}, ${hash}`,
            ...shown.files.map((file) => `  ${file}`),
            `pin it as ${manifest.flow}@${manifest.plan}`,
          ].join('\n'),
      })
    })

/** What is to be published: a pack, checked against its hashes, or a flow on disk. */
export const publication = async (
  path: string,
): Promise<{ readonly flow: string; readonly files: ReadonlyMap<string, string>; readonly entry: string; readonly plan: string }> => {
  const { decodePack, isPackPath } = await import('../pack/flow-pack.ts')
  if (isPackPath(path)) {
    const content = await readFile(path).catch((error: unknown) => {
      throw new Fault('request.not_found', `${path}: ${toFault(error).message}`)
    })
    const { manifest, files } = decodePack(content)
    return { flow: manifest.flow, files, entry: manifest.entry, plan: manifest.plan }
  }
  const { files, entry, result } = await readFlow(path)
  if (!result.ok) throw new Fault('flow.invalid', `${path} has mistakes; "baton check ${path}" lists them`)
  return { flow: result.plan.flow, files, entry, plan: `sha256:${result.plan.hash}` }
}
