// The corpus of the checker: flows with one seeded mistake each, correct flows, and what a check of each of them must say.
//   test/flows/wrong   begins with `# expect: CODE [FILE:]LINE:COLUMN`, more of them after `; also: `
//   test/flows/right   must be found without a remark
// A case is a file, or a folder with a flow.yaml; a folder `before` in it holds the version that the flow follows.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export type Place = { readonly file: string; readonly line: number; readonly column: number; readonly code: string }
export type Found = Place & { readonly severity: string; readonly message: string; readonly fix?: string }
export type Case = {
  readonly name: string
  readonly files: ReadonlyMap<string, string>
  readonly entry: string
  readonly expected: readonly Place[]
}
export type Verdict = {
  readonly name: string
  readonly expected: readonly Place[]
  readonly found: readonly Found[]
  /** Seeded mistakes by what became of them. */
  readonly result: 'found' | 'missed' | 'wrong place' | 'clean'
  /** What was found and is no mistake. */
  readonly alarms: readonly Found[]
}

const ENTRY = 'flow.yaml'
const EXPECTATION = /(?:expect|also): (\S+) (?:([^\s:]+):)?(\d+):(\d+)/g

/** The files below a folder by their path in it. */
export const filesOf = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(folder, path)).isFile() && /\.(ya?ml|json|md|ts)$/.test(path))
      .sort()
      .map((path) => [path.replaceAll('\\', '/'), readFileSync(join(folder, path), 'utf8')]),
  )

const expectationsIn = (files: ReadonlyMap<string, string>, entry: string): readonly Place[] =>
  [...files.values()].flatMap((text) => {
    const header = /^# expect: .*/m.exec(text)?.[0] ?? ''
    return [...header.matchAll(EXPECTATION)].map(([, code = '', file = entry, line, column]) => ({
      file,
      line: Number(line),
      column: Number(column),
      code,
    }))
  })

/** Every case below a folder, by name. */
export const readCases = (folder: string): readonly Case[] =>
  readdirSync(folder)
    .sort()
    .filter((name) => !name.startsWith('.') && (!name.includes('.') || /\.(ya?ml|json)$/.test(name)))
    .map((name) => {
      const path = join(folder, name)
      const isFolder = statSync(path).isDirectory()
      const files = isFolder ? filesOf(path) : new Map([[name, readFileSync(path, 'utf8')]])
      const entry = isFolder ? ENTRY : name
      return { name, files, entry, expected: expectationsIn(files, entry) }
    })

/** Every folder with a flow in it, below a folder. */
export const readFlows = (folder: string): readonly Case[] =>
  readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, ENTRY)))
    .map((name) => ({ name, files: filesOf(join(folder, name)), entry: ENTRY, expected: [] }))

const samePlace = (a: Place, b: Place): boolean => a.code === b.code && a.file === b.file && a.line === b.line && a.column === b.column
const isExpected = ({ expected }: Case, found: Found): boolean => expected.some(({ code }) => code === found.code)

/** What a check found, beside what it had to find. */
export const judge = (one: Case, found: readonly Found[]): Verdict => {
  const { name, expected } = one
  const exact = expected.every((place) => found.some((candidate) => samePlace(place, candidate)))
  const named = expected.every((place) => found.some(({ code }) => code === place.code))
  const result = expected.length === 0 ? 'clean' : exact ? 'found' : named ? 'wrong place' : 'missed'
  const alarms = found.filter((candidate) => (exact ? !expected.some((place) => samePlace(place, candidate)) : !isExpected(one, candidate)))
  return { name, expected, found, result, alarms }
}
