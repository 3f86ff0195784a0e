// CEL, behind one file: the only place that knows the library.
//   E1. An expression reads data and returns JSON; it cannot call out, loop without end or see a prototype.
//   E2. It is bounded before it runs: nodes, depth, list sizes, nesting of comprehensions.
//   E3. Compiled once; a path is walked, not interpreted.
//   E4. A failed evaluation is `expression.failed` with the expression and the cause.
//   E5. What is only in the payload store is never silently missing: a path to it gives `{ $payload, at }`, any other use faults.
import { Environment, type ASTNode } from '@marcbachmann/cel-js'
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { Scope } from './program.ts'

const LIMITS = { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 16 }
const MAX_NESTED_COMPREHENSIONS = 2
/** Longest list a comprehension goes over; nested comprehensions get the square root of the work. */
const MAX_ITEMS = 10_000
const MAX_ITEMS_NESTED = 1_000

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

/** An expression that was read, or what is wrong with it, by its offset. */
export type Analysis =
  | { readonly ok: true; readonly paths: readonly ExpressionPath[]; readonly pure: boolean }
  | { readonly ok: false; readonly code: 'expression.syntax' | 'expression.invalid'; readonly message: string; readonly index: number }

type Arithmetic = (left: number, right: number) => number
const ARITHMETIC: Readonly<Record<string, Arithmetic>> = { '+': (a, b) => a + b, '-': (a, b) => a - b, '*': (a, b) => a * b, '/': (a, b) => a / b, '%': (a, b) => a % b }

const createBase = (): Environment => {
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
  // JSON numbers are doubles and literals of an expression ints: without these `tokens + 1` has no overload.
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    environment.registerOperator(`double ${operator} int`, (left: number, right: bigint) => apply(left, Number(right)))
    environment.registerOperator(`int ${operator} double`, (left: bigint, right: number) => apply(Number(left), right))
  }
  environment.registerOperator('double % double', (left: number, right: number) => left % right)
  return environment
}
const base = createBase()

/** Variables that every expression may name beside the steps. */
export const ROOTS = ['input', 'params', 'run', 'it', 'fault'] as const

/** Reads an expression against the names there are; finds mistakes of syntax, of functions and of constant types. */
export const createAnalyser = (stepNames: Iterable<string>): ((cel: string) => Analysis) => {
  const environment = environmentOf(stepNames)
  return (cel) => {
    try {
      const parsed = environment.parse(cel)
      const walk = findPaths(parsed.ast)
      if (walk.depth > MAX_NESTED_COMPREHENSIONS) return { ok: false, code: 'expression.invalid', message: `comprehensions are nested more than ${MAX_NESTED_COMPREHENSIONS} deep`, index: 0 } // E2
      const checked = parsed.check()
      // Unknown variables are reported by name, with what may have been meant; here only the rest.
      if (checked.valid || checked.error?.code === 'unknown_variable') return { ok: true, paths: walk.paths, pure: isPurePath(parsed.ast) }
      return { ok: false, code: 'expression.invalid', message: checked.error?.summary ?? 'invalid', index: checked.error?.range?.start ?? 0 }
    } catch (error) {
      const { message, index } = explain(error)
      return { ok: false, code: 'expression.syntax', message, index }
    }
  }
}

const environmentOf = (stepNames: Iterable<string>): Environment => {
  const environment = base.clone()
  for (const name of [...ROOTS, ...stepNames]) if (!environment.hasVariable(name)) environment.registerVariable(name, 'dyn')
  return environment
}

const explain = (error: unknown): { readonly message: string; readonly index: number } => {
  if (typeof error === 'object' && error !== null && 'summary' in error && typeof error.summary === 'string') {
    const range = 'range' in error ? error.range : undefined
    const start = typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number' ? range.start : 0
    return { message: error.summary, index: start }
  }
  return { message: error instanceof Error ? error.message : String(error), index: 0 }
}

const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])
type Walk = { readonly paths: ExpressionPath[]; depth: number }
type Seen = { readonly bound: ReadonlySet<string>; readonly depth: number; readonly use: ExpressionPath['use'] }

const findPaths = (ast: ASTNode): Walk => {
  const walk: Walk = { paths: [], depth: 0 }
  visit(ast, { bound: new Set(), depth: 0, use: 'value' }, walk)
  return walk
}

