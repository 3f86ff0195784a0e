// Frames that belong to an agent or a team: their turns, calls and members.
import type { FaultData } from '@baton/contracts/fault'
import type { Entry, Frame } from '../state.ts'
import { agentFrameEnded } from './agent.ts'
import { teamMemberEnded } from './team.ts'
import type { Place, Turn } from './turn.ts'

/** One of them has its output, or has failed; the step it belongs to goes on. */
export const memberEnded = (
  turn: Turn,
  place: Place,
  ended: { readonly key: string; readonly frame: Frame },
  came: Entry | FaultData,
): void => {
  if (ended.frame.use === 'member') teamMemberEnded(turn, place, ended, came)
  else agentFrameEnded(turn, place, ended, came)
}
