import { Fault } from '@baton/contracts/fault'
import type { Plan } from '@baton/flow/plan'
import type { FlowStore } from '@baton/store'

/** Plans kept in memory by hash, the longest unused forgotten first. A plan never changes, so a hit is always right. */
export type PlanCache = {
  /** Throws `flow.unknown` when no plan of this hash was published. */
  plan(hash: string): Promise<Plan>
  /** Only from memory: lets a hot path stay synchronous. */
  peek(hash: string): Plan | undefined
}

/** `plansMax` defaults to 500. Several calls for one missing plan load it once. */
export const createPlanCache = (flows: FlowStore, { plansMax = 500 }: { plansMax?: number } = {}): PlanCache => {
  const known = new Map<string, Plan>()
  const loading = new Map<string, Promise<Plan>>()
  const peek = (hash: string): Plan | undefined => {
    const plan = known.get(hash)
    if (plan !== undefined && known.size >= plansMax) {
      known.delete(hash)
      known.set(hash, plan)
    }
    return plan
  }
  const load = async (hash: string): Promise<Plan> => {
    const body = await flows.plan(hash)
    if (body === undefined) throw new Fault('flow.unknown', `no plan ${hash} is published`)
    const plan: Plan = JSON.parse(body) // the store holds what `compile` wrote, under the hash of its text
    known.set(hash, plan)
    if (known.size > plansMax) known.delete(known.keys().next().value ?? '')
    return plan
  }
  const plan = (hash: string): Promise<Plan> => {
    const hit = peek(hash)
    if (hit !== undefined) return Promise.resolve(hit)
    const under = loading.get(hash)
    if (under !== undefined) return under
    const started = load(hash).finally(() => loading.delete(hash))
    loading.set(hash, started)
    return started
  }
  return { plan, peek }
}
