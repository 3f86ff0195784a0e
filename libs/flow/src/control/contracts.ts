// What a flow promises those who start it, from version to version. A new version with the same major number takes what the old
// one took and gives what the old one gave.
import { isJsonObject, type Json, type JsonSchema } from '@baton/contracts/json'
import type { Report } from '../diagnostic.ts'
import type { ParamSpec, Plan, ValueExpr } from '../plan.ts'
import type { Span } from '../source/source.ts'
import type { FlowTree, ValueTree } from '../tree.ts'
import { misfits, type Misfit } from './schema-fit.ts'

/** A break of the promise: the place in the contract, what breaks, and what to do instead. */
export type Incompatibility = { readonly path: string; readonly message: string; readonly fix: string }

/** What the new version of a flow breaks of the old. Nothing where its version says that it may, or where it is another flow. */
export const compareContracts = (before: FlowTree | Plan, after: FlowTree | Plan): readonly Incompatibility[] => {
  if (before.flow !== after.flow || !promises(before.version, after.version)) return []
  const fix = `publish it as ${nextMajor(before.version)}`
  return [
    ...misfits(inputOf(before), after.input, 'input').map((misfit) => ({ path: misfit.path, ...describeInput(misfit, fix) })),
    ...misfits(outputOf(after), openOf(outputOf(before), outputOf(after)), 'output').map((misfit) => ({
      path: misfit.path,
      message: describeOutput(misfit),
      fix: `keep ${misfit.path} as it was, or ${fix}`,
    })),
    ...paramBreaks(before.params, after.params, fix),
  ]
}

/** Reports what a new version breaks of the old, at the field in the file. */
export const checkContracts = (before: FlowTree | Plan, after: FlowTree, report: Report): void => {
  for (const { path, message, fix } of compareContracts(before, after))
    report.add(placeOf(path, after.at), 'schema.incompatible', `${message}, and the version is still ${after.version}`, fix)
}

const numbersOf = (version: string): readonly number[] => version.split(/[.-]/).slice(0, 3).map(Number)

/** Whether the one version promises to go on with the other: the same major number, below 1.0.0 the same minor. */
const promises = (before: string, after: string): boolean => {
  const [major, minor, patch] = numbersOf(before)
  const [newMajor, newMinor] = numbersOf(after)
  if (major === 0 && minor === 0 && patch === 0) return false // A flow without a version of its own.
  return major === newMajor && (major !== 0 || minor === newMinor)
}

const nextMajor = (version: string): string => {
  const [major = 0, minor = 0] = numbersOf(version)
  return major === 0 ? `0.${minor + 1}.0` : `${major + 1}.0.0`
}

const inputOf = ({ input }: FlowTree | Plan): JsonSchema => (typeof input === 'boolean' ? { type: 'object' } : input)

const describeInput = ({ path, kind, detail }: Misfit, publish: string): Omit<Incompatibility, 'path'> => {
  switch (kind) {
    case 'missing':
      return { message: `${path} is required now, and callers need not send it`, fix: `make it optional, give it a default, or ${publish}` }
    case 'type':
      return { message: `${path} could be ${detail} and must not any more`, fix: `take both types, or ${publish}` }
    case 'value':
      return { message: `${path} could be ${detail} and must not any more`, fix: `go on taking ${detail}, or ${publish}` }
    case 'range':
      return { message: `${path} has a tighter bound now: ${detail}`, fix: `keep the wider bound, or ${publish}` }
    case 'extra':
      return { message: `${path} is refused now, and callers may send it`, fix: `go on taking ${detail}, or ${publish}` }
  }
}

const describeOutput = ({ path, kind, detail }: Misfit): string => {
  switch (kind) {
    case 'missing':
      return detail === 'gone' ? `${path} is gone, and callers may read it` : `${path} may be missing now, and was always there`
    case 'range':
      return `${path} may go beyond its old bound now: ${detail}`
    default:
      return `${path} may be ${detail} now, and could not before`
  }
}

const paramBreaks = (
  before: Readonly<Record<string, ParamSpec>>,
  after: Readonly<Record<string, ParamSpec>>,
  publish: string,
): readonly Incompatibility[] =>
  Object.entries(before).flatMap(([name, { type }]) => {
    const now = Object.hasOwn(after, name) ? after[name] : undefined
    if (now?.type === type) return []
    const change = now === undefined ? 'is gone' : `was ${type} and is ${now.type} now`
    const message = `params.${name} ${change}, and environments or tenants may override it`
    return [{ path: `params.${name}`, message, fix: `keep the param as it was, or ${publish}` }]
  })