const visit = (node: ASTNode, seen: Seen, walk: Walk): void => {
  const inner: Seen = { ...seen, use: 'value' }
  switch (node.op) {
    case 'value':
      return
    case 'id':
    case '.':
    case '.?':
    case '[]':
    case '[?]':
      visitPath(node, seen, walk)
      return
    case 'call': {
      const [name, args] = node.args
      for (const argument of args) visit(argument, name === 'has' ? { ...inner, use: 'has' } : inner, walk)
      return
    }
    case 'rcall':
      visitMethod(node.args, seen, walk)
      return
    case '==':
    case '!=': {
      const [left, right] = node.args
      visit(left, isNull(right) ? { ...inner, use: 'null' } : inner, walk)
      visit(right, isNull(left) ? { ...inner, use: 'null' } : inner, walk)
      return
    }
    case 'map':
      for (const [key, value] of node.args) {
        visit(key, inner, walk)
        visit(value, inner, walk)
      }
      return
    case '!_':
    case '-_':
      visit(node.args, inner, walk)
      return
    default:
      for (const argument of node.args) visit(argument, inner, walk)
  }
}

const isNull = (node: ASTNode): boolean => node.op === 'value' && node.args === null

const visitMethod = ([name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]], seen: Seen, walk: Walk): void => {
  const inner: Seen = { ...seen, use: 'value' }
  const first = args[0]
  if (COMPREHENSIONS.has(name) && args.length >= 2 && first?.op === 'id') {
    const depth = seen.depth + 1
    walk.depth = Math.max(walk.depth, depth)
    const nests = depth > 1 || args.slice(1).some(hasComprehension)
    visit(receiver, { ...seen, use: nests ? 'range-nested' : 'range' }, walk)
    for (const argument of args.slice(1)) visit(argument, { bound: new Set([...seen.bound, first.args]), depth, use: 'value' }, walk)
    return
  }
  if (name === 'bind' && receiver.op === 'id' && receiver.args === 'cel' && first?.op === 'id') {
    const [, value, body] = args
    if (value !== undefined) visit(value, inner, walk)
    if (body !== undefined) visit(body, { ...inner, bound: new Set([...seen.bound, first.args]) }, walk)
    return
  }
  visit(receiver, inner, walk)
  for (const argument of args) visit(argument, inner, walk)
}

const hasComprehension = (node: ASTNode): boolean => {
  const walk: Walk = { paths: [], depth: 0 }
  visit(node, { bound: new Set(), depth: 0, use: 'value' }, walk)
  return walk.depth > 0
}

type Step = { readonly key: string | number; readonly index: number }

