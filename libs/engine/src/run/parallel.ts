// Branches side by side (A3). The output has a field for each branch; what is missing is null.
import type { FaultData } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { PlanNode } from '@baton/flow/plan'
import type { Group } from '../state.ts'
import { WAIT, type Judge, type Shape, type Verdict } from './group.ts'
import { joinState } from './join.policy.ts'
import type { Place } from './turn.ts'

type ParallelNode = PlanNode & { readonly kind: 'parallel' }

export const parallelShape = ({ path, node }: Place, { branches }: ParallelNode): Shape => ({
  concurrency: branches.length,
  chunk: 1,
  part: (number) => ({ block: branches[number]?.block ?? -1, path, prefix: node.id }),
})

export const parallelJudge =
  (node: ParallelNode): Judge =>
  (group): Verdict => {
    const state = joinState(node, group)
    if (state === 'wait') return WAIT
    if (state === 'reached') return { is: 'done', entry: { output: joined(node, group), by: 'parallel' } }
    const [fault] = faultsOf(group)
    if (state === 'failed' && fault !== undefined) return { is: 'failed', fault }
    return {
      is: 'failed',
      fault: {
        code: 'join.impossible',
        message: `${group.failed} of ${group.total} branches of ${node.id} failed${fault === undefined ? '' : `, the first with ${fault.code}: ${fault.message}`}`,
        detail: { node: node.id, failed: group.failed, ...(fault === undefined ? {} : { fault: fault.code }) },
      },
    }
  }

/** Faults of the parts, by their number. */
export const faultsOf = ({ faults }: Group): readonly FaultData[] => Object.values(faults)

const joined = ({ branches, onFailure }: ParallelNode, { outputs, faults }: Group): Json => {
  const output: Record<string, Json> = Object.fromEntries(branches.map(({ name }, number) => [name, outputs[number]?.output ?? null]))
  if (onFailure !== 'collect') return output
  const failures = branches.flatMap(({ name }, number): Json[] => {
    const fault = faults[number]
    return fault === undefined ? [] : [{ branch: name, code: fault.code, message: fault.message }]
  })
  return { ...output, failures }
}
