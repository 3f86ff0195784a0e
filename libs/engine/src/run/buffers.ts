// What the steps of a run share (C8): lists with an expiry and a size, to which steps add their outputs.
//   B1. An entry is gone after its time; when there are too many, the oldest goes first (R10).
//   B2. Two steps that write at the same time both find their entry there, in the order of the log.
import type { Json } from '@baton/contracts/json'
import type { Plan } from '@baton/flow/plan'
import type { Entry, OpenRun } from '../state.ts'
import { plainContentOf } from './entry.ts'
import type { Turn } from './turn.ts'

type Of = Pick<Turn, 'run' | 'program'>

const specOf = ({ buffers }: Plan, name: string): { readonly expiresMs: number; readonly items: number } | undefined =>
  buffers !== undefined && Object.hasOwn(buffers, name) ? buffers[name] : undefined

/** Adds the output of a step. A step that was left out adds nothing. */
export const addToBuffer = ({ run, program }: Turn, name: string, entry: Entry): void => {
  const spec = specOf(program.plan, name)
  if (spec === undefined || entry.output === null) return
  const buffers = (run.buffers ??= {})
  const list = (buffers[name] ??= [])
  list.push({ entry, atMs: run.atMs })
  prune(list, spec, run.atMs)
}

/** B1. */
const prune = (list: { readonly atMs: number }[], { expiresMs, items }: { expiresMs: number; items: number }, atMs: number): void => {
  const fresh = list.findIndex((one) => atMs - one.atMs < expiresMs)
  list.splice(0, Math.max(fresh < 0 ? list.length : fresh, list.length - items))
}

/** What a buffer holds now. */
export const bufferContents = ({ run, program }: Of, name: string): Json[] => {
  const spec = specOf(program.plan, name)
  const list = run.buffers?.[name]
  if (spec === undefined || list === undefined) return []
  prune(list, spec, run.atMs)
  return list.map(({ entry }) => plainContentOf(entry))
}

// One object a run, refilled before an expression is evaluated: the views of all frames hold it.
const views = new WeakMap<OpenRun, Record<string, Json>>()

/** All buffers as expressions see them; undefined where the flow has none. */
export const buffersView = (of: Of): Record<string, Json> | undefined => {
  const { buffers } = of.program.plan
  if (buffers === undefined) return undefined
  const view = views.get(of.run) ?? {}
  views.set(of.run, view)
  for (const name of Object.keys(buffers)) view[name] = bufferContents(of, name)
  return view
}
