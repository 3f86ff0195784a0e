// What is known where a condition holds: `a.b` is not null, `a.b` is there, a condition is true.
//   F1. A fact follows from the condition alone: what is evaluated only when it holds may rely on it, nothing else may.
import type { ASTNode } from '@marcbachmann/cel-js'

/** `!a.b`: not null and there; `?a.b`: there; `=text`: a condition that holds. */
export type Facts = ReadonlySet<string>

export const NO_FACTS: Facts = new Set()

/** `a`, `a.b`, `a["b"]` and `a[0]` as one text; undefined for what is computed. */
export const pathOf = (node: ASTNode): string | undefined => {
  if (node.op === 'id') return node.args
  if (node.op !== '.' && node.op !== '[]') return undefined
  const root = pathOf(node.args[0])
  const key = node.op === '.' ? node.args[1] : constantOf(node.args[1])
  return root === undefined || key === undefined ? undefined : `${root}.${key}`
}

const constantOf = (node: ASTNode): string | undefined =>
  node.op === 'value' && (typeof node.args === 'string' || typeof node.args === 'bigint') ? String(node.args) : undefined

export const isNotNull = (facts: Facts, node: ASTNode): boolean => {
  const path = pathOf(node)
  return path !== undefined && facts.has(`!${path}`)
}

export const isPresent = (facts: Facts, node: ASTNode): boolean => {
  const path = pathOf(node)
  return path !== undefined && (facts.has(`?${path}`) || facts.has(`!${path}`))
}

/** Whether a condition is known to hold, as a whole or in all its parts. */
export const holdsAll = (node: ASTNode, facts: Facts): boolean =>
  facts.has(`=${sourceOf(node)}`) || (node.op === '&&' && node.args.every((side) => holdsAll(side, facts)))

const sourceOf = (node: ASTNode): string => normalised(node.input.slice(node.start, node.end))

export const union = (a: Facts, b: Facts): Facts => (b.size === 0 ? a : a.size === 0 ? b : new Set([...a, ...b]))

const intersection = (a: Facts, b: Facts): Facts => new Set([...a].filter((fact) => b.has(fact)))

/** The facts without those about a variable that means something else now. */
export const without = (facts: Facts, variable: string): Facts =>
  new Set([...facts].filter((fact) => fact.slice(1) !== variable && !fact.slice(1).startsWith(`${variable}.`)))

const normalised = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** What is known where a condition came out as `truth` (F1). */
export const narrow = (node: ASTNode, truth: boolean): Facts => {
  const own = factsOf(node, truth)
  return truth ? union(own, new Set([`=${sourceOf(node)}`])) : own
}

const factsOf = (node: ASTNode, truth: boolean): Facts => {
  switch (node.op) {
    case '!_':
      return narrow(node.args, !truth)
    case '&&':
    case '||':
      return logic(node.args, truth, truth === (node.op === '&&'))
    case '==':
    case '!=':
      return equality(node.args, truth === (node.op === '=='))
    default:
      return truth ? factsOfTrue(node) : NO_FACTS
  }
}

const factsOfTrue = (node: ASTNode): Facts => {
  if (node.op === 'in') return notNullFacts(node.args[0])
  return node.op === 'call' && node.args[0] === 'has' ? hasFacts(node.args[1][0]) : notNullFacts(node)
}

/** Both sides came out so, or one of them, nobody knows which. */
const logic = ([left, right]: readonly [ASTNode, ASTNode], truth: boolean, both: boolean): Facts => {
  const sides = [narrow(left, truth), narrow(right, truth)] as const
  return both ? union(...sides) : intersection(...sides)
}

const equality = ([left, right]: readonly [ASTNode, ASTNode], equal: boolean): Facts => {
  if (isNull(right)) return equal ? NO_FACTS : notNullFacts(left)
  if (isNull(left)) return equal ? NO_FACTS : notNullFacts(right)
  if (!equal) return NO_FACTS
  if (right.op === 'value') return notNullFacts(left)
  return left.op === 'value' ? notNullFacts(right) : NO_FACTS
}

export const isNull = (node: ASTNode): boolean => node.op === 'value' && node.args === null

/** What is not null was reached through what is not null. */
const notNullFacts = (node: ASTNode): Facts => {
  const found = new Set<string>()
  for (let current: ASTNode | undefined = node; current !== undefined; current = receiverOf(current)) {
    const path = pathOf(current)
    if (path !== undefined) found.add(`!${path}`)
  }
  return found
}

const receiverOf = (node: ASTNode): ASTNode | undefined => (node.op === '.' || node.op === '[]' ? node.args[0] : undefined)

const hasFacts = (node: ASTNode | undefined): Facts => {
  const path = node === undefined ? undefined : pathOf(node)
  const receiver = node === undefined ? undefined : receiverOf(node)
  return path === undefined || receiver === undefined ? NO_FACTS : union(new Set([`?${path}`]), notNullFacts(receiver))
}
