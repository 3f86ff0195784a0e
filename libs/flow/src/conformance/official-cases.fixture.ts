// The official conformance cases of CEL, as far as JSON can say them.
//   C1. A case counts when its bindings and its result are JSON and its expression names no protobuf message, bytes or uint.
//   C2. Extensions that flows do not offer are counted apart, never as passed.
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js'
import type { Json } from '@baton/contracts/json'
import type { CelInput } from '@bufbuild/cel'

export type OfficialCase = {
  readonly section: string
  /** `section/suite/name`, unique. */
  readonly id: string
  readonly expression: string
  readonly bindings: { readonly [name: string]: Json }
  /** The same bindings with CEL's own types, for the reference. */
  readonly typed: { readonly [name: string]: CelInput }
  /** Absent: the evaluation must fail. */
  readonly expected?: Json
}

export type Selection = {
  readonly cases: readonly OfficialCase[]
  /** Cases that JSON cannot say, by section. */
  readonly outside: ReadonlyMap<string, number>
  /** Cases of extensions that flows do not offer, by section. */
  readonly notOffered: ReadonlyMap<string, number>
}

type Value = { readonly [kind: string]: unknown }
type Original = {
  readonly name?: string
  readonly expr: string
  readonly value?: Value
  readonly evalError?: unknown
  readonly bindings?: { readonly [name: string]: { readonly value?: Value } }
  readonly container?: string
  readonly typedResult?: unknown
  readonly checkOnly?: boolean
}
type Suite = { readonly name: string; readonly suites?: readonly Suite[]; readonly tests?: readonly { readonly original: Original }[] }

/** Extensions of the language that are libraries of their own (C2). */
const EXTENSIONS = new Set([
  'bindings_ext',
  'block_ext',
  'encoders_ext',
  'math_ext',
  'network_ext',
  'optionals',
  'proto2_ext',
  'string_ext',
])
/** Sections that are about protobuf alone. */
const PROTOBUF = new Set(['dynamic', 'enums', 'fields', 'proto2', 'proto3', 'wrappers', 'type_deductions'])
/** Protobuf messages, bytes, uint and the types of types: nothing that JSON has. */
const BEYOND_JSON =
  /\bb'|\bb"|\br?b"""|\d[uU]\b|\bbytes\(|\buint\(|google\.protobuf|TestAllTypes|GlobalEnum|\btype\(|\bcel\.expr|[^\w]proto[23]?\./i

/** Reads the cases of a section each. */
export const selectCases = (): Selection => {
  const cases = new Map<string, OfficialCase>()
  const outside = new Map<string, number>()
  const notOffered = new Map<string, number>()
  for (const { path, original } of flatten(tests as Suite, [])) {
    const section = path[1] ?? ''
    const found = EXTENSIONS.has(section) || PROTOBUF.has(section) ? undefined : caseOf(path, original)
    const counts = EXTENSIONS.has(section) ? notOffered : outside
    if (found === undefined) counts.set(section, (counts.get(section) ?? 0) + 1)
    else cases.set(cases.has(found.id) ? `${found.id}#${cases.size}` : found.id, found)
  }
  return { cases: [...cases].map(([id, found]) => ({ ...found, id })), outside, notOffered }
}

const flatten = (suite: Suite, above: readonly string[]): readonly { path: readonly string[]; original: Original }[] => {
  const path = [...above, suite.name]
  return [
    ...(suite.tests ?? []).map(({ original }) => ({ path, original })),
    ...(suite.suites ?? []).flatMap((below) => flatten(below, path)),
  ]
}

const isBeyondJson = ({ expr, container, typedResult, checkOnly }: Original): boolean =>
  container !== undefined || typedResult !== undefined || checkOnly === true || BEYOND_JSON.test(expr)

const caseOf = (path: readonly string[], original: Original): OfficialCase | undefined => {
  const { name, expr, value, evalError, bindings = {} } = original
  if (isBeyondJson(original)) return undefined
  const given = Object.entries(bindings).map(([key, binding]) => [key, jsonOf(binding.value), typedOf(binding.value)] as const)
  const expected = evalError === undefined ? (value === undefined ? true : jsonOf(value)) : undefined
  if (given.some(([, json]) => json === undefined) || (evalError === undefined && expected === undefined)) return undefined
  return {
    section: path[1] ?? '',
    id: [...path.slice(1), name ?? expr].join('/'),
    expression: expr,
    bindings: Object.fromEntries(given.map(([key, json]) => [key, json ?? null])),
    typed: Object.fromEntries(given.map(([key, , typed]) => [key, typed ?? null])),
    ...(expected === undefined ? {} : { expected }),
  }
}

/** A value of the cases as JSON; undefined where JSON has no such value (C1). */
const jsonOf = (value: Value | undefined): Json | undefined => {
  const [kind = '', held] = Object.entries(value ?? {})[0] ?? []
  return JSON_OF[kind]?.(held)
}

const finite = (held: unknown): number | undefined => (Number.isFinite(Number(held)) ? Number(held) : undefined)
const JSON_OF: Readonly<Record<string, (held: unknown) => Json | undefined>> = {
  int64Value: (held) => (Number.isSafeInteger(Number(held)) ? Number(held) : undefined),
  doubleValue: finite,
  stringValue: (held) => (typeof held === 'string' ? held : undefined),
  boolValue: (held) => held === true,
  nullValue: () => null,
  listValue: (held) => listOf(held),
  mapValue: (held) => mapOf(held),
}

const listOf = (held: unknown): Json | undefined => {
  const items = (((held ?? {}) as { values?: readonly Value[] }).values ?? []).map(jsonOf)
  return items.every((item) => item !== undefined) ? items : undefined
}

type Entry = { readonly key: Value; readonly value: Value }
const entriesOf = (held: unknown): readonly Entry[] => ((held ?? {}) as { entries?: readonly Entry[] }).entries ?? []

const mapOf = (held: unknown): Json | undefined => {
  const entries = entriesOf(held).map(({ key, value }) => [key['stringValue'], jsonOf(value)] as const)
  if (entries.some(([key, item]) => typeof key !== 'string' || item === undefined)) return undefined
  return Object.fromEntries(entries.map(([key, item]) => [String(key), item ?? null]))
}

const typedOf = (value: Value | undefined): CelInput | undefined => {
  const [kind, held] = Object.entries(value ?? {})[0] ?? []
  if (kind === 'int64Value') return BigInt(String(held))
  if (kind === 'listValue') return (((held ?? {}) as { values?: readonly Value[] }).values ?? []).map((item) => typedOf(item) ?? null)
  if (kind === 'mapValue') return new Map(entriesOf(held).map((entry) => [String(entry.key['stringValue']), typedOf(entry.value) ?? null]))
  return jsonOf(value) as CelInput | undefined
}
