// The same block for each item of a list (A4). The output is the list of what came out, in the order of the items.
import type { Json } from '@baton/contracts/json'
import type { PlanNode } from '@baton/flow/plan'
import type { Group } from '../state.ts'
import { WAIT, type Judge, type Shape, type Verdict } from './group.ts'
import { faultsOf } from './parallel.ts'
import type { Place } from './turn.ts'

type MapNode = PlanNode & { readonly kind: 'map' }

export const mapShape = ({ path, node }: Place, { each, concurrency, chunk }: MapNode): Shape => ({
  concurrency,
  chunk,
  part: (number) => ({ block: each, path: `${path}[${number}]`, prefix: `${node.id}/each` }),
})

export const mapJudge =
  (node: MapNode): Judge =>
  (group): Verdict => {
    const [fault] = faultsOf(group)
    if (fault !== undefined && node.onFailure === 'fail') return { is: 'failed', fault }
    if (group.succeeded + group.failed < group.total) return WAIT
    return { is: 'done', entry: { output: listed(node, group), by: 'map' } }
  }

const listed = ({ onFailure }: MapNode, { outputs, faults }: Group): Json => {
  const items = outputs.map((entry) => entry?.output ?? null)
  if (onFailure !== 'collect') return items
  return { items, failures: Object.entries(faults).map(([index, { code, message }]) => ({ index: Number(index), code, message })) }
}
