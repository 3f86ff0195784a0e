// Flow files below some paths, each with the files it may refer to. Reads the disk and nothing else, so that a command is there at once.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { Fault, toFault } from '@baton/contracts/fault'

/** A flow on disk. Diagnostics name files relative to `folder`. */
export type FoundFlow = {
  /** Path to show and to write. */
  readonly path: string
  readonly folder: string
  readonly entry: string
  readonly files: ReadonlyMap<string, string>
}

/** Folders of parts that a flow refers to by name. */
const PARTS: readonly string[] = ['prompts', 'schemas', 'agents', 'flows']
const FLOW_FILE = /\.(ya?ml|json)$/
const PART_FILE = /\.(ya?ml|json|md|txt)$/
/** Folders that never hold a flow, and those that do not where they belong to a flow. */
const NEVER: ReadonlySet<string> = new Set(['node_modules', 'dist', 'generated'])
const OF_A_FLOW: ReadonlySet<string> = new Set(['prompts', 'schemas', 'agents', 'evals', 'models', 'tools'])
const ENTRY = /^flow\.(ya?ml|json)$/
const FILES_MAX = 10_000
const BYTES_MAX = 2_000_000

/** The flows of files and folders; a folder is searched however deep. Throws `request.not_found` for a path without one. */
export const findFlows = async (paths: readonly string[]): Promise<readonly FoundFlow[]> => {
  const found = new Map<string, FoundFlow>()
  for (const path of paths) {
    const kind = await stat(path).catch((error: unknown) => {
      throw new Fault('request.not_found', `${path}: ${toFault(error).message}`)
    })
    const entries = kind.isDirectory() ? await flowFilesIn(path) : [path]
    if (entries.length === 0) throw new Fault('request.not_found', `${path} holds no flow: a flow.yaml, or a YAML or JSON file with steps`)
    for (const entry of entries) if (!found.has(entry)) found.set(entry, await openFound(entry))
  }
  return [...found.values()]
}

/** The one flow of a path. */
export const findFlow = async (path: string): Promise<FoundFlow> => {
  const [flow, another] = await findFlows([path])
  if (flow === undefined || another !== undefined) throw new Fault('request.not_found', `${path} holds several flows; name one of them`)
  return flow
}

const flowFilesIn = async (folder: string): Promise<readonly string[]> => {
  const files: string[] = []
  const search = async (below: string): Promise<void> => {
    const entries = (await readdir(below, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const isFlow = entries.some((entry) => entry.isFile() && ENTRY.test(entry.name))
    const passedOver = (name: string): boolean => NEVER.has(name) || name.startsWith('.') || (isFlow && OF_A_FLOW.has(name))
    for (const entry of entries) {
      const path = join(below, entry.name)
      if (entry.isDirectory()) {
        if (!passedOver(entry.name)) await search(path)
      } else if (FLOW_FILE.test(entry.name) && (await holdsFlow(path, entry.name))) files.push(path)
      if (files.length > FILES_MAX) throw new Fault('request.too_large', `${folder} holds more than ${FILES_MAX} flows`)
    }
  }
  await search(folder)
  return files
}

const holdsFlow = async (path: string, name: string): Promise<boolean> => {
  if (ENTRY.test(name)) return true
  if ((await stat(path)).size > BYTES_MAX) return false
  return /^steps\s*:|^\s*"steps"\s*:/m.test(await readFile(path, 'utf8'))
}

const openFound = async (path: string): Promise<FoundFlow> => {
  const folder = dirname(path)
  const entry = basename(path)
  const files = new Map([[entry, await readText(path)]])
  for (const part of PARTS) {
    const names = await readdir(join(folder, part), { recursive: true }).catch(() => [])
    for (const name of names.filter((candidate) => PART_FILE.test(candidate)).toSorted())
      files.set(`${part}/${name.replaceAll('\\', '/')}`, await readText(join(folder, part, name)))
  }
  return { path, folder, entry, files }
}

const readText = async (path: string): Promise<string> => readFile(path, 'utf8')

/** A file of a flow as seen from where the command was started. */
export const shownPath = ({ folder }: Pick<FoundFlow, 'folder'>, file: string): string => relative('', join(folder, file)) || file
