// Parts of a step side by side: branches, the items of a list, voters. Who has won, and what a failure means, is the business of the kind.
//   G1. At most `concurrency` parts are open; items of a chunk run one after the other.
//   G2. A part ends once: its frame is closed before what it came to is looked at.
//   G3. When the step has its output, or has failed, nothing of it is open.
import type { FaultData } from '@baton/contracts/fault'
import type { Entry, Group } from '../state.ts'
import { failStep } from './failure.ts'
import { partKey } from './frame-keys.ts'
import { closeFrame, giveUpBelow, inherited, keepUsed, openFrame, usedEarlier } from './frames.ts'
import { finishComposed, guarded } from './settle.ts'
import { journal, stepTransition, type Place, type Turn } from './turn.ts'

/** How the parts of a node run. */
export type Shape = {
  readonly concurrency: number
  readonly chunk: number
  /** Block, label of the path, and static prefix of a part. */
  readonly part: (number: number) => { readonly block: number; readonly path: string; readonly prefix: string }
}

/** What to do once a part has ended: wait for more, take an output, fail, or go on in a way of the kind's own. */
export type Verdict =
  | { readonly is: 'wait' }
  | { readonly is: 'done'; readonly entry: Entry }
  | { readonly is: 'failed'; readonly fault: FaultData }
  | { readonly is: 'then'; readonly go: () => void }
export const WAIT: Verdict = { is: 'wait' }

/** Opens the first parts. A step without parts is done at once, by what `judge` says. */
export const beginGroup = (turn: Turn, place: Place, { total, shape, judge }: { total: number; shape: Shape; judge: Judge }): void => {
  const { visit } = place.frame
  if (visit === null) return
  const group: Group = {
    is: 'group',
    total,
    open: {},
    next: 0,
    begun: 0,
    outputs: Array.from<null>({ length: total }).fill(null),
    faults: {},
    succeeded: 0,
    failed: 0,
  }
  keepUsed(place.frame, place.node.id)
  visit.activity = group
  visit.sinceMs = turn.atMs
  journal(turn, { name: 'journal.step.opened', data: { ...stepTransition(turn, place), parts: total } })
  if (total === 0) conclude(turn, place, judge(group))
  else fill(turn, place, group, shape)
}

export type Judge = (group: Group) => Verdict

/** Opens parts while there is room. G1. */
const fill = (turn: Turn, place: Place, group: Group, shape: Shape): void => {
  let room = shape.concurrency - (group.begun - group.succeeded - group.failed)
  while (room > 0 && group.next < group.total) {
    openPart(turn, place, group, shape, group.next)
    group.next += shape.chunk
    room -= 1
  }
}

const openPart = (turn: Turn, place: Place, group: Group, shape: Shape, number: number): void => {
  const { block, path, prefix } = shape.part(number)
  group.open[number] = true
  group.begun += 1
  openFrame(turn.run, partKey(place.path, number), {
    block,
    owner: { frame: place.key, nodeId: place.node.id, path, prefix },
    use: 'part',
    part: number,
    // Numbers that an earlier visit of the node gave are not given again.
    usedBefore: usedEarlier(turn.run, place.frame, place.node.id),
    ...inherited(place.frame),
  })
}

/** A part has its output, or has failed. */
export const endPart = (
  turn: Turn,
  place: Place,
  { number, came }: { number: number; came: Entry | FaultData },
  { shape, judge }: { shape: Shape; judge: Judge },
): void => {
  const group = place.frame.visit?.activity
  if (group?.is !== 'group' || group.open[number] === undefined) return
  closeFrame(turn.run, partKey(place.path, number)) // G2
  delete group.open[number]
  if ('by' in came) {
    group.outputs[number] = came
    group.succeeded += 1
  } else {
    group.faults[number] = came
    group.failed += 1
  }
  guarded(turn, place.key, () => {
    const verdict = judge(group)
    if (verdict.is !== 'wait') {
      conclude(turn, place, verdict)
      return
    }
    // The next of its chunk takes the place of the one that ended.
    const inChunk = number + 1 < group.total && (number + 1) % shape.chunk !== 0
    if (inChunk) openPart(turn, place, group, shape, number + 1)
    else fill(turn, place, group, shape)
  })
}

/** G3. */
const conclude = (turn: Turn, place: Place, verdict: Verdict): void => {
  if (verdict.is === 'wait') return
  giveUpBelow(turn, place)
  if (verdict.is === 'then') verdict.go()
  else if (verdict.is === 'failed') failStep(turn, place.key, verdict.fault)
  else finishComposed(turn, place, verdict.entry)
}