/** The schema of the output as far as it is known; `true` where it is not. */
const outputOf = (from: FlowTree | Plan): JsonSchema => {
  const steps = outputsOf(from)
  const { output } = from
  if (output === undefined) return [...steps.values()].at(-1) ?? true
  return schemaOf(output, (path) => schemaAt(path, { steps, input: from.input }))
}

/** What each step of the flow returns, by name, in order. */
const outputsOf = (from: FlowTree | Plan): ReadonlyMap<string, JsonSchema> => {
  if ('steps' in from) return new Map(from.steps.map(({ name, returns }) => [name ?? '', returns ?? true]))
  return new Map(
    (from.blocks[from.entry] ?? []).map((id) => {
      const node = from.nodes[id]
      return [node?.name ?? id, node?.returns ?? true]
    }),
  )
}

const isSchema = (value: Json | undefined): value is JsonSchema => typeof value === 'boolean' || isJsonObject(value)

type Value = ValueTree | ValueExpr

const schemaOf = (value: Value, at: (cel: string) => JsonSchema): JsonSchema => {
  if ('expr' in value) return at(value.expr.cel)
  if ('cel' in value) return at(value.cel)
  if ('lit' in value) return { const: value.lit }
  if ('list' in value) return { type: 'array' }
  const fields: readonly (readonly [string, Value])[] = isEntries(value.object) ? value.object : Object.entries(value.object)
  const properties = Object.fromEntries(fields.map(([name, field]) => [name, schemaOf(field, at)]))
  return { type: 'object', properties, required: fields.map(([name]) => name) }
}

const isEntries = (
  object: readonly (readonly [string, ValueTree])[] | { readonly [key: string]: ValueExpr },
): object is readonly (readonly [string, ValueTree])[] => Array.isArray(object)

const PATH = /^[A-Za-z_]\w{0,63}(?:\.[A-Za-z_]\w{0,63}){0,10}$/
type Known = { readonly steps: ReadonlyMap<string, JsonSchema>; readonly input: JsonSchema }

/** The schema behind a path like `answer.text`; `true` for everything that has to be computed. */
const schemaAt = (cel: string, { steps, input }: Known): JsonSchema => {
  if (!PATH.test(cel)) return true
  const [root = '', ...keys] = cel.split('.')
  let schema: JsonSchema = root === 'input' ? input : (steps.get(root) ?? true)
  for (const key of keys) {
    const properties = isJsonObject(schema) ? schema['properties'] : undefined
    const field = isJsonObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined
    schema = isSchema(field) ? field : true
  }
  return schema
}

/** What was promised, without what is not known of the new output: what cannot be compared is not called a break. */
const openOf = (before: JsonSchema, after: JsonSchema): JsonSchema => {
  if (after === true || !isJsonObject(before)) return true
  const properties = before['properties']
  const now = isJsonObject(after) && isJsonObject(after['properties']) ? after['properties'] : {}
  if (!isJsonObject(properties)) return literalType(before)
  const open = Object.entries(properties).map(([name, field]) => {
    const own = Object.hasOwn(now, name) ? now[name] : undefined
    return [name, isSchema(field) && isSchema(own) ? openOf(field, own) : field] as const
  })
  return { ...before, properties: Object.fromEntries(open) }
}

/** A literal promises its type: another text in its place is what a new version is for. */
const literalType = (schema: JsonSchema): JsonSchema => {
  if (!isJsonObject(schema) || !Object.hasOwn(schema, 'const') || Object.hasOwn(schema, 'type')) return schema
  const { const: value } = schema
  if (value === null || value === undefined || typeof value === 'object') return true
  return { type: typeof value }
}

/** The field in the file: below its section, or the section, or the flow. */
const placeOf = (path: string, at: Span): Span => {
  const { source } = at
  const [section = '', ...keys] = path.replaceAll('[]', '').split('.')
  const start = new RegExp(`^${section}:`, 'm').exec(source.text)?.index
  if (start === undefined) return at
  const rest = source.text.slice(start + section.length + 1)
  const end = start + section.length + 1 + (/^\S/m.exec(rest)?.index ?? rest.length)
  const name = keys.at(-1)
  const found = name === undefined ? -1 : source.text.slice(start, end).search(new RegExp(`\\b${name.replace(/\W/g, '.')}\\b\\s*["']?:`))
  return { source, start: start + Math.max(0, found), end }
}
