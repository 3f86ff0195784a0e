// Test files below some paths, each with its flow.
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { Fault, toFault } from '@baton/contracts/fault'
import type { TestFile } from '@baton/testing/file'
import { findFlow, type FoundFlow } from '../platform/flow-finder.ts'

const TEST_FILE = /\.test\.ya?ml$/
const NEVER: ReadonlySet<string> = new Set(['node_modules', 'dist', 'generated'])
const FILES_MAX = 10_000

/** Paths of test files, in order; a folder is searched however deep. Throws `request.not_found` for a path without one. */
export const findTests = async (paths: readonly string[]): Promise<readonly string[]> => {
  const found = new Set<string>()
  for (const path of paths) {
    const kind = await stat(path).catch((error: unknown) => {
      throw new Fault('request.not_found', `${path}: ${toFault(error).message}`)
    })
    // A flow file stands for its folder: its tests are beside it.
    const folder = kind.isDirectory() ? path : TEST_FILE.test(path) ? undefined : dirname(path)
    const files = folder === undefined ? [path] : await testsIn(folder)
    if (files.length === 0) throw new Fault('request.not_found', `${path} holds no test: a file that ends in .test.yaml`)
    for (const file of files) found.add(file)
  }
  return [...found]
}

const testsIn = async (folder: string): Promise<readonly string[]> => {
  const files: string[] = []
  const search = async (below: string): Promise<void> => {
    const entries = (await readdir(below, { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = join(below, entry.name)
      if (entry.isDirectory()) {
        if (!NEVER.has(entry.name) && !entry.name.startsWith('.')) await search(path)
      } else if (TEST_FILE.test(entry.name)) files.push(path)
      if (files.length > FILES_MAX) throw new Fault('request.too_large', `${folder} holds more than ${FILES_MAX} tests`)
    }
  }
  await search(folder)
  return files
}

/** The flow of a test file: the one it names, the one beside it, or that of the folder around. */
export const flowOf = async ({ file, flow }: Pick<TestFile, 'file' | 'flow'>): Promise<FoundFlow> => {
  const folder = dirname(file)
  if (flow !== undefined) return findFlow(join(folder, flow))
  const beside = [folder, dirname(folder)].flatMap((near) => ENTRIES.map((name) => join(near, name)))
  const path = beside.find((one) => existsSync(one))
  if (path === undefined)
    throw new Fault('request.not_found', `${basename(file)}: there is no flow.yaml beside it; name one with flow: PATH`)
  return findFlow(relative('', path))
}
const ENTRIES = ['flow.yaml', 'flow.yml', 'flow.json']

/** Files of the flows that steps of a flow start. */
export const calledFlows = async ({
  file,
  flows,
}: Pick<TestFile, 'file' | 'flows'>): Promise<{ readonly [name: string]: Pick<FoundFlow, 'files' | 'entry'> }> => {
  const found = await Promise.all(
    Object.entries(flows).map(async ([name, path]) => [name, await findFlow(join(dirname(file), path))] as const),
  )
  return Object.fromEntries(found)
}

export const readTest = (path: string): Promise<string> => readFile(path, 'utf8')
