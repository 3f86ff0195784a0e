// Which fields of each step's output later expressions read, so that a worker sends just those inline and keeps the rest in the store.
import { isJsonObject, type Json } from '@baton/contracts/json'
import { createAnalyser } from './expression.ts'
import { conditionsOf, contextValuesOf, valuesOf } from './node-expressions.ts'
import type { Plan, PlanNode } from './plan.ts'

/** For each step that is read: the paths into its output, without those that a shorter one covers. `[[]]`: all of it. */
export type ReadFields = { readonly [step: string]: readonly (readonly string[])[] }

/** The fields that the expressions of a plan read of each step. */
export const readFieldsOf = (plan: Plan): ReadFields => {
  const nodes: readonly PlanNode[] = Object.values(plan.nodes)
  const steps = new Set(nodes.flatMap(({ name }) => (name === null ? [] : [name])))
  const analyse = createAnalyser(steps)
  const found = new Map<string, Map<string, readonly string[]>>()
  const add = (step: string, path: readonly string[]): void => {
    const paths = found.get(step) ?? new Map<string, readonly string[]>()
    found.set(step, paths.set(path.join('\0'), path))
  }
  const read = (cel: string, self?: string): void => {
    const analysis = analyse(cel)
    for (const { root, keys, use } of analysis.ok ? analysis.paths : []) {
      const step = root === 'it' ? self : root
      if (step === undefined || !steps.has(step)) continue
      // The number of an item is no name of a field: the list is read. Being null is seen without reading anything.
      const end = keys.findIndex((key) => typeof key === 'number')
      if (use !== 'null' || keys.length > 0) add(step, keys.slice(0, end === -1 ? keys.length : end).map(String))
    }
  }
  for (const node of nodes) readNode(node, read)
  for (const { context } of Object.values(plan.agents ?? {})) for (const value of contextValuesOf(context)) readValue(value, read)
  if (plan.output !== undefined) readValue(plan.output, read)
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([step, paths]) => [step, shortest([...paths.values()])]))
}

type Read = (cel: string, self?: string) => void

const readNode = (node: PlanNode, read: Read): void => {
  // `it` of a gate is the output of its own step; those of votes and loops are outputs of blocks, which have no name.
  for (const { when } of node.gate ?? []) if (when !== undefined) read(when, node.name ?? undefined)
  for (const cel of conditionsOf(node)) read(cel)
  for (const value of valuesOf(node)) readValue(value, read)
}

/** Every `{ cel }` in a value; what is literal is data. */
const readValue = (value: Json, read: Read): void => {
  if (Array.isArray(value)) for (const item of value) readValue(item, read)
  if (!isJsonObject(value) || 'lit' in value) return
  if (typeof value['cel'] === 'string') read(value['cel'])
  else for (const field of Object.values(value)) readValue(field, read)
}

const shortest = (paths: readonly (readonly string[])[]): readonly (readonly string[])[] =>
  paths
    .filter((path) => !paths.some((other) => other.length < path.length && other.every((key, index) => key === path[index])))
    .toSorted((a, b) => (a.join('.') < b.join('.') ? -1 : 1))
