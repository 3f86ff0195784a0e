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
  const text = balanced(node).replace(/\s+/g, ' ')
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The library's places leave out parentheses at the ends; a piece is shown with those that it needs. */
const balanced = ({ input, start, end }: ASTNode): string => {
  let open = 0
  let missing = 0
  for (const character of input.slice(start, end)) {
    if (character === '(') open++
    else if (character === ')' && open > 0) open--
    else if (character === ')') missing++
  }
  const left = missing > 0 ? /(?:\(\s*)*$/.exec(input.slice(0, start))?.[0].replace(/\s/g, '').slice(-missing) : ''
  const right = open > 0 ? /^(?:\s*\))*/.exec(input.slice(end))?.[0].replace(/\s/g, '').slice(0, open) : ''
  return `${left ?? ''}${input.slice(start, end)}${right ?? ''}`
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
