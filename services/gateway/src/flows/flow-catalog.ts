// Which flow a request means: name, version or alias -> plan, input check and params, ready for thousands of requests a second.
//   G1. A hit costs no round trip; a published change is seen within the refresh time, at once where `baton.config` tells of it.
import { DEFAULT_TENANT, Fault, type Json } from '@baton/contracts'
import { resolveParams, type Plan } from '@baton/flow'
import { createPlanCache, type PlanCache } from '@baton/service'
import type { FlowStore } from '@baton/store'
import { compileInputCheck, type InputCheck } from './input-check.ts'

/** Alias of a request that names no version. */
export const DEFAULT_ALIAS = 'stable'

export type ReadyFlow = {
  readonly plan: Plan
  readonly checkInput: InputCheck
  readonly params: { readonly [name: string]: Json }
}

type Target = { readonly hash: string; readonly expiresAtMs: number }

/** A flow as a request names it: `namespace/name`, with `@version` or `@alias` if wanted. */
export const parseFlowName = (name: string): { flow: string; at: string } => {
  const mark = name.lastIndexOf('@')
  return mark <= 0 ? { flow: name, at: DEFAULT_ALIAS } : { flow: name.slice(0, mark), at: name.slice(mark + 1) }
}

export class FlowCatalog {
  readonly #flows: FlowStore
  readonly #nowMs: () => number
  readonly #refreshMs: number
  readonly #plans: PlanCache
  readonly #targets = new Map<string, Target>()
  readonly #loading = new Map<string, Promise<ReadyFlow>>()
  readonly #ready = new Map<string, ReadyFlow>()

  constructor({ flows, nowMs, refreshMs = 5_000 }: { flows: FlowStore; nowMs: () => number; refreshMs?: number }) {
    this.#flows = flows
    this.#nowMs = nowMs
    this.#refreshMs = refreshMs
    this.#plans = createPlanCache(flows)
  }

  /** The flow a request asks for; throws `flow.unknown`. A tenant without a flow of its own gets that of the default tenant. */
  async find(tenant: string, name: string): Promise<ReadyFlow> {
    const key = `${tenant}\n${name}`
    const known = this.#targets.get(key)
    if (known !== undefined && known.expiresAtMs > this.#nowMs()) {
      const ready = this.#ready.get(known.hash)
      if (ready !== undefined) return ready // G1
    }
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
        const hash = await this.#resolve(tenant, name)
        const ready = await this.#prepare(hash)
        if (this.#loading.get(key) === loading) this.#remember(key, hash)
        return ready
      } finally {
        if (this.#loading.get(key) === loading) this.#loading.delete(key)
      }
    }
    const loading = load()
    this.#loading.set(key, loading)
    return loading
  }

  #remember(key: string, hash: string): void {
    if (this.#targets.size >= TARGETS_MAX) this.#targets.clear()
    this.#targets.set(key, { hash, expiresAtMs: this.#nowMs() + this.#refreshMs })
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
    const ready: ReadyFlow = { plan, checkInput: compileInputCheck(plan), params: resolveParams(plan) }
    if (this.#ready.size >= READY_MAX) this.#ready.clear()
    this.#ready.set(hash, ready)
    return ready
  }
}

const TARGETS_MAX = 10_000
const READY_MAX = 500
