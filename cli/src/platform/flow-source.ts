import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Fault, toFault } from '@baton/contracts/fault'
import { compileFlow, type CompileResult } from '@baton/flow'

/** A flow on disk: its files by relative path, and what the compiler says of them. */
export type FlowSource = { readonly files: ReadonlyMap<string, string>; readonly entry: string; readonly result: CompileResult }

/** Reads a flow file or folder. Throws `request.not_found` when there is none. */
export const readFlow = async (path: string): Promise<FlowSource> => {
  const found = await stat(path).catch((error: unknown) => {
    throw new Fault('request.not_found', `${path}: ${toFault(error).message}`)
  })
  const { readFlowFolder } = await import('@baton/gateway/flow-files')
  const source = found.isDirectory()
    ? await readFlowFolder(path)
    : { files: new Map([[basename(path), await readFile(path, 'utf8')]]), entry: basename(path) }
  if (source === undefined) throw new Fault('request.not_found', `${path} holds no flow.yaml`)
  return { ...source, result: compileFlow(source) }
}
