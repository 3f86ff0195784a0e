// When a parallel step has what it waits for (A3).
//   J1. `all` waits for every branch, `any` for the first that ends, `first` for the first that succeeds, a quorum for that many.
//   J2. Where a join can still be reached, a failed branch changes nothing; where it cannot, the step fails at once.
import type { JoinSpec, OnFailure } from '@baton/flow/plan'

export type Tally = { readonly total: number; readonly succeeded: number; readonly failed: number }

/** `failed`: the step fails with the fault of a branch. `impossible`: too many failed for the join. */
export const joinState = (
  { join, onFailure }: { readonly join: JoinSpec; readonly onFailure: OnFailure },
  tally: Tally,
): 'wait' | 'reached' | 'failed' | 'impossible' => {
  const { total, succeeded, failed } = tally
  const left = total - succeeded - failed
  switch (join.join) {
    case 'all':
      if (failed > 0 && onFailure === 'fail') return 'failed'
      return left === 0 ? 'reached' : 'wait'
    case 'any':
      if (failed > 0 && succeeded === 0 && onFailure === 'fail') return 'failed'
      return succeeded + failed > 0 ? 'reached' : 'wait'
    case 'first':
      if (succeeded > 0) return 'reached'
      return left === 0 ? 'impossible' : 'wait'
    case 'quorum':
      if (succeeded >= join.quorum) return 'reached'
      return succeeded + left < join.quorum ? 'impossible' : 'wait'
  }
}
