// A flow named on the command line: a file, a folder, or the name of a published flow.
import { stat } from 'node:fs/promises'
import { Fault } from '@baton/contracts/fault'
import { openFlow, openPlan, type OpenedFlow, type Plan } from '@baton/flow'
import { findFlow } from './flow-finder.ts'

const NAME = /^[a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9_-]*(?:@([\w.-]+))?$/

/** Opens a flow. Throws `flow.invalid` for one with mistakes and `request.not_found` where there is none. */
export const openNamedFlow = async (name: string): Promise<OpenedFlow> => {
  const onDisk = await stat(name).then(
    () => true,
    () => false,
  )
  if (!onDisk && NAME.test(name)) return openPublished(name)
  const found = await findFlow(name)
  const opened = openFlow(found)
  if (!opened.ok) throw new Fault('flow.invalid', `${name} has mistakes; "baton check ${name}" lists them`)
  return opened.flow
}

const openPublished = async (name: string): Promise<OpenedFlow> => {
  const at = NAME.exec(name)?.[1]
  const flow = at === undefined ? name : name.slice(0, -at.length - 1)
  const { runningSystem } = await import('../commands/running-system.ts') // a file needs no system
  const { plan } = await runningSystem().get<{ plan: Plan }>(`/v1/flows/${flow}${at === undefined ? '' : `?at=${encodeURIComponent(at)}`}`)
  return openPlan(plan)
}
