// The data an expression reads, with the promises E1, E2, E4 and E5 of expression.ts.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import type { ExpressionPath } from './expression-paths.ts'
import type { Scope } from './program.ts'

/** Longest list a comprehension goes over; nested comprehensions multiply. */
const MAX_ITEMS = 10_000
const MAX_ITEMS_NESTED = 1_000

/** Variables that every expression may name beside the steps. */
export const ROOTS = ['input', 'params', 'run', 'it', 'fault'] as const

const ROOT_NAMES: ReadonlySet<string> = new Set(ROOTS)
const isRoot = (name: string): name is (typeof ROOTS)[number] => ROOT_NAMES.has(name)

/** A variable by name; undefined for `it` and `fault` where there are none. */
export const readVariable = (scope: Scope, name: string): Json | undefined => {
  if (isRoot(name)) return scope[name]
  // A step that was skipped or has not been reached is null; an inherited property is not a step (E1).
  return Object.hasOwn(scope.steps, name) ? (scope.steps[name] ?? null) : null
}

/** The same as expressions read fields of it: with what did not fit its context, which copies of it are without. */
export const seenVariable = (scope: Scope, name: string): Json | undefined => {
  const value = readVariable(scope, name)
  if (scope.leftOut === undefined || !isJsonObject(value) || Object.hasOwn(value, LEFT_OUT)) return value
  const leftOut = scope.leftOut(name)
  return leftOut === undefined ? value : Object.defineProperty({ ...value }, LEFT_OUT, { value: leftOut })
}
/** The field under which a step says what was left out. */
export const LEFT_OUT = 'leftOut'

/** The fault of an evaluation (E4). */
export const failed = (cel: string, cause: string, error?: unknown): Fault =>
  new Fault(
    'expression.failed',
    `${cel}: ${cause}`,
    { expression: cel.slice(0, 500), cause: cause.slice(0, 500) },
    error === undefined ? undefined : { cause: error },
  )

const payloadOf = (value: JsonObject): Json | undefined => (Object.hasOwn(value, '$payload') ? value['$payload'] : undefined)

/** The value at a path. A field that is only in the payload store becomes a reference to it (E5). */
export const walkPath = (root: Json | undefined, path: ExpressionPath, cel: string): Json => {
  if (root === undefined) throw failed(cel, `there is no "${path.root}" here`)
  let value: Json = root
  for (const [depth, key] of path.keys.entries()) {
    const next = step(value, key)
    if (next === undefined) {
      const payload = isJsonObject(value) ? payloadOf(value) : undefined
      if (payload !== undefined) return { $payload: payload, at: path.keys.slice(depth) } // E5
      throw failed(
        cel,
        value === null
          ? `${nameOf(path, depth)} is null: ${depth === 0 ? 'the step was skipped' : 'it has no value'}`
          : `no such key: ${key}`,
      )
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

/** Refuses what must not be evaluated: lists that are too long (E2), values that are not inline (E5). */
export const guardPaths = (paths: readonly ExpressionPath[], scope: Scope, cel: string): void => {
  for (const path of paths) {
    if (path.use === 'range' || path.use === 'range-nested') guardRange(path, scope, cel)
    const root = seenVariable(scope, path.root)
    if (root === undefined || root === null || !isJsonObject(root) || payloadOf(root) === undefined) continue
    if (path.keys.length === 0 && path.use === 'null') continue
    if (path.keys.length > 0 && peek(root, path.keys) !== undefined) continue
    throw new Fault('payload.not_inline', `${cel}: ${[path.root, ...path.keys].join('.')} is only in the payload store`, {
      expression: cel.slice(0, 500),
      path: [path.root, ...path.keys].join('.'),
    })
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
  const list = peek(seenVariable(scope, path.root) ?? null, path.keys)
  const limit = path.use === 'range' ? MAX_ITEMS : MAX_ITEMS_NESTED
  const size = Array.isArray(list) ? list.length : isJsonObject(list) ? Object.keys(list).length : 0
  if (size > limit) throw failed(cel, `${[path.root, ...path.keys].join('.')} has ${size} items; at most ${limit} are gone over`)
}
