// What the readers of single kinds get: where they are, and how to read the steps inside.
import type { Span } from '../source/source.ts'
import type { Syntax } from '../source/syntax.ts'
import type { BlockTree, OutcomeTree, Place } from '../tree.ts'
import { readText, readTexts, type ReadContext } from './context.ts'

type Spot = { readonly id: string; readonly place: Place }

/** Readers of what holds steps. Kinds hold steps and steps are of kinds: they are handed down, so that no module needs another in a ring. */
export type Nested = {
  readonly outcome: (node: Syntax, spot: Spot) => OutcomeTree | undefined
  /** A prompt, the body of a step, or a list of steps. */
  readonly block: (node: Syntax, spot: Spot) => BlockTree | undefined
}

/** One place in a flow: the id of the node that is being read. */
export type Site = { readonly id: string; readonly context: ReadContext; readonly nested: Nested }

/** Name of an index, tool, queue, topic or route: path-like, without spaces. */
const NAME = /^[A-Za-z0-9][\w./:@-]{0,199}$/
const TOPIC = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,200}$/
const WORD = /^[A-Za-z_][A-Za-z0-9_]*$/

export const readName = (node: Syntax, what: string, context: ReadContext): string | undefined => {
  const text = readText(node, what, context)
  if (text === undefined || NAME.test(text)) return text
  context.report.add(node, 'name.invalid', `${what} "${text}" may hold letters, digits and . / : @ _ - only`)
  return undefined
}

export const readNames = (node: Syntax, what: string, context: ReadContext): readonly string[] =>
  node.kind === 'list'
    ? readTexts(node, what, context).filter((text) => NAME.test(text))
    : [readName(node, what, context)].filter((name) => name !== undefined)

/** The name of a topic of the bus. */
export const readTopic = (node: Syntax, what: string, context: ReadContext): string | undefined => {
  const name = readText(node, what, context)
  if (name === undefined || TOPIC.test(name)) return name
  context.report.add(node, 'name.invalid', `"${name}" is not the name of a topic: letters, digits, "." "_" "-"`)
  return undefined
}

/** Names that expressions know already, that CEL reserves, or that ids of nodes use. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    'input params run it fault steps item index event buffers history onError gate next end fail retry do else then when true false null in as break const continue for function if import let loop namespace package ' +
    'return var void while bool bytes double dyn int list map null_type string timestamp type uint duration optional cel has size constructor __proto__ prototype'
  ).split(' '),
)

/** Whether a text could be the name of a step. */
export const isWord = (text: string): boolean => WORD.test(text)

/** Reports a name that expressions could not use. */
export const checkWord = (name: string, { what, at, context }: { what: string; at: Span; context: ReadContext }): void => {
  if (!WORD.test(name) || name.length > 64) {
    context.report.add(
      at,
      'name.invalid',
      `the ${what} name "${name}" must be a word of letters, digits and _, so that expressions can use it`,
      name.replace(/[^A-Za-z0-9_]/g, '_'),
    )
  } else if (RESERVED.has(name)) {
    context.report.add(
      at,
      'name.reserved',
      `"${name}" has a meaning of its own in expressions; give the ${what} another name`,
      `${name}_${what}`,
    )
  }
}

/** The model steps of a flow that names none. */
export const defaultModels = ({ defaults }: ReadContext): readonly string[] => [defaults.model ?? 'default']
