// Taking effects back (A12, saga): in reverse order, when the run fails or is called off.
//   U1. What has its output can be taken back, whatever its gate made of it; each effect once, also those of one step asked again.
//   U2. What an undo needs is kept when the effect was made: the frame it was made in may be gone.
//   U3. An undo that fails does not keep the others from running, and is named in the result.
//   U4. The run ends as it was going to, with the fault it had.
import type { FaultData } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { Entry } from '../state.ts'
import { grantGrace } from './clock.policy.ts'
import { end } from './ending.ts'
import { degrade } from './degrade.ts'
import { NOBODY } from './frame-keys.ts'
import { giveUp, giveUpBelow, openFrame, placeOf, usedBy } from './frames.ts'
import { scopeOf } from './scope.ts'
import { journal, transition, type Place, type Turn } from './turn.ts'

/** Effects that one run can take back; the oldest beyond are not. */
const UNDOS_MAX = 1_000

/** Keeps how to take back what a step did. U1, U2. */
export const rememberUndo = (turn: Turn, { frame, node, path }: Place, it: Entry): void => {
  if (node.undo === undefined || turn.run.undoing !== undefined) return
  const { steps } = scopeOf(turn, turn.program.plan, frame)
  const seen = node.undo.sees.flatMap((name): [string, Json][] => {
    const value = name === node.name ? it.output : steps[name]
    return value === undefined ? [] : [[name, value]]
  })
  const undos = (turn.run.undos ??= [])
  undos.push({ nodeId: node.id, path, block: node.undo.block, it, sees: Object.fromEntries(seen) })
  if (undos.length > UNDOS_MAX) undos.shift()
}

/** Opens the undo of the newest effect; the run ends when there is none left. */
export const nextUndo = (turn: Turn): void => {
  const { run } = turn
  const undo = run.undos?.pop()
  if (undo === undefined) {
    endUndoing(turn)
    return
  }
  grantGrace(run, turn.atMs)
  if (run.undoing !== undefined) run.undoing = { ...run.undoing, sinceMs: turn.atMs }
  const path = `undo/${undo.path}`
  journal(turn, { name: 'journal.step.opened', data: { ...transition(turn), path, nodeId: undo.nodeId, kind: 'undo' } })
  openFrame(run, path, {
    block: undo.block,
    owner: { frame: NOBODY, nodeId: undo.nodeId, path, prefix: `${undo.nodeId}/undo` },
    use: 'undo',
    it: undo.it,
    bound: undo.sees,
    ...(run.undoing?.used?.[path] === undefined ? {} : { usedBefore: run.undoing.used[path] }),
    ...(run.undoing === undefined ? {} : { fault: run.undoing.fault }),
  })
}

/** An effect is taken back. */
export const closeUndo = (turn: Turn, key: string): void => {
  const ended = endOf(turn, key)
  if (ended !== undefined) journal(turn, { name: 'journal.step.completed', data: { ...ended, by: 'undo' } })
  leave(turn, key)
  nextUndo(turn)
}

/** An effect could not be taken back. U3. */
export const failUndo = (turn: Turn, key: string, fault: FaultData): void => {
  const ended = endOf(turn, key)
  if (ended !== undefined) journal(turn, { name: 'journal.step.failed', data: { ...ended, fault } })
  degrade(turn, fault)
  leave(turn, key)
  nextUndo(turn)
}

/** The same step may have had its effect again before it was good enough: each is taken back by attempts and under a key of its own. */
const leave = (turn: Turn, key: string): void => {
  const { run } = turn
  const frame = run.frames[key]
  const again = run.undos?.some(({ path }) => `undo/${path}` === key) === true
  // Whatever is open below hands its numbers to the frame before it goes.
  const place = placeOf(turn, key)
  if (place !== undefined) giveUpBelow(turn, place)
  if (again && frame !== undefined && run.undoing !== undefined)
    run.undoing = { ...run.undoing, used: { ...run.undoing.used, [key]: usedBy(frame) } }
  giveUp(turn, key)
}

const endOf = (turn: Turn, path: string) => {
  const { frames, undoing } = turn.run
  const owner = frames[path]?.owner
  if (owner === undefined || owner === null || undoing === undefined) return undefined
  return { ...transition(turn), path, nodeId: owner.nodeId, kind: 'undo' as const, attempt: 1, dispatchedAtMs: undoing.sinceMs }
}

/** U4. */
export const endUndoing = (turn: Turn): void => {
  const { undoing } = turn.run
  if (undoing !== undefined) end(turn, undoing)
}
