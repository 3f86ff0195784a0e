// What is wrong with a test file, and where.
import { didYouMean } from '@baton/flow'
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node } from 'yaml'
import type { Json } from '@baton/contracts/json'

export type Mistake = { readonly file: string; readonly line: number; readonly column: number; readonly message: string }

/** A node of a file, read with its place. */
export class Reading {
  readonly file: string
  readonly lines: LineCounter
  readonly mistakes: Mistake[] = []

  constructor(file: string, lines: LineCounter) {
    this.file = file
    this.lines = lines
  }

  lineOf(node: unknown): number {
    return this.lines.linePos(startOf(node)).line
  }

  add(node: unknown, message: string): undefined {
    this.addAt(startOf(node), message)
    return undefined
  }

  addAt(offset: number, message: string): void {
    const { line, col } = this.lines.linePos(offset)
    this.mistakes.push({ file: this.file, line, column: col, message })
  }

  /** The entries of a map with these keys and no others; undefined, and a mistake, for anything else. */
  fields(node: unknown, what: string, known: readonly string[]): ReadonlyMap<string, unknown> | undefined {
    const entries = this.entries(node, what)
    if (entries === undefined) return undefined
    for (const { key, keyNode } of entries) {
      if (!known.includes(key)) this.add(keyNode, `${what} has no ${key}${didYouMean(key, known)}`)
    }
    return new Map(entries.map(({ key, value }) => [key, value]))
  }

  /** The entries of a map with any keys. */
  entries(
    node: unknown,
    what: string,
  ): readonly { readonly key: string; readonly keyNode: unknown; readonly value: unknown }[] | undefined {
    if (!isMap(node)) return this.add(node, `${what} is a map`)
    return node.items.flatMap((pair) =>
      isPair(pair) && isScalar(pair.key) ? [{ key: String(pair.key.value), keyNode: pair.key, value: pair.value }] : [],
    )
  }

  list(node: unknown, what: string): readonly unknown[] | undefined {
    return isSeq(node) ? node.items : this.add(node, `${what} is a list`)
  }

  text(node: unknown, what: string): string | undefined {
    const value = jsonOf(node)
    return typeof value === 'string' ? value : this.add(node, `${what} is text`)
  }
}

const startOf = (node: unknown): number => (typeof node === 'object' && node !== null ? ((node as Node).range?.[0] ?? 0) : 0) // of yaml

/** The plain value of a node. */
export const jsonOf = (node: unknown): Json => {
  if (isMap(node)) {
    return Object.fromEntries(node.items.map(({ key, value }) => [isScalar(key) ? String(key.value) : String(key), jsonOf(value)]))
  }
  if (isSeq(node)) return node.items.map(jsonOf)
  if (!isScalar(node)) return null
  const { value } = node
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
