// Which engine new runs get (L2): what the installation says, so that old and new binaries agree while one replaces the other.
import { Fault } from '@baton/contracts'
import { ENGINE_VERSION } from '@baton/engine'
import type { Platform } from '@baton/service'
import { COMPOSED_KINDS, type Plan } from '@baton/flow/plan'

/** How long what the installation says is believed. */
const BELIEVED_MS = 5_000
/** The first engine that runs steps made of others. */
const COMPOSED_SINCE = 2

const COMPOSED: ReadonlySet<string> = new Set(COMPOSED_KINDS)
const NEWER_FIELDS = ['failover', 'budget', 'undo', 'onTimeout', 'onLimit'] as const

/** The engine a plan needs. */
export const engineNeededBy = ({ nodes, onLimit }: Pick<Plan, 'nodes' | 'onLimit'>): number => {
  const newer = Object.values(nodes).some((node) => COMPOSED.has(node.kind) || NEWER_FIELDS.some((field) => node[field] !== undefined))
  return newer || onLimit !== undefined ? COMPOSED_SINCE : 1
}

export type EngineVersion = {
  /** The version to pin in a run of this plan. Throws `engine.unsupported` when the installation has not been raised to what it needs. */
  readonly forPlan: (plan: Pick<Plan, 'flow' | 'nodes' | 'onLimit'>) => Promise<number>
}

export const createEngineVersion = ({ stores, config, nowMs }: Pick<Platform, 'stores' | 'config' | 'nowMs'>): EngineVersion => {
  let known: { readonly version: number; readonly atMs: number } | undefined
  const installed = async (): Promise<number> => {
    if (known !== undefined && nowMs() - known.atMs < BELIEVED_MS) return known.version
    const version = Math.min((await stores.leases.engineVersion(config.topicPrefix)) ?? ENGINE_VERSION, ENGINE_VERSION)
    known = { version, atMs: nowMs() }
    return version
  }
  return {
    forPlan: async (plan) => {
      const version = await installed()
      const needed = engineNeededBy(plan)
      if (needed <= version) return version
      throw new Fault(
        'engine.unsupported',
        `${plan.flow} needs engine ${needed}, and this installation uses ${version}: run "baton upgrade" when every process is new`,
        { flow: plan.flow, needed, installed: version },
      )
    },
  }
}
