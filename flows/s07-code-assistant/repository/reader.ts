// A folder of code as what an assistant may see of it.
//   R1. Nothing outside of the folder is read: no path up, no absolute one, no link that leads out, however it is written.
//   R2. What .gitignore leaves out is not there, for lists, searches and reads alike; nor is `.git`.
//   R3. Everything has a limit, and what a limit left out is said.
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Fault } from '@baton/tools'
import { isIgnored, rulesOf, type IgnoreRule } from './ignore.ts'

export const FILES_MAX = 2_000
export const FILE_BYTES_MAX = 65_536
const DEPTH_MAX = 20
const PASSAGE_LINES = 30
const CHARS_MAX = 2_000

export type Listed = { readonly paths: readonly string[]; readonly more: boolean }
export type Passage = { readonly path: string; readonly line: number; readonly text: string; readonly score: number }

const PATH = /^(?!.*(?:^|\/)\.\.?(?:\/|$))(?!\/)[^\0\\]{1,500}$/
const wordsOf = (text: string): ReadonlySet<string> =>
  new Set(
    text
      .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .match(/[a-z0-9]{3,}/g) ?? [],
  )

/** Another try would not help. */
const refused = (reason: string): Fault => new Fault('tool.arguments_invalid', reason)

const ignoreFile = async (folder: string, base: string): Promise<readonly IgnoreRule[]> =>
  rulesOf(await readFile(join(folder, '.gitignore'), 'utf8').catch(() => ''), base)

/** The reader of a folder. It is looked at anew by each call, so that what changed is seen. */
export const openRepository = (root: string) => {
  const walk = async (base: string, outer: readonly IgnoreRule[], found: string[], depth: number): Promise<boolean> => {
    const folder = join(root, base)
    const rules = [...outer, ...(await ignoreFile(folder, base))]
    const entries = (await readdir(folder, { withFileTypes: true })).toSorted((left, right) => (left.name < right.name ? -1 : 1))
    for (const entry of entries) {
      const path = `${base}${entry.name}`
      if (entry.name === '.git' || isIgnored(path, entry.isDirectory(), rules)) continue // R2
      if (entry.isDirectory() && (depth >= DEPTH_MAX || !(await walk(`${path}/`, rules, found, depth + 1)))) return false
      if (!entry.isFile()) continue // R1: a link is no file
      if (found.length >= FILES_MAX) return false // R3
      found.push(path)
    }
    return true
  }

  const list = async (): Promise<Listed> => {
    const paths: string[] = []
    const whole = await walk('', [], paths, 0)
    return { paths, more: !whole }
  }

  /** Whether a rule leaves the path out, or a folder on the way to it. */
  const leftOut = async (path: string): Promise<boolean> => {
    const names = path.split('/')
    let rules: readonly IgnoreRule[] = []
    for (const [at, name] of names.entries()) {
      const base = names
        .slice(0, at)
        .map((one) => `${one}/`)
        .join('')
      rules = [...rules, ...(await ignoreFile(join(root, base), base))]
      if (name === '.git' || isIgnored(`${base}${name}`, at < names.length - 1, rules)) return true
    }
    return false
  }

  const text = async (path: string): Promise<string> => {
    if (!PATH.test(path)) throw refused(`${path} is no path in this repository`) // R1
    const [inside, file] = await Promise.all([realpath(root), realpath(join(root, path)).catch(() => undefined)])
    if (file === undefined || !file.startsWith(inside + sep) || (await leftOut(path))) throw refused(`the repository has no ${path}`) // R1, R2
    const { size } = await stat(file)
    if (size > FILE_BYTES_MAX) throw refused(`${path} has ${size} bytes, at most ${FILE_BYTES_MAX} are read`) // R3
    const bytes = await readFile(file)
    if (bytes.includes(0)) throw refused(`${path} is not text`)
    return bytes.toString('utf8')
  }

  const search = async (query: string, limit: number): Promise<readonly Passage[]> => {
    const words = wordsOf(query)
    const found: Passage[] = []
    for (const path of (await list()).paths) {
      const lines = (await text(path).catch(() => '')).split('\n') // What is too large or no text is not searched.
      for (let from = 0; from < lines.length; from += PASSAGE_LINES) {
        const passage = lines.slice(from, from + PASSAGE_LINES).join('\n')
        const own = wordsOf(`${path} ${passage}`)
        const score = [...words].filter((word) => own.has(word)).length / Math.max(1, words.size)
        if (score > 0) found.push({ path, line: from + 1, text: passage.slice(0, CHARS_MAX), score })
      }
    }
    return found.toSorted((left, right) => right.score - left.score || (left.path < right.path ? -1 : 1)).slice(0, limit)
  }

  return { list, text, search }
}
