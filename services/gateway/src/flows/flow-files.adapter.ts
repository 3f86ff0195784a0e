import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '@baton/contracts/fault'

/** The files of one flow by relative path, and the file to begin with. */
export type FlowFiles = { readonly files: ReadonlyMap<string, string>; readonly entry: string }

/** Files that a flow may be made of. Everything else in its folder (models, evaluation sets, knowledge) is not read. */
const FLOW_FILE = /\.(ya?ml|json|md|txt)$/
const ENTRIES = ['flow.yaml', 'flow.yml', 'flow.json'] as const
const FILES_MAX = 500
export const FLOW_FILE_BYTES_MAX = 262_144

/** Reads the folder of a flow. Undefined when it holds no flow file. Files above the limit are left out. */
export const readFlowFolder = async (folder: string): Promise<FlowFiles | undefined> => {
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'))
  const entry = ENTRIES.find((name) => names.includes(name))
  if (entry === undefined) return undefined
  const wanted = names.filter((name) => FLOW_FILE.test(name) && !name.includes('node_modules/')).toSorted()
  const files = new Map<string, string>()
  for (const name of wanted) {
    const { size } = await stat(join(folder, name))
    if (size > FLOW_FILE_BYTES_MAX) continue
    if (files.size >= FILES_MAX) throw new Fault('flow.invalid', `${folder} holds more than ${FILES_MAX} files`, { folder })
    files.set(name, await readFile(join(folder, name), 'utf8'))
  }
  return { files, entry }
}

/** The folders below `dir` that may hold a flow; none when the folder is not there. */
export const flowFolders = async (dir: string): Promise<readonly string[]> => {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  })
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(dir, name))
    .toSorted()
}
