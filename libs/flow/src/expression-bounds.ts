// What an evaluation may do before it is stopped: the data decides how long a list is, the expression how often it is gone over.
//   B1. Every list that is gone over is counted first, times what is done with each item; beyond the budget it is not begun.
//   B2. Inside a comprehension, what a method, a comparison or `in` reads costs steps by its size, and so does each pattern anywhere.
//   B3. What is computed on the way is measured before it is given a name, so that nothing doubles until the memory is full.
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { childrenOf, isPurePath } from './expression-paths.ts'

/** Nodes of the expression that one evaluation may evaluate inside comprehensions. */
const MAX_STEPS = 1_000_000
/** Largest list or map that is gone over. */
const MAX_ITEMS = 10_000
/** Largest value that is computed on the way: characters and values in it. */
const MAX_CHARACTERS = 1_000_000
const MAX_VALUES = 100_000

/** Only in expressions after they were checked: the analyser does not know these functions. */
const GO_OVER = '_goOver'
const KEEP = '_keep'
const WEIGH = '_weigh'
const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])

/** Evaluations do not overlap: each begins with a full budget and ends before the next. */
let stepsLeft = MAX_STEPS

/** Begins an evaluation. */
export const refillSteps = (): void => {
  stepsLeft = MAX_STEPS
}

/** Counts work; throws when there was too much of it. */
export const spendSteps = (steps: number): void => {
  stepsLeft -= steps
  if (stepsLeft < 0) throw new Error(`the evaluation takes more than ${MAX_STEPS} steps`)
}

/** What the functions in a bounded expression are. */
export const registerBounds = (environment: Environment): void => {
  environment.registerFunction(`${GO_OVER}(dyn, int, bool): dyn`, (value: unknown, steps: bigint, computed: boolean) => {
    const items = sizeOf(value)
    if (items > MAX_ITEMS) throw new Error(`a list has ${items} items; at most ${MAX_ITEMS} are gone over`)
    spendSteps(items * Math.max(1, Number(steps))) // B1
    return computed ? measured(value) : value
  })
  environment.registerFunction(`${WEIGH}(dyn): dyn`, (value: unknown) => weighed(value))
  environment.registerFunction(`${KEEP}(dyn): dyn`, (value: unknown) => measured(value))
}

const sizeOf = (value: unknown): number => {
  if (Array.isArray(value)) return value.length
  if (value instanceof Map || value instanceof Set) return value.size
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0
}

/** The value, unless it is too large (B3). */
const measured = (value: unknown): unknown => {
  measure(value)
  return value
}

/** Characters that are read in the time of a step. */
const CHARACTERS_A_STEP = 32

/** The value, paid for by its size (B2). */
const weighed = (value: unknown): unknown => {
  if (typeof value === 'string') spendSteps(value.length / CHARACTERS_A_STEP)
  else if (typeof value === 'object' && value !== null) {
    const { characters, values } = measure(value)
    spendSteps(values + characters / CHARACTERS_A_STEP)
  }
  return value
}

const measure = (value: unknown): { characters: number; values: number } => {
  let characters = 0
  let values = 0
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    values++
    if (typeof next === 'string') characters += next.length
    else if (typeof next === 'object' && next !== null) {
      const items: readonly unknown[] = Array.isArray(next) ? next : next instanceof Map ? [...next.values()] : Object.values(next)
      if (values + open.length + items.length > MAX_VALUES) throw new Error(`a value in between has more than ${MAX_VALUES} values`)
      for (const item of items) open.push(item)
    }
    if (characters > MAX_CHARACTERS) throw new Error(`a value in between has more than ${MAX_CHARACTERS} characters`)
  }
  return { characters, values }
}

/** Puts the bounds into a parsed expression; false where there is nothing to bound. */
export const boundExpression = (node: ASTNode, environment: Environment, inside = false): boolean => {
  const repeats = inside || (node.op === 'rcall' && COMPREHENSIONS.has(node.args[0]) && node.args[2].length > 1)
  const below = childrenOf(node).map((child) => boundExpression(child, environment, repeats))
  if (inside) weighOperands(node, environment)
  if (node.op !== 'rcall') return below.includes(true)
  const [name, receiver, args] = node.args
  const { alternate, macro } = expansionOf(node)
  if (COMPREHENSIONS.has(name) && alternate !== undefined) {
    const steps = args.reduce((sum, arg) => sum + countNodes(arg), 0)
    alternate.args.iterable = wrapped(environment.parse(`${GO_OVER}(true, ${steps}, ${String(!isPurePath(receiver))})`).ast, receiver)
    return true
  }
  if (name !== 'bind' || macro?.val === undefined) return below.includes(true)
  macro.val = wrapped(environment.parse(`${KEEP}(true)`).ast, macro.val)
  return true
}

/** What the parser made of a macro: the library evaluates this instead of the call. Its types leave it out, a spec watches over it. */
type Expansion = { readonly alternate?: { readonly args: { iterable: ASTNode } }; readonly macro?: { val?: ASTNode } }
const expansionOf = (node: ASTNode): Expansion => ('meta' in node && typeof node.meta === 'object' && node.meta !== null ? node.meta : {})

/** What is done again and again costs by the size of what it reads (B2). */
const weighOperands = (node: ASTNode, environment: Environment): void => {
  const weigh = (operand: ASTNode): ASTNode =>
    operand.op === 'value' ? operand : wrapped(environment.parse(`${WEIGH}(true)`).ast, operand)
  if (node.op === 'rcall' && !COMPREHENSIONS.has(node.args[0]) && node.args[0] !== 'bind') node.args[1] = weigh(node.args[1])
  else if (node.op === 'in') node.args[1] = weigh(node.args[1])
  else if ((node.op === '==' || node.op === '!=') && node.args[0].op !== 'value' && node.args[1].op !== 'value')
    node.args[0] = weigh(node.args[0])
}

const wrapped = (call: ASTNode, inner: ASTNode): ASTNode => {
  if (call.op === 'call') call.args[1][0] = inner
  return call
}

const countNodes = (node: ASTNode): number => childrenOf(node).reduce((sum, child) => sum + countNodes(child), 1)
