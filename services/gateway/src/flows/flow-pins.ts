// Flows that the steps of a run may start, pinned when the run begins (L2): what is published later does not reach it.
//   N1. Each is found under the text of the step, at once for the whole tree; the same text is the same plan everywhere in it.
//   N2. A flow that starts itself again, through others or at once, is refused, and so is a tree with too many flows; the way there is named.
import { Fault, type MessageOf } from '@baton/contracts'
import type { Plan } from '@baton/flow'
import type { FlowCatalog, ReadyFlow } from './flow-catalog.ts'

/** Flows of one tree. */
export const PINS_MAX = 50

export type FlowPins = NonNullable<MessageOf<'run.requested'>['flows']>

/** Flows that a plan starts, as its steps name them: `support/refund`, `support/refund@stable`. */
export const startedFlows = ({ nodes }: Pick<Plan, 'nodes'>): readonly string[] => {
  const names = new Set<string>()
  for (const node of Object.values(nodes))
    if (node.kind === 'flow') names.add(node.version === undefined ? node.flow : `${node.flow}@${node.version}`)
  return [...names]
}

type Way = readonly { readonly name: string; readonly hash: string }[]

const inWords = (way: Way, last: string): string => [...way.map(({ name }) => name), last].join(' -> ')

/** Pins for a run of a flow, with params as they are now; undefined where its steps start none. */
export const pinFlows = async (
  catalog: Pick<FlowCatalog, 'find'>,
  { tenant, flow }: { readonly tenant: string; readonly flow: ReadyFlow },
): Promise<FlowPins | undefined> => {
  if (flow.starts.length === 0) return undefined
  const pins: Record<string, FlowPins[string]> = {}
  const follow = async ({ starts }: ReadyFlow, way: Way): Promise<void> => {
    for (const name of starts) {
      const { hash, ready } = await find(catalog, { tenant, name, way })
      if (way.some((before) => before.hash === hash))
        throw new Fault('flow.invalid', `flows start each other without end: ${inWords(way, name)}`, { field: 'flow' }) // N2
      if (Object.hasOwn(pins, name)) continue // N1
      if (Object.keys(pins).length >= PINS_MAX)
        throw new Fault('limit.depth_exceeded', `more than ${PINS_MAX} flows start each other: ${inWords(way, name)}`, { field: 'flow' })
      const { plan, params } = ready
      pins[name] = { flow: plan.flow, version: plan.version, planHash: hash, params }
      await follow(ready, [...way, { name, hash }])
    }
  }
  await follow(flow, [{ name: flow.plan.flow, hash: flow.plan.hash }])
  return pins
}

const find = async (
  catalog: Pick<FlowCatalog, 'find'>,
  { tenant, name, way }: { tenant: string; name: string; way: Way },
): Promise<{ hash: string; ready: ReadyFlow }> => {
  try {
    const ready = await catalog.find(tenant, name)
    return { hash: ready.plan.hash, ready }
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'flow.unknown') throw error
    throw new Fault('flow.unknown', `${error.message}: ${inWords(way, name)}`, { field: 'flow' }, { cause: error })
  }
}
