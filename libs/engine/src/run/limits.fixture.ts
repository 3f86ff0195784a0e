import type { PlanNode } from '@baton/flow/plan'
import { isWork } from './work-node.ts'
import { dispatchBoundMs as boundOf } from './lease.policy.ts'

export { HANDLER_GRACE_MS } from './clock.policy.ts'
export { LEASE_SLACK_MS, REVIEW_SLACK_MS, TRY_TIMEOUT_MS } from './lease.policy.ts'
/** The bound of a node that must be there. */
export const dispatchBoundMs = (node: PlanNode | undefined): number => {
  if (node === undefined || !isWork(node)) throw new Error('no such node')
  return boundOf(node)
}
