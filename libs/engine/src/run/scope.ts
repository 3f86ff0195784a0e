// What expressions see at a place of the run.
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { Plan, PlanNode } from '@baton/flow/plan'
import type { Program, Scope } from '@baton/flow/program'
import type { Entry, Frame, OpenRun, Visit } from '../state.ts'
import { buffersView } from './buffers.ts'
import { leftOutView, plainContentOf, refView, tellsLeftOut } from './entry.ts'
import { ROOT } from './frame-keys.ts'
import type { Turn } from './turn.ts'

/** Output of a step that was skipped or has none. */
export const NOTHING: Entry = { output: null, by: 'nobody' }

// What expressions see is kept beside the state, not in it: it follows from the state, and would double its size.
const views = new WeakMap<Frame, Record<string, Json>>()
const runViews = new WeakMap<OpenRun, { readonly input: Json; readonly run: Json }>()

/** Scope of the expressions of a place; `it` is the output a gate looks at. */
export const scopeOf = ({ run, program }: Turn, plan: Plan, frame: Frame, it?: Entry): Scope => scopeFor(run, program, plan, frame, it)

const scopeFor = (run: OpenRun, program: Program, plan: Plan, frame: Frame, it?: Entry): Scope => {
  const looked = it ?? frame.it
  const own = runViews.get(run) ?? runView(run)
  const shared = buffersView({ run, program })
  const steps = stepsOf(run, plan, frame, program)
  if (shared !== undefined) steps['buffers'] = shared
  return {
    input: own.input,
    params: run.pinned.params,
    run: own.run,
    steps,
    ...(looked === undefined ? {} : { it: plainContentOf(looked) }),
    ...(tellsLeftOut(run, plan) ? { leftOut: leftOutSeen(run, frame, looked) } : {}),
    ...(frame.fault === undefined ? {} : { fault: frame.fault }),
  }
}

/** What did not fit the context of a step that a place sees, and of what it looks at. */
const leftOutSeen =
  (run: OpenRun, from: Frame, it: Entry | undefined) =>
  (name: string): Json | undefined => {
    if (name === 'it') return it === undefined ? undefined : leftOutView(it)
    for (let frame: Frame | undefined = from; frame !== undefined; frame = frameAround(run, frame)) {
      const entry = Object.hasOwn(frame.steps, name) ? frame.steps[name] : undefined
      if (entry !== undefined) return leftOutView(entry)
    }
    return undefined
  }

const stepsOf = (run: OpenRun, plan: Plan, frame: Frame, program: Program): Record<string, Json> => {
  const known = views.get(frame)
  if (known !== undefined) return known
  // The owner waits while this block runs, so what it sees cannot change under it.
  const around = frameAround(run, frame)
  const view: Record<string, Json> = { ...(around === undefined ? {} : stepsOf(run, plan, around, program)), ...frame.bound }
  for (const id of plan.blocks[frame.block] ?? []) setStep(view, plan.nodes[id], NOTHING)
  const { owner, use, part, it } = frame
  if (owner !== null && use === 'gate' && it !== undefined) setStep(view, plan.nodes[owner.nodeId], it)
  if (owner !== null && part !== undefined && around !== undefined)
    bindPart(view, { run, plan, program, around, node: plan.nodes[owner.nodeId], part })
  for (const [name, entry] of Object.entries(frame.steps)) view[name] = viewOf(entry)
  views.set(frame, view)
  return view
}

type PartOf = {
  readonly run: OpenRun
  readonly plan: Plan
  readonly program: Program
  readonly around: Frame
  readonly node: PlanNode | undefined
  readonly part: number
}

/** The variables of an item or a round. */
const bindPart = (view: Record<string, Json>, { run, plan, program, around, node, part }: PartOf): void => {
  if (node?.kind === 'map') view[node.as] = itemsIn({ run, program }, plan, around, node)[part] ?? null
  if (node?.kind === 'map' || node?.kind === 'loop') view['index'] = part
}

const lists = new WeakMap<Visit, readonly Json[]>()

/** The list of a map: what its expression gave when the node was entered, and gives again after a restart, because nothing it reads changes. */
export const itemsIn = (
  { run, program }: Pick<Turn, 'run' | 'program'>,
  plan: Plan,
  frame: Frame,
  node: PlanNode & { kind: 'map' },
): readonly Json[] => {
  const known = frame.visit === null ? undefined : lists.get(frame.visit)
  if (known !== undefined) return known
  const list = program.value({ cel: node.over }, scopeFor(run, program, plan, frame))
  if (!Array.isArray(list))
    throw new Fault('expression.failed', `${node.over}: what a map goes over must be a list`, {
      expression: node.over.slice(0, 500),
      cause: 'not a list',
    })
  if (frame.visit !== null) lists.set(frame.visit, list)
  return list
}

/** The frame whose steps a frame sees as well. */
const frameAround = (run: OpenRun, { owner, use }: Frame): Frame | undefined =>
  owner === null || use === 'undo' ? (use === 'handler' ? run.frames[ROOT] : undefined) : run.frames[owner.frame]

/** The output of a step is there for all that comes after it. */
export const seeOutput = (frame: Frame, name: string, entry: Entry): void => {
  const view = views.get(frame)
  if (view !== undefined) view[name] = viewOf(entry)
}

const setStep = (view: Record<string, Json>, node: PlanNode | undefined, entry: Entry): void => {
  if (node !== undefined && node.name !== null) view[node.name] = viewOf(entry)
}

/** The input or what else was pinned has changed. */
export const forgetRunView = (run: OpenRun): void => {
  runViews.delete(run)
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

/** An output as expressions see it under the name of its step: `by` added to objects, `$payload` where the whole is in the payload store. */
const viewOf = (entry: Entry): Json => {
  const content = plainContentOf(entry)
  return isJsonObject(content) ? { ...content, by: entry.by } : content
}
