// Which flow a request means: name, version or alias -> plan, input check and params, ready for thousands of requests a second.
//   G11. An override that does not fit the plan, because its range is another, does not apply: the weaker value stands and the log says so.
//   G1. A hit costs no round trip; a published change is seen within the refresh time, at once where `baton.config` tells of it.
import { DEFAULT_TENANT, Fault, type Json } from '@baton/contracts'
import { overrideProblem, resolveParams, type Plan } from '@baton/flow'
import { createPlanCache, type PlanCache } from '@baton/service'
import type { FlowStore, ParamStore } from '@baton/store'
import { startedFlows } from './flow-pins.ts'
import { compileInputCheck, type InputCheck } from './input-check.ts'

/** Alias of a request that names no version. */
export const DEFAULT_ALIAS = 'stable'

export type ReadyFlow = {
  readonly plan: Plan
  readonly checkInput: InputCheck
  readonly params: { readonly [name: string]: Json }
  /** Flows that its steps start, as they name them. */
  readonly starts: readonly string[]
}

type Target = { readonly ready: ReadyFlow; readonly expiresAtMs: number }

/** Told of an override that was left out. */
type Misfit = { readonly flow: string; readonly tenant: string; readonly param: string; readonly reason: string }

/** A flow as a request names it: `namespace/name`, with `@version`, `@alias` or `@sha256:HASH` if wanted. */
export const parseFlowName = (name: string): { flow: string; at: string } => {
  const mark = name.lastIndexOf('@')
  return mark <= 0 ? { flow: name, at: DEFAULT_ALIAS } : { flow: name.slice(0, mark), at: name.slice(mark + 1) }
}

export class FlowCatalog {
  readonly #flows: FlowStore
  readonly #params: Pick<ParamStore, 'overrides'>
  readonly #environment: string
  readonly #onMisfit: (misfit: Misfit) => void
  readonly #nowMs: () => number
  readonly #refreshMs: number
  readonly #plans: PlanCache
  readonly #targets = new Map<string, Target>()
  readonly #loading = new Map<string, Promise<ReadyFlow>>()
  readonly #ready = new Map<string, ReadyFlow>()

  constructor({
    flows,
    params,
    nowMs,
    environment = '',
    refreshMs = 5_000,
    onMisfit = () => undefined,
  }: {
    flows: FlowStore
    params: Pick<ParamStore, 'overrides'>
    nowMs: () => number
    environment?: string | undefined
    refreshMs?: number
    onMisfit?: (misfit: Misfit) => void
  }) {
    this.#flows = flows
    this.#params = params
    this.#environment = environment
    this.#onMisfit = onMisfit
    this.#nowMs = nowMs
    this.#refreshMs = refreshMs
    this.#plans = createPlanCache(flows)
  }

  /** The flow a request asks for; throws `flow.unknown`. A tenant without a flow of its own gets that of the default tenant. */
  async find(tenant: string, name: string): Promise<ReadyFlow> {
    const key = `${tenant}\n${name}`
    const known = this.#targets.get(key)
    if (known !== undefined && known.expiresAtMs > this.#nowMs()) return known.ready // G1
    return this.#loading.get(key) ?? this.#load(key, { tenant, name })
  }

  /** Forgets where names point to; plans stay, they never change. */
  forget(): void {
    this.#targets.clear()
    this.#loading.clear() // what is under way may have read the old target
  }

  /** One look-up for all requests that come while it is under way. */
  #load(key: string, { tenant, name }: { tenant: string; name: string }): Promise<ReadyFlow> {
    const load = async (): Promise<ReadyFlow> => {
      try {
        const { flow } = parseFlowName(name)
        const overrides = this.#params.overrides({ flow, tenant, environment: this.#environment })
        overrides.catch(() => undefined) // an unknown flow is told first
        const ready = this.#override(await this.#prepare(await this.#resolve(tenant, name)), await overrides, tenant)
        if (this.#loading.get(key) === loading) this.#remember(key, ready)
        return ready
      } finally {
        if (this.#loading.get(key) === loading) this.#loading.delete(key)
      }
    }
    const loading = load()
    this.#loading.set(key, loading)
    return loading
  }

  /** The flow with the params of a tenant; a stronger override replaces a weaker one. */
  #override(ready: ReadyFlow, layers: Awaited<ReturnType<ParamStore['overrides']>>, tenant: string): ReadyFlow {
    const fitting: Record<string, Json> = {}
    for (const { values } of layers)
      for (const [param, value] of Object.entries(values)) {
        const reason = overrideProblem(ready.plan, param, value)
        if (reason === undefined) fitting[param] = value
        else if (Object.hasOwn(ready.plan.params, param)) this.#onMisfit({ flow: ready.plan.flow, tenant, param, reason }) // G11
      }
    return Object.keys(fitting).length === 0 ? ready : { ...ready, params: resolveParams(ready.plan, fitting) }
  }

  #remember(key: string, ready: ReadyFlow): void {
    if (this.#targets.size >= TARGETS_MAX) this.#targets.clear()
    this.#targets.set(key, { ready, expiresAtMs: this.#nowMs() + this.#refreshMs })
  }

  async #resolve(tenant: string, name: string): Promise<string> {
    const { flow, at } = parseFlowName(name)
    const found =
      (await this.#flows.resolve({ tenant, flow, at })) ??
      (tenant === DEFAULT_TENANT ? undefined : await this.#flows.resolve({ tenant: DEFAULT_TENANT, flow, at }))
    if (found === undefined) throw new Fault('flow.unknown', `no flow ${flow}@${at} is published`, { field: 'flow' })
    return found.hash
  }

  async #prepare(hash: string): Promise<ReadyFlow> {
    const known = this.#ready.get(hash)
    if (known !== undefined) return known
    const plan = await this.#plans.plan(hash)
    const ready: ReadyFlow = { plan, checkInput: compileInputCheck(plan), params: resolveParams(plan), starts: startedFlows(plan) }
    if (this.#ready.size >= READY_MAX) this.#ready.clear()
    this.#ready.set(hash, ready)
    return ready
  }
}

const TARGETS_MAX = 10_000
const READY_MAX = 500
