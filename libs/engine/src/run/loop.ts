// The same block again and again (A9), with a cap. `it` is what the round before gave, null in the first.
import type { PlanNode } from '@baton/flow/plan'
import type { Entry } from '../state.ts'
import { failStep } from './failure.ts'
import { keepUsed, openNested } from './frames.ts'
import { finishComposed } from './settle.ts'
import { NOTHING, scopeOf } from './scope.ts'
import { journal, stepTransition, type Place, type Turn } from './turn.ts'

type LoopNode = PlanNode & { readonly kind: 'loop' }

export const beginLoop = (turn: Turn, place: Place, node: LoopNode): void => {
  const { visit } = place.frame
  keepUsed(place.frame, place.node.id)
  if (visit !== null) visit.sinceMs = turn.atMs
  journal(turn, { name: 'journal.step.opened', data: stepTransition(turn, place) })
  openRound(turn, place, node, 0, NOTHING)
}

const openRound = (turn: Turn, place: Place, { id, body }: LoopNode, number: number, it: Entry): void =>
  openNested(
    turn,
    place,
    body,
    { is: 'nested', use: 'round', after: 'next', number },
    { it, owner: { path: `${place.path}[${number}]`, prefix: `${id}/do` } },
  )

/** A round has its output: it is good, it was the last, or there is another. */
export const endRound = (turn: Turn, place: Place, node: LoopNode, { number, entry }: { number: number; entry: Entry }): void => {
  const good = node.until !== undefined && isGood(turn, place, node.until, { number, entry })
  const last = number + 1 >= node.max
  if (!good && !last) openRound(turn, place, node, number + 1, entry)
  else if (good || node.until === undefined || node.onLimit === undefined) finishComposed(turn, place, entry)
  else {
    failStep(turn, place.key, {
      code: 'limit.rounds_exceeded',
      message: `${node.id} is not done after ${node.max} rounds`,
      detail: { node: node.id, rounds: node.max },
    })
  }
}

const isGood = (turn: Turn, { frame }: Place, until: string, { number, entry }: { number: number; entry: Entry }): boolean => {
  const { program } = turn
  const scope = scopeOf(turn, program.plan, frame, entry)
  return program.test(until, { ...scope, steps: { ...scope.steps, index: number } })
}
