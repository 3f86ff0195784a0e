// Frames: opening and closing blocks, and moving along them.
import { Fault, type FaultData } from '@baton/contracts/fault'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { Entry, Frame, Nested, OpenRun, Owner, Visit } from '../state.ts'
import { asideNode, asidePath } from './aside.policy.ts'
import { HANDLER, partKey, ROOT } from './frame-keys.ts'
import { letGo } from './letting-go.ts'
import { ownNode } from './own-work.ts'
import { addToBuffer } from './buffers.ts'
import { seeOutput } from './scope.ts'
import type { Place, Turn } from './turn.ts'
import { forgetTime } from './watch.ts'

const NONE = [0, 0] as const

/** The node a frame stands at; undefined behind the end of its block. Throws `flow.invalid` when the plan lacks the node. */
export const placeOf = (turn: Turn, key: string): Place | undefined => {
  const frame = turn.run.frames[key]
  if (frame === undefined) return undefined
  const node = nodeAt(turn.program.plan, frame)
  return node === undefined ? undefined : { key, frame, node, path: pathOf(frame, node) }
}

/** What is asked for at a place right now: the step's own work, or what is asked beside it. */
export const toldPlace = (place: Place): Place => {
  const aside = place.frame.visit?.aside
  return aside === undefined ? place : { ...place, node: asideNode(place.node, aside), path: asidePath(place.path, aside) }
}

const nodeAt = (plan: Plan, frame: Frame): PlanNode | undefined => {
  if (frame.work !== undefined) return frame.at === 0 ? ownNode(plan, frame, frame.work) : undefined
  const id = plan.blocks[frame.block]?.[frame.at]
  if (id === undefined) return undefined
  const node = plan.nodes[id]
  if (node === undefined) throw new Fault('flow.invalid', `the plan has no node ${id}`, { node: id })
  return node
}

/** The static path below the owner, put behind the owner's own path. What an agent falls back to has its id elsewhere, and runs in many places. */
const pathOf = ({ owner, work }: Frame, node: PlanNode): string => {
  if (owner === null) return node.id
  const { path, prefix = owner.nodeId } = owner
  if (work !== undefined) return path
  if (node.id === prefix) return path
  return node.id.startsWith(`${prefix}/`) ? path + node.id.slice(prefix.length) : `${path}/${node.id}`
}

type NewFrame = Pick<Frame, 'block' | 'owner' | 'use'> & Partial<Pick<Frame, 'usedBefore' | 'it' | 'fault' | 'part' | 'bound' | 'work'>>

/** Opens a frame; what it does begins in this very record unless a limit stands in the way. */
export const openFrame = (run: OpenRun, key: string, frame: NewFrame): void => {
  run.frames[key] = { at: 0, visit: null, steps: {}, last: null, used: {}, usedBelow: {}, usedBefore: NONE, ...frame }
  run.ready.push(key)
}

/** Opens the flow itself or its error handler. */
export const openOwnFrame = (run: OpenRun, use: 'flow' | 'handler', block: number): void => {
  const handled = use === 'handler' && run.failing !== null ? { fault: run.failing } : {}
  openFrame(run, use === 'flow' ? ROOT : HANDLER, { block, owner: null, use, ...handled })
}

/** What a block sees of the place it runs in. */
export const inherited = (frame: Frame, own: { it?: Entry; fault?: FaultData } = {}): Pick<NewFrame, 'it' | 'fault'> => {
  const it = own.it ?? frame.it
  const fault = own.fault ?? frame.fault
  return { ...(it === undefined ? {} : { it }), ...(fault === undefined ? {} : { fault }) }
}

/** Opens a block in place of the node that a frame stands at. What a gate or a handler looks at is seen in it. */
export const openNested = (
  turn: Turn,
  place: Place,
  block: number,
  nested: Nested,
  { it, ...own }: { it?: Entry; owner?: Partial<Owner> } = {},
): void => {
  const { frame, node, path } = place
  const visit = (frame.visit ??= { call: 0, activity: { is: 'due' } })
  visit.activity = nested
  openFrame(turn.run, path, {
    block,
    owner: { frame: place.key, nodeId: node.id, path, ...own.owner },
    use: nested.use,
    usedBefore: usedEarlier(turn.run, frame, node.id),
    ...(nested.number === undefined ? {} : { part: nested.number }),
    ...inherited(frame, { ...(it === undefined ? {} : { it }), ...(nested.fault === undefined ? {} : { fault: nested.fault }) }),
  })
}

/** Numbers that earlier visits of a node gave to what it is made of, or earlier executions of the block it stands in. */
export const usedEarlier = ({ engineVersion }: OpenRun, { usedBelow, usedBefore }: Frame, nodeId: string): Used =>
  // Runs of the first engine looked at visits only (R1).
  usedBelow[nodeId] ?? (engineVersion > 1 ? usedBefore : NONE)

