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
  const { succeeded, failed } = tally
  switch (join.join) {
    case 'all':
      return failed > 0 && onFailure === 'fail' ? 'failed' : ended(tally, 'reached')
    case 'any':
      return anyState(onFailure, tally)
    case 'first':
      return succeeded > 0 ? 'reached' : ended(tally, 'impossible')
    case 'quorum':
      if (succeeded >= join.quorum) return 'reached'
      return tally.total - failed < join.quorum ? 'impossible' : 'wait'
  }
}

const anyState = (onFailure: OnFailure, { succeeded, failed }: Tally): 'wait' | 'reached' | 'failed' => {
  if (succeeded > 0) return 'reached'
  if (failed === 0) return 'wait'
  return onFailure === 'fail' ? 'failed' : 'reached'
}

const ended = <State extends string>({ total, succeeded, failed }: Tally, state: State): State | 'wait' =>
  succeeded + failed === total ? state : 'wait'
