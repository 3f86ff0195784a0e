// A flow named on the command line: a file, a folder, or the name of a published flow.
import { stat } from 'node:fs/promises'
import { Fault, toFault } from '@baton/contracts/fault'
import { compileFlow, openFlow, openPlan, type OpenedFlow, type Plan } from '@baton/flow'
import type { Terminal } from '../terminal.ts'
import { findFlow, findFlows, type FoundFlow } from './flow-finder.ts'

const NAME = /^[a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9_-]*(?:@([\w.-]+))?$/

/** Opens a flow. Throws `flow.invalid` for one with mistakes and `request.not_found` where there is none. */
export const openNamedFlow = async (name: string, terminal: Pick<Terminal, 'note'>): Promise<OpenedFlow> => {
  const onDisk = await stat(name).then(
    () => true,
    () => false,
  )
  return !onDisk && NAME.test(name) ? openPublished(name, terminal) : openFile(name)
}

const openFile = async (path: string): Promise<OpenedFlow> => {
  const opened = openFlow(await findFlow(path))
  if (!opened.ok) throw new Fault('flow.invalid', `${path} has mistakes; "baton check ${path}" lists them`)
  return opened.flow
}

/** The published flow; without a running system that of the flows folder, and says so. */
const openPublished = async (name: string, terminal: Pick<Terminal, 'note'>): Promise<OpenedFlow> => {
  const at = NAME.exec(name)?.[1]
  const flow = at === undefined ? name : name.slice(0, -at.length - 1)
  const { runningSystem } = await import('../commands/running-system.ts') // a file needs no system
  try {
    const { plan } = await runningSystem().get<{ plan: Plan }>(
      `/v1/flows/${flow}${at === undefined ? '' : `?at=${encodeURIComponent(at)}`}`,
    )
    return openPlan(plan)
  } catch (error) {
    const fault = toFault(error)
    const found = fault.code === 'bus.unavailable' ? await findByName(flow, at) : undefined
    if (found === undefined) throw fault
    terminal.note(`no system is running: ${name} is read from ${found.path}`)
    return openFile(found.path)
  }
}

/** The flow of the flows folder that has a name, and the version if one is asked for. */
const findByName = async (flow: string, at: string | undefined): Promise<FoundFlow | undefined> => {
  const flows = await findFlows([process.env['BATON_FLOWS_DIR'] ?? 'flows']).catch(() => [])
  return flows.find((found) => {
    const result = compileFlow(found)
    return result.ok && result.plan.flow === flow && (at === undefined || result.plan.version === at)
  })
}
