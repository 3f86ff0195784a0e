// A part of a configuration file that knows where it stands, so that a mistake is told with its line.
//   S1. Every mistake is `config.invalid`, names the file, the line and the place, and never the value (it may be a secret).
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Fault } from '@baton/contracts'
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'

type Place = readonly PropertyKey[]

export type ConfigSection = {
  /** Plain data; undefined where the file does not have it. */
  readonly value: unknown
  /** A part of this one. */
  readonly part: (...path: Place) => ConfigSection
  /** A mistake in it, to be thrown. */
  readonly refuse: (reason: string, ...path: Place) => Fault
  /** Its value as the schema makes it. Throws `config.invalid` with the first mistakes (S1). */
  readonly parse: <S extends z.ZodType>(schema: S) => z.output<S>
}

const MISTAKES_SHOWN = 5

type Source = { readonly file: string; readonly document: Document; readonly lines: LineCounter }

/** The node that a place begins with: the key of a pair, an item of a list, or the whole. */
const nodeAt = (document: Document, place: Place): unknown => {
  const key = place.at(-1)
  if (key === undefined) return document.contents
  const parent: unknown = place.length === 1 ? document.contents : document.getIn(place.slice(0, -1), true)
  if (isMap(parent)) return parent.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key
  return document.getIn(place, true)
}

/** The line of the innermost node on the way that is there. */
const lineOf = ({ document, lines }: Source, place: Place): number => {
  for (let length = place.length; length >= 0; length -= 1) {
    const node = nodeAt(document, place.slice(0, length))
    if (isNode(node) && node.range !== undefined && node.range !== null) return lines.linePos(node.range[0]).line
  }
  return 1
}

const sectionOf = (source: Source, place: Place, given: unknown): ConfigSection => {
  const value = given ?? undefined // a word with nothing behind it says nothing
  const told = (reason: string, path: Place): string => {
    const full = [...place, ...path]
    const where = full.length === 0 ? '' : `${full.map(String).join('.')}: `
    return `${source.file}:${lineOf(source, full)}: ${where}${reason}`
  }
  return {
    value,
    part: (...path) => sectionOf(source, [...place, ...path], valueIn(value, path)),
    refuse: (reason, ...path) => new Fault('config.invalid', told(reason, path), { file: source.file }),
    parse: (schema) => {
      const read = schema.safeParse(value)
      if (read.success) return read.data
      const told1 = read.error.issues.slice(0, MISTAKES_SHOWN).map((issue) => told(issue.message, pathOf(issue)))
      throw new Fault('config.invalid', told1.join('\n'), { file: source.file }) // S1
    },
  }
}

const pathOf = (issue: { readonly code?: string; readonly path: Place; readonly keys?: readonly string[] }): Place =>
  issue.code === 'unrecognized_keys' ? [...issue.path, ...(issue.keys ?? []).slice(0, 1)] : issue.path

const valueIn = (value: unknown, path: Place): unknown => {
  let at = value
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined
  return at
}

/** Reads YAML text. Throws `config.invalid` where it is none. */
export const readSection = (text: string, file: string): ConfigSection => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [error] = document.errors
  if (error !== undefined)
    throw new Fault('config.invalid', `${file}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n', 1)[0] ?? 'not YAML'}`, {
      file,
    })
  return sectionOf({ file, document, lines }, [], document.toJS() as unknown)
}

/** Reads a YAML file; an absent one is empty. */
export const readSectionFile = async (path: string): Promise<ConfigSection> => {
  const file = basename(path)
  try {
    return readSection(await readFile(path, 'utf8'), file)
  } catch (error) {
    if (error instanceof Fault) throw error
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return readSection('', file)
    throw new Fault('config.invalid', `${file} cannot be read`, { file }, { cause: error })
  }
}
