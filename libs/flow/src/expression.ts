// CEL, behind this file: nothing else knows the library, but for the shape of its syntax tree in expression-paths.ts.
//   E1. An expression reads data and returns JSON; it cannot call out, loop without end or see a prototype.
//   E2. It is bounded before it runs, nodes, depth, nesting of comprehensions, and while it runs: lists, steps, what grows in between.
//   E3. Compiled once; a path is walked, not interpreted.
//   E4. A failed evaluation is `expression.failed` with the expression and the cause.
//   E5. What is only in the payload store is never silently missing: a path to it gives `{ $payload, at }`, any other use faults.
import { Environment, type ASTNode, type TypeCheckResult } from '@marcbachmann/cel-js'
import type { Json } from '@baton/contracts/json'
import { boundExpression, refillSteps, registerBounds, spendSteps } from './expression-bounds.ts'
import { matchesLinear, patternProblem } from './expression-match.ts'
import { findMatches, findPaths, isPurePath, type ExpressionPath } from './expression-paths.ts'
import { failed, guardPaths, readVariable, ROOTS, seenVariable, walkPath } from './expression-scope.ts'
import type { Scope } from './program.ts'

const LIMITS = { maxAstNodes: 500, maxDepth: 40, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 16 }
const MAX_NESTED_COMPREHENSIONS = 2

/** An expression that was read, or what is wrong with it, by its offset. */
export type Analysis =
  | { readonly ok: true; readonly paths: readonly ExpressionPath[]; readonly pure: boolean; readonly ast: ASTNode }
  | {
      readonly ok: false
      readonly code: 'expression.syntax' | 'expression.invalid' | 'expression.cost'
      readonly message: string
      readonly index: number
    }

type Arithmetic = (left: number, right: number) => number
const ARITHMETIC: Readonly<Record<string, Arithmetic>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}

/** Characters that a pattern reads in the time of a step. */
const CHARACTERS_A_STEP = 4
const MS_PER_SECOND = 1_000

/** Stands in for the library's `matches`, which backtracks. */
const LINEAR = 'matchesLinear'

const createBase = (): Environment => {
  const environment = new Environment({ homogeneousAggregateLiterals: false, limits: LIMITS })
  // JSON numbers are doubles and literals of an expression ints: without these `tokens + 1` has no overload. The type of the
  // result is stated, because it would be that of the left side, and an int that is a double at run time breaks what uses it.
  for (const [operator, apply] of Object.entries(ARITHMETIC)) {
    environment.registerOperator(`double ${operator} int: double`, (left: number, right: bigint) => apply(left, Number(right)))
    environment.registerOperator(`int ${operator} double: double`, (left: bigint, right: number) => apply(Number(left), right))
  }
  environment.registerOperator('double % double: double', (left: number, right: number) => left % right)
  // Conversions and comparisons of the CEL specification that the library leaves out.
  environment.registerOperator('double == int: bool', (left: number, right: bigint) => left === Number(right))
  environment.registerFunction('string(google.protobuf.Timestamp): string', (time: Date) => time.toISOString().replace('.000Z', 'Z'))
  environment.registerFunction('int(google.protobuf.Timestamp): int', (time: Date) => BigInt(Math.floor(time.getTime() / MS_PER_SECOND)))
  environment.registerFunction('string(google.protobuf.Duration): string', String)
  environment.registerFunction('timestamp(google.protobuf.Timestamp): google.protobuf.Timestamp', (time: Date) => time)
  environment.registerFunction('duration(google.protobuf.Duration): google.protobuf.Duration', (duration: unknown) => duration)
  environment.registerFunction(`string.${LINEAR}(string): bool`, (text: string, pattern: string) => {
    spendSteps(text.length / CHARACTERS_A_STEP)
    return matchesLinear(text, pattern)
  })
  return environment
}
const base = createBase()
const evaluation = base.clone()
registerBounds(evaluation)

type Analyser = (cel: string) => Analysis

/** Passes over one flow ask for the same names one after another: what one has read the next need not read again. */
const MAX_ANALYSERS = 2
const analysers = new Map<string, Analyser>()

/** Reads an expression against the names there are; finds mistakes of syntax, of functions and of constant types. */
export const createAnalyser = (stepNames: Iterable<string>): Analyser => {
  const names = [...new Set([...ROOTS, ...stepNames])].sort()
  const key = names.join()
  const analyse = analysers.get(key) ?? remembered(analyserOf(environmentOf(base, names)))
  analysers.delete(key)
  analysers.set(key, analyse)
  const [oldest] = analysers.keys()
  if (analysers.size > MAX_ANALYSERS && oldest !== undefined) analysers.delete(oldest)
  return analyse
}

