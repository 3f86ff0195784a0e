// Where an expression is read: what its variables are, and where its mistakes go.
import type { ASTNode } from '@marcbachmann/cel-js'
import type { DiagnosticCode } from '../diagnostic.ts'
import type { Facts } from './facts.ts'
import { describeType, isKnown, notNull, scalarOf, type Scalar, type Type } from './type.ts'

export type Site = {
  /** The type of a variable; undefined for one that is not there, which the pass over names reports. */
  readonly variable: (name: string, facts: Facts) => Type | undefined
  /** Whether an unknown field of this variable is reported elsewhere (T3). */
  readonly isReported: (root: string, key: string) => boolean
  readonly add: (place: ASTNode | number, code: DiagnosticCode, message: string, fix?: string) => void
  /** Steps of evaluation at most, and the comprehension that takes most. */
  readonly spend: { steps: number; times: number; at: ASTNode | undefined }
}

export type Reading = {
  /** The type of a node below. */
  readonly infer: (node: ASTNode, reading: Reading) => Type
  readonly site: Site
  readonly facts: Facts
  readonly locals: ReadonlyMap<string, Type>
  /** How often this part is evaluated. */
  readonly times: number
}

/** A piece of an expression as a message shows it. */
export const textOf = (node: ASTNode): string => {
  const text = node.input.slice(node.start, node.end).replace(/\s+/g, ' ')
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The type without null; reports a value that may be null where it must not be. */
export const needValue = (type: Type, node: ASTNode, { site }: Reading): Type => {
  if (type.kind === 'null') {
    site.add(node, 'type.nullable', `${textOf(node)} is always null here`)
    return { kind: 'any' }
  }
  if (type.nullable === undefined) return type
  site.add(node, 'type.nullable', `${textOf(node)} may be null: ${type.nullable.why}`, guardOf(node))
  return notNull(type)
}

const guardOf = (node: ASTNode): string =>
  node.op === 'id' || node.op === '.' || node.op === '[]' ? `${textOf(node)} != null ? … : …` : 'say what to use instead when it is null'

const NAMES: Readonly<Record<Scalar, string>> = { boolean: 'true or false', number: 'a number', string: 'text' }

/** Reports a value that is not what is needed. */
export const needScalar = (
  type: Type,
  wanted: Scalar,
  { node, reading, what }: { readonly node: ASTNode; readonly reading: Reading; readonly what: string },
): void => {
  const value = needValue(type, node, reading)
  if (!isKnown(value) || scalarOf(value) === wanted) return
  reading.site.add(node, 'type.mismatch', `${what} needs ${NAMES[wanted]}; ${textOf(node)} is ${describeType(value)}`)
}
