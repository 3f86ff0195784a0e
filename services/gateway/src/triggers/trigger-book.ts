// Which triggers are in force: those of the plans that `stable` points to, and what the database remembers of them.
//   K1. Read together and replaced together: nobody sees half of a version.
//   K2. Rows follow the alias; a view that is older than the alias changes nothing, and is read again.
//   K3. A trigger without a row is not in force: its method and path belong to another flow.
import { toFault } from '@baton/contracts'
import { createPlanCache, type Platform } from '@baton/service'
import type { TriggerRow, TriggerStore } from '@baton/store'
import { triggersOf, type HttpTrigger, type Trigger } from './trigger.ts'

/** A trigger and what is remembered of it. */
export type Known<T extends Trigger = Trigger> = T extends Trigger ? { readonly trigger: T; readonly row: TriggerRow } : never
type Flow = { readonly tenant: string; readonly flow: string; readonly hash: string }
type View = {
  readonly known: ReadonlyMap<string, Known>
  readonly refused: readonly Trigger[]
  readonly flows: ReadonlySet<string>
}

export type HookMatch = { readonly trigger: HttpTrigger; readonly row: TriggerRow; readonly variables: Readonly<Record<string, string>> }

const flowId = (tenant: string, flow: string): string => `${tenant}\n${flow}`

/** Makes the rows of a flow follow its plan; false when its alias points elsewhere meanwhile. */
export const syncRows = (store: Pick<TriggerStore, 'sync'>, { tenant, flow, hash }: Flow, triggers: readonly Trigger[]): Promise<boolean> =>
  store.sync({ tenant, flow, hash, triggers: triggers.map(({ id, kind, subject }) => ({ id, kind, subject })) })

export class TriggerBook {
  readonly #store: TriggerStore
  readonly #plans: ReturnType<typeof createPlanCache>
  readonly #logger: Platform['telemetry']['logger']
  /** By plan and tenant; those of plans that are not in force are forgotten. */
  #compiled = new Map<string, readonly Trigger[]>()
  #view: View = { known: new Map(), refused: [], flows: new Set() }

  constructor({ stores, telemetry }: Pick<Platform, 'stores' | 'telemetry'>) {
    this.#store = stores.triggers
    this.#plans = createPlanCache(stores.flows)
    this.#logger = telemetry.logger
  }

  /** Everything in force. */
  get known(): readonly Known[] {
    return [...this.#view.known.values()]
  }

  /** Triggers whose method and path another flow has (K3). */
  get refused(): readonly Trigger[] {
    return this.#view.refused
  }

  get(id: string): Known | undefined {
    return this.#view.known.get(id)
  }

  hasOwn(tenant: string, flow: string): boolean {
    return this.#view.flows.has(flowId(tenant, flow))
  }

  /** The trigger of a method and path; one without variables in its path before one with them. */
  hook(tenant: string, method: string, path: string): HookMatch | undefined {
    const matches = this.known.flatMap(({ trigger, row }) => {
      if (trigger.kind !== 'http' || trigger.tenant !== tenant || trigger.spec.method !== method) return []
      const variables = matchPath(trigger.spec.path, path)
      return variables === undefined ? [] : [{ trigger, row, variables }]
    })
    return matches.toSorted((left, right) => Object.keys(left.variables).length - Object.keys(right.variables).length)[0]
  }

  /** Reads everything again (K1). */
  async refresh(): Promise<void> {
    const flows = await this.#store.stable()
    const compiled = await this.#compile(flows)
    const before = await this.#store.list()
    const changed = await this.#sync(flows, compiled, before)
    const rows = new Map((changed ? await this.#store.list() : before).map((row) => [row.id, row]))
    const known = new Map<string, Known>()
    const refused: Trigger[] = []
    for (const trigger of [...compiled.values()].flat()) {
      const row = rows.get(trigger.id)
      if (row === undefined) refused.push(trigger) // K3
      else known.set(trigger.id, { trigger, row } as Known) // the pair is made of one trigger
    }
    this.#compiled = compiled
    this.#view = { known, refused, flows: new Set(flows.map(({ tenant, flow }) => flowId(tenant, flow))) } // K1
  }

  async #compile(flows: readonly Flow[]): Promise<Map<string, readonly Trigger[]>> {
    const compiled = new Map<string, readonly Trigger[]>()
    for (const { tenant, flow, hash } of flows) {
      const id = `${flowId(tenant, flow)}\n${hash}`
      compiled.set(id, this.#compiled.get(id) ?? (await this.#load(tenant, hash)))
    }
    return compiled
  }

  async #load(tenant: string, hash: string): Promise<readonly Trigger[]> {
    try {
      return triggersOf(tenant, await this.#plans.plan(hash))
    } catch (error) {
      const { code, message } = toFault(error)
      if (code !== 'flow.invalid' && code !== 'flow.unknown') throw error
      this.#logger.error({ tenant, plan: hash, code, reason: message }, 'triggers of a flow left out')
      return []
    }
  }

  /** Whether a row changed. */
  async #sync(flows: readonly Flow[], compiled: ReadonlyMap<string, readonly Trigger[]>, rows: readonly TriggerRow[]): Promise<boolean> {
    const byFlow = new Map<string, TriggerRow[]>()
    for (const row of rows) byFlow.set(flowId(row.tenant, row.flow), [...(byFlow.get(flowId(row.tenant, row.flow)) ?? []), row])
    let changed = false
    const behind = flows.flatMap((flow) => {
      const id = flowId(flow.tenant, flow.flow)
      const triggers = compiled.get(`${id}\n${flow.hash}`) ?? []
      const found = byFlow.get(id) ?? []
      byFlow.delete(id)
      const same = found.length === triggers.length && found.every((row) => row.planHash === flow.hash)
      const letsGo = found.some((row) => triggers.every((trigger) => trigger.id !== row.id))
      return same ? [] : [{ flow, triggers, letsGo }]
    })
    // What is left has no alias any more.
    for (const [first] of byFlow.values())
      if (first !== undefined) changed = (await this.#store.sync({ ...first, hash: null, triggers: [] })) || changed
    // Whoever lets go of a path comes first, so that another can have it.
    for (const { flow, triggers } of behind.toSorted((left, right) => Number(right.letsGo) - Number(left.letsGo)))
      changed = (await syncRows(this.#store, flow, triggers)) || changed // K2
    return changed
  }
}

/** The values of the variables of a path, or undefined where it is another path. The path is decoded. */
const matchPath = (pattern: string, path: string): Record<string, string> | undefined => {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const variables: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    const name = /^\{([\w-]+)\}$/.exec(part)?.[1]
    if (name === undefined ? part !== value : value === '') return undefined
    if (name !== undefined) variables[name] = value
  }
  return variables
}
