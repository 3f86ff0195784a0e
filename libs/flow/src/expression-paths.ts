// What an expression reads: the walk over its syntax tree.
import type { ASTNode } from '@marcbachmann/cel-js'

/** A path of constant keys from a variable, as far as it goes. */
export type ExpressionPath = {
  readonly root: string
  readonly keys: readonly (string | number)[]
  /** Offsets in the expression: of the variable, and of each key. */
  readonly index: number
  readonly keyIndexes: readonly number[]
  /** `null`: only compared with null; `has`: only asked for; `range`: gone over, `nested` when inside another. */
  readonly use: 'value' | 'null' | 'has' | 'range' | 'range-nested'
}

const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])
type Walk = { readonly paths: ExpressionPath[]; depth: number }
type Seen = { readonly bound: ReadonlySet<string>; readonly depth: number; readonly use: ExpressionPath['use'] }

/** The paths of an expression, and how deep its comprehensions are nested. */
export const findPaths = (ast: ASTNode): Walk => {
  const walk: Walk = { paths: [], depth: 0 }
  visit(ast, { bound: new Set(), depth: 0, use: 'value' }, walk)
  return walk
}

const visit = (node: ASTNode, seen: Seen, walk: Walk): void => {
  const inner: Seen = { ...seen, use: 'value' }
  if (isPathNode(node)) visitPath(node, seen, walk)
  else if (node.op === 'rcall') visitMethod(node.args, seen, walk)
  else if (node.op === '==' || node.op === '!=') {
    const [left, right] = node.args
    visit(left, isNull(right) ? { ...inner, use: 'null' } : inner, walk)
    visit(right, isNull(left) ? { ...inner, use: 'null' } : inner, walk)
  } else {
    const use = node.op === 'call' && node.args[0] === 'has' ? 'has' : 'value'
    for (const operand of operandsOf(node)) visit(operand, { ...inner, use }, walk)
  }
}

type PathNode = Extract<ASTNode, { op: 'id' | '.' | '.?' | '[]' | '[?]' }>
const isPathNode = (node: ASTNode): node is PathNode =>
  node.op === 'id' || node.op === '.' || node.op === '.?' || node.op === '[]' || node.op === '[?]'

/** The nodes below a node that is neither path nor method call. */
const operandsOf = (node: Exclude<ASTNode, PathNode>): readonly ASTNode[] => {
  switch (node.op) {
    case 'value':
      return []
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

const isNull = (node: ASTNode): boolean => node.op === 'value' && node.args === null

const visitMethod = (call: MethodCall, seen: Seen, walk: Walk): void => {
  const [name, receiver, args] = call
  const [variable, ...rest] = args
  const binds = variable?.op === 'id' && rest.length > 0
  if (binds && COMPREHENSIONS.has(name)) visitComprehension(receiver, { variable: variable.args, bodies: rest }, { seen, walk })
  else if (binds && name === 'bind' && receiver.op === 'id' && receiver.args === 'cel') {
    const [value, ...bodies] = rest
    if (value !== undefined) visit(value, { ...seen, use: 'value' }, walk)
    for (const body of bodies) visit(body, { ...seen, use: 'value', bound: new Set([...seen.bound, variable.args]) }, walk)
  } else {
    for (const operand of [receiver, ...args]) visit(operand, { ...seen, use: 'value' }, walk)
  }
}

type MethodCall = readonly [string, ASTNode, readonly ASTNode[]]
type Binding = { readonly variable: string; readonly bodies: readonly ASTNode[] }

const visitComprehension = (range: ASTNode, { variable, bodies }: Binding, { seen, walk }: { seen: Seen; walk: Walk }): void => {
  const depth = seen.depth + 1
  walk.depth = Math.max(walk.depth, depth)
  visit(range, { ...seen, use: depth > 1 || bodies.some(hasComprehension) ? 'range-nested' : 'range' }, walk)
  for (const body of bodies) visit(body, { bound: new Set([...seen.bound, variable]), depth, use: 'value' }, walk)
}

const hasComprehension = (node: ASTNode): boolean => {
  const walk: Walk = { paths: [], depth: 0 }
  visit(node, { bound: new Set(), depth: 0, use: 'value' }, walk)
  return walk.depth > 0
}

type Step = { readonly key: string | number; readonly index: number }

const visitPath = (node: PathNode, seen: Seen, walk: Walk): void => {
  const keys: Step[] = []
  let current: ASTNode = node
  let { use } = seen
  while (isPathNode(current) && current.op !== 'id') {
    const key = constantKey(current)
    if (key !== undefined) keys.unshift(key)
    else if (current.op === '[]' || current.op === '[?]') {
      // A computed key: the path ends before it, and what it is computed from is looked at by itself.
      visit(current.args[1], { ...seen, use: 'value' }, walk)
      keys.length = 0
      use = 'value'
    }
    current = current.args[0]
  }
  if (current.op !== 'id') visit(current, { ...seen, use: 'value' }, walk)
  else if (!seen.bound.has(current.args)) {
    walk.paths.push({
      root: current.args,
      keys: keys.map(({ key }) => key),
      index: current.start,
      keyIndexes: keys.map(({ index }) => index),
      use,
    })
  }
}

const constantKey = (node: ASTNode): Step | undefined => {
  if (node.op === '.' || node.op === '.?') return { key: node.args[1], index: node.pos }
  if (node.op !== '[]' && node.op !== '[?]') return undefined
  const index = node.args[1]
  if (index.op !== 'value') return undefined
  if (typeof index.args === 'string') return { key: index.args, index: index.start }
  return typeof index.args === 'bigint' ? { key: Number(index.args), index: index.start } : undefined
}

/** True for `a`, `a.b`, `a.b[0]["c"]`: nothing to compute. */
export const isPurePath = (node: ASTNode): boolean => {
  if (node.op === 'id') return true
  return (node.op === '.' || node.op === '[]') && constantKey(node) !== undefined && isPurePath(node.args[0])
}

/** A call of `matches`; its pattern where it is a constant. */
export type MatchCall = { readonly pattern: string | undefined; readonly index: number; readonly rename: (name: string) => void }

/** Every call of `matches` in an expression. */
export const findMatches = (node: ASTNode): readonly MatchCall[] => {
  const below = childrenOf(node).flatMap(findMatches)
  if (node.op !== 'rcall' || node.args[0] !== 'matches') return below
  const pattern = node.args[2][0]
  const text = pattern?.op === 'value' && typeof pattern.args === 'string' ? pattern.args : undefined
  const rename = (name: string): void => {
    node.args[0] = name
  }
  return [...below, { pattern: text, index: pattern?.start ?? node.start, rename }]
}

/** The nodes directly below a node. */
export const childrenOf = (node: ASTNode): readonly ASTNode[] => {
  if (!isPathNode(node)) return operandsOf(node)
  if (node.op === 'id') return []
  return node.op === '[]' || node.op === '[?]' ? node.args : [node.args[0]]
}