/** What a frame and all below it used. */
export const usedBy = (frame: Frame): Used => {
  let used: Used = frame.usedBefore
  for (const other of [...Object.values(frame.used), ...Object.values(frame.usedBelow)]) used = larger(used, other)
  return larger(used, frame.visit?.used ?? NONE)
}

type Used = readonly [attempts: number, calls: number]
const larger = (a: Used, b: Used): Used => [Math.max(a[0], b[0]), Math.max(a[1], b[1])]

/** Closes a frame and hands what it used to its owner, so that a later execution gives new ids. */
export const closeFrame = (run: OpenRun, key: string): void => {
  const frame = run.frames[key]
  if (frame === undefined) return
  delete run.frames[key]
  if (frame.visit?.untilMs !== undefined) forgetTime(run, key)
  const { owner } = frame
  const ownerFrame = owner === null ? undefined : run.frames[owner.frame]
  if (owner === null || ownerFrame === undefined) return
  const { visit } = ownerFrame
  // The paths of parts, rounds and turns are their own; only a later visit of the node gives them again.
  if (visit !== null && OWN_PATHS.has(frame.use)) visit.used = larger(visit.used ?? NONE, usedBy(frame))
  else ownerFrame.usedBelow[owner.nodeId] = usedBy(frame)
}

const OWN_PATHS: ReadonlySet<Frame['use']> = new Set(['part', 'round', 'turn', 'call', 'member'])

/** A visit of a node is over, or begins anew: what its parts used is not given again. */
export const keepUsed = (frame: Frame, nodeId: string): void => {
  const { visit } = frame
  if (visit?.used === undefined) return
  frame.usedBelow[nodeId] = larger(frame.usedBelow[nodeId] ?? NONE, visit.used)
  delete visit.used
}

/** What was asked beside the work is over: the visit is again where it was. */
export const leaveAside = (visit: Visit): void => {
  const { aside } = visit
  const guard = aside?.is === 'person' ? aside.before : aside
  if (guard?.is === 'guard' && guard.on === 'output' && guard.nested !== undefined) visit.activity = guard.nested
  delete visit.aside
}

/** The time of a step does not count any more. */
export const dropTime = (run: OpenRun, { key, frame: { visit } }: Pick<Place, 'key' | 'frame'>): void => {
  if (visit?.untilMs === undefined) return
  delete visit.untilMs
  forgetTime(run, key)
}

/** Frames that the node of a place waits for. */
const below = ({ frame, path }: Place): readonly string[] => {
  const activity = frame.visit?.activity
  switch (activity?.is) {
    case 'nested':
      return [path]
    case 'group':
      return Object.keys(activity.open).map((part) => partKey(path, part))
    case 'agent':
      return [partKey(path, 'turn'), ...activity.calls.map((_, index) => partKey(path, `call ${index}`))]
    case 'team':
      return [...activity.tasks.map((_, index) => partKey(path, `task ${index}`)), partKey(path, 'plan'), partKey(path, 'synthesis')]
    default:
      return []
  }
}

/** Gives up whatever a place waits for: frames below it, their attempts, and runs they started. */
export const giveUpBelow = (turn: Turn, place: Place): void => {
  for (const key of below(place)) giveUp(turn, key)
}

/** Gives up a frame and all below it. */
export const giveUp = (turn: Turn, key: string): void => {
  const { run } = turn
  if (run.frames[key] === undefined) return
  const place = placeOf(turn, key)
  if (place !== undefined) {
    giveUpBelow(turn, place)
    letGo(turn, toldPlace(place))
  }
  closeFrame(run, key)
}

/** The step has its output; the frame moves on. */
export const accept = (turn: Turn, { key, frame, node }: Place, entry: Entry): void => {
  if (node.name !== null) {
    frame.steps[node.name] = entry
    seeOutput(frame, node.name, entry)
  }
  frame.last = entry
  if (node.writes !== undefined) addToBuffer(turn, node.writes, entry)
  keepUsed(frame, node.id)
  dropTime(turn.run, { key, frame })
  frame.visit = null
  frame.at += 1
  turn.run.ready.push(key)
}

/** Place of a step in the block of a frame, before or behind where it stands. Throws `flow.invalid`. */
export const positionOf = (turn: Turn, frame: Frame, step: string): number => {
  const { blocks, nodes } = turn.program.plan
  const at = blocks[frame.block]?.findIndex((id) => id === step || nodes[id]?.name === step) ?? -1
  if (at < 0) throw new Fault('flow.invalid', `there is no step ${step} in this block`, { step })
  return at
}
