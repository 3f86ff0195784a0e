// Steps that are made of others, wait, or speak to the world: how each kind begins, and what becomes of its parts.
import type { FaultData } from '@baton/contracts/fault'
import type { ComposedNode, PlanNode } from '@baton/flow/plan'
import type { Entry } from '../state.ts'
import { agentFrameEnded, beginAgent } from './agent.ts'
import { beginChild } from './child-run.ts'
import { countFrom } from './caps.ts'
import { emitEvent } from './emit.ts'
import { closeFrame, placeOf } from './frames.ts'
import { itemsIn } from './scope.ts'
import { beginGroup, endPart, type Judge, type Shape } from './group.ts'
import { beginLoop, endRound } from './loop.ts'
import { mapJudge, mapShape } from './map.ts'
import { parallelJudge, parallelShape } from './parallel.ts'
import { guarded } from './settle.ts'
import { startTime } from './step-time.ts'
import { beginTeam, teamMemberEnded } from './team.ts'
import type { Place, Report, Turn } from './turn.ts'
import { closeUndo, failUndo } from './undo.ts'
import { voteJudge, voteShape } from './vote.ts'
import { beginEventWait, beginWait } from './waits.ts'
import { failStep } from './failure.ts'

/** Begins a step. What can be said at once is said at once: a wait for an event that is there ends here. */
export const beginComposed = (turn: Turn, place: Place, node: ComposedNode): void => {
  countFrom(turn, place)
  startTime(turn, place, node)
  switch (node.kind) {
    case 'parallel':
    case 'vote':
      beginGroup(turn, place, { total: partsOf(node), ...kindOf(turn, place, node) })
      return
    case 'map':
      beginMap(turn, place, node)
      return
    case 'loop':
      beginLoop(turn, place, node)
      return
    case 'wait':
      beginWait(turn, place, node)
      return
    case 'event':
      beginEventWait(turn, place, node)
      return
    case 'emit':
      emitEvent(turn, place, node)
      return
    case 'flow':
      beginChild(turn, place, node)
      return
    case 'agent':
      beginAgent(turn, place, node)
      return
    case 'team':
      beginTeam(turn, place, node)
  }
}

type GroupNode = PlanNode & { readonly kind: 'parallel' | 'map' | 'vote' }

const partsOf = (node: PlanNode & { readonly kind: 'parallel' | 'vote' }): number =>
  node.kind === 'parallel' ? node.branches.length : node.voters.length

const beginMap = (turn: Turn, place: Place, node: PlanNode & { readonly kind: 'map' }): void => {
  const total = itemsIn(turn, turn.program.plan, place.frame, node).length
  if (total <= node.max) beginGroup(turn, place, { total, ...kindOf(turn, place, node) })
  else {
    failStep(turn, place.key, {
      code: 'limit.items_exceeded',
      message: `${node.id} has ${total} items, and may have ${node.max}`,
      detail: { node: node.id, items: total },
    })
  }
}

const kindOf = (turn: Turn, place: Place, node: GroupNode): { readonly shape: Shape; readonly judge: Judge } => {
  switch (node.kind) {
    case 'parallel':
      return { shape: parallelShape(place, node), judge: parallelJudge(node) }
    case 'map':
      return { shape: mapShape(place, node), judge: mapJudge(node) }
    case 'vote':
      return { shape: voteShape(place, node), judge: voteJudge(turn, place, node) }
  }
}

/** A part has ended: the step it belongs to says what that means. */
export const takeReport = (turn: Turn, { key, frame, came }: Report): void => {
  const { owner, use, part = 0 } = frame
  if (use === 'undo') {
    if ('by' in came) closeUndo(turn, key)
    else failUndo(turn, key, came)
    return
  }
  const place = owner === null ? undefined : placeOf(turn, owner.frame)
  if (place === undefined) closeFrame(turn.run, key)
  else if (use === 'member') teamMemberEnded(turn, place, { key, frame }, came)
  else if (use === 'turn' || use === 'call') agentFrameEnded(turn, place, { key, frame }, came)
  else endOfPart(turn, place, part, came)
}

const endOfPart = (turn: Turn, place: Place, number: number, came: Entry | FaultData): void => {
  const { node } = place
  if (node.kind === 'parallel' || node.kind === 'map' || node.kind === 'vote')
    endPart(turn, place, { number, came }, kindOf(turn, place, node))
  else if (node.kind === 'loop' && 'by' in came) guarded(turn, place.key, () => endRound(turn, place, node, { number, entry: came }))
}
