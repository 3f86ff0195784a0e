// Steps that run others side by side: parallel over named branches, map over a list.
import type { JoinSpec, OnFailure } from '../plan.ts'
import { describe, type Syntax } from '../source/syntax.ts'
import type { BodyTree, BranchTree } from '../tree.ts'
import { readCount, readFields, readMarked, readText, type Fields, type ReadContext } from './context.ts'
import { checkWord, type Site } from './site.ts'

/** Keys beside `parallel` and `map`. */
export const PARALLEL_KEYS = ['join', 'onFailure']
export const MAP_KEYS = ['as', 'each', 'concurrency', 'chunk', 'max', 'onFailure']

/** `parallel: { NAME: BODY, … }` with join and onFailure. */
export const readParallel = (node: Syntax, fields: Fields, { id, context, nested }: Site): BodyTree | undefined => {
  if (node.kind !== 'map' || node.entries.length === 0) {
    context.report.add(
      node,
      'flow.wrong_type',
      `parallel is a map of branches, not ${describe(node)}`,
      'parallel: { facts: Extract the facts …, tone: Judge the tone … }',
    )
    return undefined
  }
  const join = fields.read('join', (value) => readJoin(value, node.entries.length, context)) ?? { join: 'all' }
  const onFailure = fields.read('onFailure', (value) => readOnFailure(value, context)) ?? 'fail'
  const branches = node.entries.map(({ key, keyAt, value }): BranchTree | undefined => {
    checkWord(key, { what: 'branch', at: keyAt, context })
    if (onFailure === 'collect' && key === 'failures')
      context.report.add(
        keyAt,
        'name.reserved',
        'onFailure: collect puts the failures beside the branches as "failures"',
        'failures_branch',
      )
    const block = nested.block(value, { id: `${id}/${key}`, place: 'branch' })
    return block === undefined ? undefined : { at: keyAt, name: key, block }
  })
  return { kind: 'parallel', branches: branches.filter((branch) => branch !== undefined), join, onFailure }
}

const readJoin = (node: Syntax, branches: number, context: ReadContext): JoinSpec | undefined => {
  if (node.kind === 'map') {
    const fields = readFields(node, { what: 'join', known: ['quorum'], context })
    // How many there are to join is a matter of a check: see join.impossible.
    const quorum = fields?.read('quorum', (value) => readCount(value, { what: 'quorum', min: 1, max: 10_000, context }))
    return quorum === undefined ? undefined : { join: 'quorum', quorum }
  }
  const word = node.kind === 'scalar' ? (['all', 'any', 'first'] as const).find((candidate) => candidate === node.value) : undefined
  if (word !== undefined) return { join: word }
  context.report.add(
    node,
    'flow.wrong_type',
    `join is all, any, first or { quorum: 2 }, not ${describe(node)}`,
    `join: { quorum: ${Math.min(2, branches)} }`,
  )
  return undefined
}

const readOnFailure = (node: Syntax, context: ReadContext): OnFailure | undefined => {
  const value = node.kind === 'scalar' ? node.value : undefined
  if (value === 'fail' || value === 'collect') return value
  // The word null is the null of YAML.
  if (value === null || value === 'null') return 'null'
  context.report.add(node, 'flow.wrong_type', `onFailure is fail, collect or null, not ${describe(node)}`)
  return undefined
}

/** `map: =LIST` with each, as, concurrency, chunk, max and onFailure. */
export const readMap = (node: Syntax, fields: Fields, { id, context, nested }: Site): BodyTree | undefined => {
  const over = readMarked(node, 'map', context)
  const eachNode = fields.get('each')
  if (eachNode === undefined)
    context.report.add(fields.keyAt('map'), 'flow.missing_key', 'a map needs what to do with each item', 'each: Summarise {{ item.text }}')
  const as = fields.read('as', (value) => readAs(value, context)) ?? 'item'
  const count = (key: string, max: number): number | undefined =>
    fields.read(key, (value) => readCount(value, { what: key, min: 1, max, context }))
  const limits = {
    concurrency: count('concurrency', 1_000) ?? 8,
    chunk: count('chunk', 10_000) ?? 1,
    max: count('max', 1_000_000) ?? 10_000,
  }
  const onFailure = fields.read('onFailure', (value) => readOnFailure(value, context)) ?? 'fail'
  const each = eachNode === undefined ? undefined : nested.block(eachNode, { id: `${id}/each`, place: 'each' })
  return over === undefined || each === undefined ? undefined : { kind: 'map', over, as, each, ...limits, onFailure }
}

const readAs = (node: Syntax, context: ReadContext): string | undefined => {
  const as = readText(node, 'as', context)
  if (as !== undefined && as !== 'item') checkWord(as, { what: 'item', at: node, context })
  return as
}
