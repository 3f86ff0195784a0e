// A smaller history that breaks the same promise: steps of the flow, what is said about them, faults and time are left out while it fails.
import type { Json } from '@baton/contracts'
import { isJsonObject } from '@baton/contracts/json'
import type { FlowSpec } from './flow-gen.ts'
import { flowSetOfSpec, generatedFlow } from './flow-set.ts'
import { BrokenPromise } from './run-ledger.ts'
import { FAULTS, flowsOf, simulate } from './simulation.ts'

export type Small = { readonly flow?: FlowSpec; readonly without: readonly string[]; readonly steps: number; readonly message: string }

const BUDGET_MS = 60_000

/** The number of the promise that is broken; undefined when none is. */
const brokenBy = async (seed: number, { flow, without, steps }: Omit<Small, 'message'>): Promise<string | undefined> => {
  try {
    await simulate({ seed, steps, without, flows: flow === undefined ? flowsOf(seed) : flowSetOfSpec(flow) })
    return undefined
  } catch (error) {
    return error instanceof BrokenPromise ? error.message : undefined
  }
}

const promiseIn = (message: string): string => message.slice(0, message.indexOf(':'))

/** The smallest history found in a minute. */
export const shrink = async (seed: number, steps: number): Promise<Small | undefined> => {
  const untilMs = performance.now() + BUDGET_MS
  const generated = flowsOf(seed).engineVersion > 1
  const first: Omit<Small, 'message'> = { without: [], steps, ...(generated ? { flow: generatedFlow(seed).spec } : {}) }
  const message = await brokenBy(seed, first)
  if (message === undefined) return undefined
  let best: Small = { ...first, message }
  for (let found = true; found;) {
    found = false
    for (const smaller of smallerThan(best)) {
      if (performance.now() > untilMs) return best
      const now = await brokenBy(seed, smaller)
      if (now === undefined || promiseIn(now) !== promiseIn(message)) continue
      best = { ...smaller, message: now }
      found = true
      break
    }
  }
  return best
}

function* smallerThan({ flow, without, steps }: Small): Generator<Omit<Small, 'message'>> {
  const same = { without, steps, ...(flow === undefined ? {} : { flow }) }
  if (steps > 20) yield { ...same, steps: Math.floor(steps / 2) }
  if (steps > 20) yield { ...same, steps: Math.floor(steps * 0.9) }
  for (const fault of FAULTS) if (!without.includes(fault)) yield { ...same, without: [...without, fault] }
  if (flow !== undefined) for (const one of lessOf(flow.flow)) yield { ...same, flow: { ...flow, flow: one as FlowSpec['flow'] } }
}

const NEEDED: ReadonlySet<string> = new Set(['flow', 'steps', 'input', 'limits', 'with', 'returns', 'agents'])

/** The same without one step, or without one of the things that are said about a step. */
function* lessOf(value: Json): Generator<Json> {
  if (Array.isArray(value)) {
    if (value.length > 1) for (const index of value.keys()) yield value.filter((_, at) => at !== index)
    for (const [index, one] of value.entries()) for (const less of lessOf(one)) yield value.with(index, less)
  } else if (isJsonObject(value)) {
    for (const [key, field] of Object.entries(value)) {
      if (!NEEDED.has(key)) yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key))
      for (const less of lessOf(field)) yield { ...value, [key]: less }
    }
  }
}