/** Expressions one analyser remembers; a flow has fewer. */
const MAX_REMEMBERED = 5_000

const remembered = (analyse: Analyser): Analyser => {
  const known = new Map<string, Analysis>()
  return (cel) => {
    const found = known.get(cel)
    if (found !== undefined) return found
    const analysis = analyse(cel)
    if (known.size < MAX_REMEMBERED) known.set(cel, analysis)
    return analysis
  }
}

const analyserOf =
  (environment: Environment): Analyser =>
  (cel) => {
    try {
      const parsed = environment.parse(cel)
      const { paths, depth } = findPaths(parsed.ast)
      const problem = boundsProblem(parsed.ast, depth) ?? typeProblem(parsed.check())
      return problem === undefined
        ? { ok: true, paths, pure: isPurePath(parsed.ast), ast: parsed.ast }
        : { ok: false, code: depth > MAX_NESTED_COMPREHENSIONS ? 'expression.cost' : 'expression.invalid', ...problem }
    } catch (error) {
      return { ok: false, code: 'expression.syntax', ...explain(error) }
    }
  }

type Problem = { readonly message: string; readonly index: number }

const boundsProblem = (ast: ASTNode, depth: number): Problem | undefined => {
  if (depth > MAX_NESTED_COMPREHENSIONS)
    return { message: `comprehensions are nested more than ${MAX_NESTED_COMPREHENSIONS} deep`, index: 0 } // E2
  for (const { pattern, index } of findMatches(ast)) {
    const message = pattern === undefined ? undefined : patternProblem(pattern)
    if (message !== undefined) return { message, index }
  }
  return undefined
}

/** Unknown variables are reported by name, with what may have been meant; here only the rest. */
const typeProblem = (checked: TypeCheckResult): Problem | undefined =>
  checked.valid || checked.error?.code === 'unknown_variable' ? undefined : explain(checked.error)

const environmentOf = (parent: Environment, stepNames: Iterable<string>): Environment => {
  const environment = parent.clone()
  for (const name of [...ROOTS, ...stepNames]) if (!environment.hasVariable(name)) environment.registerVariable(name, 'dyn')
  return environment
}

const explain = (error: unknown): Problem => {
  if (typeof error === 'object' && error !== null && 'summary' in error && typeof error.summary === 'string') {
    const range = 'range' in error ? error.range : undefined
    const start = typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number' ? range.start : 0
    return { message: error.summary, index: start }
  }
  return { message: error instanceof Error ? error.message : String(error), index: 0 }
}

/** Compiles the expressions of one program. */
export const createCompiler = (stepNames: readonly string[]): ((cel: string) => (scope: Scope) => Json) => {
  const environment = environmentOf(evaluation, stepNames)
  const Variables = variablesOf(stepNames)
  return (cel) => {
    const parsed = environment.parse(cel)
    const matches = findMatches(parsed.ast)
    for (const { rename } of matches) rename(LINEAR) // E1
    const { paths } = findPaths(parsed.ast)
    const first = paths[0]
    if (first !== undefined && isPurePath(parsed.ast)) {
      const variable = first.keys.length === 0 ? readVariable : seenVariable
      return (scope) => walkPath(variable(scope, first.root), first, cel) // E3
    }
    const bounded = boundExpression(parsed.ast, environment) || matches.length > 0
    return (scope) => {
      guardPaths(paths, scope, cel) // E2, E5
      if (bounded) refillSteps()
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
        return seenVariable(this[SCOPE], name)
      },
    })
  }
  return ScopeVariables
}

const toJson = (value: unknown, cel: string): Json => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' || typeof value === 'bigint') return toNumber(value, cel)
  if (Array.isArray(value)) return value.map((item) => toJson(item, cel))
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'object' && isPlain(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, cel)]))
  throw failed(cel, 'the result is not a JSON value; convert it with string() or int()')
}

const toNumber = (value: number | bigint, cel: string): number => {
  const number = Number(value)
  if (typeof value === 'number' ? Number.isFinite(value) : Number.isSafeInteger(number)) return number
  throw failed(cel, `the result ${value} is not a number of JSON`)
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