const visitPath = (node: ASTNode, seen: Seen, walk: Walk): void => {
  const keys: Step[] = []
  let current = node
  let reach = 0
  while (current.op === '.' || current.op === '.?' || current.op === '[]' || current.op === '[?]') {
    const key = constantKey(current)
    if (key === undefined && (current.op === '[]' || current.op === '[?]')) {
      visit(current.args[1], { ...seen, use: 'value' }, walk)
      keys.length = 0
      reach = 1
    } else if (key !== undefined) keys.unshift(key)
    current = current.args[0]
  }
  if (current.op !== 'id') {
    visit(current, { ...seen, use: 'value' }, walk)
    return
  }
  if (seen.bound.has(current.args)) return
  walk.paths.push({ root: current.args, keys: keys.map(({ key }) => key), index: current.start, keyIndexes: keys.map(({ index }) => index), use: reach === 1 ? 'value' : seen.use })
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
const isPurePath = (node: ASTNode): boolean => {
  if (node.op === 'id') return true
  return (node.op === '.' || node.op === '[]') && constantKey(node) !== undefined && isPurePath(node.args[0])
}

/** Compiles the expressions of one program. */
export const createCompiler = (stepNames: readonly string[]): ((cel: string) => (scope: Scope) => Json) => {
  const environment = environmentOf(stepNames)
  const Variables = variablesOf(stepNames)
  return (cel) => {
    const parsed = environment.parse(cel)
    const { paths } = findPaths(parsed.ast)
    const first = paths[0]
    if (first !== undefined && isPurePath(parsed.ast)) return (scope) => walkPath(readVariable(scope, first.root), first, cel) // E3
    return (scope) => {
      guardPaths(paths, scope, cel) // E2, E5
      let value: unknown
      try {
        value = parsed(new Variables(scope))
      } catch (error) {
        throw failed(cel, explain(error).message, error)
      }
      return toJson(value, cel)
    }
  }
}

const SCOPE = Symbol('scope')
/** What the library asks for variables: an object with a getter for each name, so that nothing is built for an evaluation. */
type Variables = new (scope: Scope) => object

const variablesOf = (stepNames: readonly string[]): Variables => {
  class ScopeVariables {
    readonly [SCOPE]: Scope
    constructor(scope: Scope) {
      this[SCOPE] = scope
    }
  }
  for (const name of new Set([...ROOTS, ...stepNames])) {
    Object.defineProperty(ScopeVariables.prototype, name, {
      get(this: ScopeVariables) {
        return readVariable(this[SCOPE], name)
      },
    })
  }
  return ScopeVariables
}

const ROOT_NAMES: ReadonlySet<string> = new Set(ROOTS)
const isRoot = (name: string): name is (typeof ROOTS)[number] => ROOT_NAMES.has(name)

const readVariable = (scope: Scope, name: string): Json | undefined => {
  if (isRoot(name)) return scope[name]
  // A step that was skipped or has not been reached is null; an inherited property is not a step (E1).
  return Object.hasOwn(scope.steps, name) ? (scope.steps[name] ?? null) : null
}

const failed = (cel: string, cause: string, error?: unknown): Fault =>
  new Fault('expression.failed', `${cel}: ${cause}`, { expression: cel.slice(0, 500), cause: cause.slice(0, 500) }, error === undefined ? undefined : { cause: error })

const payloadOf = (value: JsonObject): Json | undefined => (Object.hasOwn(value, '$payload') ? value['$payload'] : undefined)

const walkPath = (root: Json | undefined, path: ExpressionPath, cel: string): Json => {
  if (root === undefined) throw failed(cel, `there is no "${path.root}" here`)
  let value: Json = root
  for (const [depth, key] of path.keys.entries()) {
    const next = step(value, key)
    if (next === undefined) {
      const payload = isJsonObject(value) ? payloadOf(value) : undefined
      if (payload !== undefined) return { $payload: payload, at: path.keys.slice(depth) } // E5
      throw failed(cel, value === null ? `${nameOf(path, depth)} is null: ${depth === 0 ? 'the step was skipped' : 'it has no value'}` : `no such key: ${key}`)
    }
    value = next
  }
  const payload = isJsonObject(value) ? payloadOf(value) : undefined
  return payload === undefined ? value : { $payload: payload, at: at(value) }
}

/** A reference that came in as a value keeps its place in the payload. */
const at = (value: Json): Json => (isJsonObject(value) && Array.isArray(value['at']) && Object.keys(value).length === 2 ? value['at'] : [])

const nameOf = (path: ExpressionPath, depth: number): string => [path.root, ...path.keys.slice(0, depth)].join('.')

const step = (value: Json, key: string | number): Json | undefined => {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined
  return typeof key === 'string' && isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

const guardPaths = (paths: readonly ExpressionPath[], scope: Scope, cel: string): void => {
  for (const path of paths) {
    if (path.use === 'range' || path.use === 'range-nested') guardRange(path, scope, cel)
    const root = readVariable(scope, path.root)
    if (root === undefined || root === null || !isJsonObject(root) || payloadOf(root) === undefined) continue
    if (path.keys.length === 0 && path.use === 'null') continue
    if (path.keys.length > 0 && peek(root, path.keys) !== undefined) continue
    throw new Fault('payload.not_inline', `${cel}: ${[path.root, ...path.keys].join('.')} is only in the payload store`, { expression: cel.slice(0, 500), path: [path.root, ...path.keys].join('.') })
  }
}

const peek = (root: Json, keys: readonly (string | number)[]): Json | undefined => {
  let value: Json | undefined = root
  for (const key of keys) {
    if (value === undefined) return undefined
    value = step(value, key)
  }
  return value
}

const guardRange = (path: ExpressionPath, scope: Scope, cel: string): void => {
  const list = peek(readVariable(scope, path.root) ?? null, path.keys)
  const limit = path.use === 'range' ? MAX_ITEMS : MAX_ITEMS_NESTED
  const size = Array.isArray(list) ? list.length : isJsonObject(list) ? Object.keys(list).length : 0
  if (size > limit) throw failed(cel, `${[path.root, ...path.keys].join('.')} has ${size} items; at most ${limit} are gone over`)
}

const toJson = (value: unknown, cel: string): Json => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    throw failed(cel, `the result is ${value}, which is not a number of JSON`)
  }
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    throw failed(cel, `the integer ${value} is too large for JSON`)
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, cel))
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item, cel)]))
  if (typeof value === 'object' && (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, cel)]))
  }
  throw failed(cel, 'the result is not a JSON value; convert it with string() or int()')
}
