// Frames: opening and closing blocks, moving along them, and what their expressions see.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { PayloadRef } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { Scope } from '@baton/flow/program'
import type { Entry, Frame, Nested, OpenRun } from '../state.ts'
import type { Place, Turn } from './turn.ts'

/** Key of the flow's own frame. */
export const ROOT = ''
/** Key of the frame of the flow's error handler. Paths never begin with a dollar sign. */
export const HANDLER = '$onError'
/** Output of a step that was skipped or has none. */
export const NOTHING: Entry = { output: null, by: 'nobody' }

const NONE = [0, 0] as const

/** The node a frame stands at; undefined behind the end of its block. Throws `flow.invalid` when the plan lacks the node. */
export const placeOf = (turn: Turn, key: string): Place | undefined => {
  const frame = turn.run.frames[key]
  if (frame === undefined) return undefined
  const node = nodeAt(turn.program.plan, frame)
  return node === undefined ? undefined : { key, frame, node, path: pathOf(frame, node) }
}

const nodeAt = (plan: Plan, frame: Frame): PlanNode | undefined => {
  const id = plan.blocks[frame.block]?.[frame.at]
  if (id === undefined) return undefined
  const node = plan.nodes[id]
  if (node === undefined) throw new Fault('flow.invalid', `the plan has no node ${id}`, { node: id })
  return node
}

/** The static path below the owner, put behind the owner's own path; the two are the same until an owner repeats its block. */
const pathOf = ({ owner }: Frame, node: PlanNode): string => {
  if (owner === null || owner.path === owner.nodeId) return node.id
  return node.id.startsWith(`${owner.nodeId}/`) ? owner.path + node.id.slice(owner.nodeId.length) : `${owner.path}/${node.id}`
}

/** Opens the flow itself or its error handler. */
export const openOwnFrame = (run: OpenRun, use: 'flow' | 'handler', block: number): void => {
  const key = use === 'flow' ? ROOT : HANDLER
  const handled = use === 'handler' && run.failing !== null ? { fault: run.failing } : {}
  run.frames[key] = {
    block,
    owner: null,
    use,
    at: 0,
    visit: null,
    steps: {},
    last: null,
    used: {},
    usedBelow: {},
    usedBefore: NONE,
    ...handled,
  }
  run.ready.push(key)
}

/** Opens a block in place of the node that a frame stands at. What a gate or a handler looks at is seen in it. */
export const openNested = (turn: Turn, place: Place, block: number, nested: Nested, it?: Entry): void => {
  const { frame, node, path } = place
  const visit = (frame.visit ??= { call: 0, activity: { is: 'due' } })
  visit.activity = nested
  const inherited = it ?? frame.it
  const fault = nested.fault ?? frame.fault
  turn.run.frames[path] = {
    block,
    owner: { frame: place.key, nodeId: node.id, path },
    use: nested.use,
    at: 0,
    visit: null,
    steps: {},
    last: null,
    used: {},
    usedBelow: {},
    usedBefore: frame.usedBelow[node.id] ?? NONE,
    ...(inherited === undefined ? {} : { it: inherited }),
    ...(fault === undefined ? {} : { fault }),
  }
  turn.run.ready.push(path)
}

/** Closes a frame and hands what it used to its owner, so that a later execution gives new ids. */
export const closeFrame = (run: OpenRun, key: string): void => {
  const frame = run.frames[key]
  if (frame === undefined) return
  delete run.frames[key]
  const { owner } = frame
  const ownerFrame = owner === null ? undefined : run.frames[owner.frame]
  if (owner === null || ownerFrame === undefined) return
  let [attempts, calls] = frame.usedBefore
  for (const used of [...Object.values(frame.used), ...Object.values(frame.usedBelow)]) {
    attempts = Math.max(attempts, used[0])
    calls = Math.max(calls, used[1])
  }
  ownerFrame.usedBelow[owner.nodeId] = [attempts, calls]
}

/** The step has its output; the frame moves on. */
export const accept = (turn: Turn, { key, frame, node }: Place, entry: Entry): void => {
  if (node.name !== null) {
    frame.steps[node.name] = entry
    const view = views.get(frame)
    if (view !== undefined) view[node.name] = viewOf(entry)
  }
  frame.last = entry
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

// What expressions see is kept beside the state, not in it: it follows from the state, and would double its size.
const views = new WeakMap<Frame, Record<string, Json>>()
const runViews = new WeakMap<OpenRun, { readonly input: Json; readonly run: Json }>()

/** Scope of the expressions of a place; `it` is the output a gate looks at. */
export const scopeOf = ({ run }: Turn, plan: Plan, frame: Frame, it?: Entry): Scope => {
  const looked = it ?? frame.it
  const own = runViews.get(run) ?? runView(run)
  return {
    input: own.input,
    params: run.pinned.params,
    run: own.run,
    steps: stepsOf(run, plan, frame),
    ...(looked === undefined ? {} : { it: contentOf(looked) }),
    ...(frame.fault === undefined ? {} : { fault: frame.fault }),
  }
}

const stepsOf = (run: OpenRun, plan: Plan, frame: Frame): Record<string, Json> => {
  const known = views.get(frame)
  if (known !== undefined) return known
  // The owner waits while this block runs, so what it sees cannot change under it.
  const around = frameAround(run, frame)
  const view: Record<string, Json> = around === undefined ? {} : { ...stepsOf(run, plan, around) }
  for (const id of plan.blocks[frame.block] ?? []) setStep(view, plan.nodes[id], NOTHING)
  if (frame.owner !== null && frame.use === 'gate' && frame.it !== undefined) setStep(view, plan.nodes[frame.owner.nodeId], frame.it)
  for (const [name, entry] of Object.entries(frame.steps)) view[name] = viewOf(entry)
  views.set(frame, view)
  return view
}

/** The frame whose steps a frame sees as well. */
const frameAround = (run: OpenRun, { owner, use }: Frame): Frame | undefined =>
  owner === null ? (use === 'handler' ? run.frames[ROOT] : undefined) : run.frames[owner.frame]

const setStep = (view: Record<string, Json>, node: PlanNode | undefined, entry: Entry): void => {
  if (node !== undefined && node.name !== null) view[node.name] = viewOf(entry)
}

const runView = (run: OpenRun): { readonly input: Json; readonly run: Json } => {
  const { input, inputRef, requestId, source, flow, version, priority, labels, session, user, startedAtMs } = run.pinned
  const about = { id: run.runId, requestId, source, tenant: run.tenant, flow, version, priority, labels, startedAtMs }
  const view = {
    input: inputRef === undefined ? input : { ...(isJsonObject(input) ? input : {}), $payload: refView(inputRef) },
    run: { ...about, session: session ?? null, user: user?.id ?? null },
  }
  runViews.set(run, view)
  return view
}

const refView = ({ sha256, sizeBytes, mediaType }: PayloadRef): Json => ({ sha256, sizeBytes, mediaType })

/** An output as a gate sees it: what a person approves is this, and nothing added. */
const contentOf = ({ output, ref }: Entry): Json =>
  ref === undefined ? output : { ...(isJsonObject(output) ? output : {}), $payload: refView(ref) }

/** An output as expressions see it under the name of its step: `by` added to objects, `$payload` where the whole is in the payload store. */
const viewOf = (entry: Entry): Json => {
  const content = contentOf(entry)
  return isJsonObject(content) ? { ...content, by: entry.by } : content
}
