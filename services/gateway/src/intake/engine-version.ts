// Which engine new runs get (L2): what the installation says, so that old and new binaries agree while one replaces the other.
import { Fault } from '@baton/contracts'
import { ENGINE_VERSION } from '@baton/engine'
import type { Platform } from '@baton/service'
import { COMPOSED_KINDS, type Plan, type PlanNode } from '@baton/flow/plan'

/** How long what the installation says is believed. */
const BELIEVED_MS = 5_000
/** The first engine that runs steps made of others. */
const COMPOSED_SINCE = 2

/** The first engine that asks guards, shows contexts, shares buffers and keeps to the time of a composed step. */
const BESIDE_SINCE = 3

/** The first engine that tells expressions what contexts left out. */
const LEFT_OUT_SINCE = 4

const COMPOSED: ReadonlySet<string> = new Set(COMPOSED_KINDS)
const SECOND_FIELDS = ['failover', 'budget', 'undo', 'onTimeout', 'onLimit'] as const
const THIRD_FIELDS = ['guard', 'cache', 'hedge', 'context', 'media', 'writes'] as const
/** Kinds whose `timeout` meant nothing before. */
const TIMED: ReadonlySet<string> = new Set(['parallel', 'map', 'vote', 'loop', 'flow'] satisfies readonly PlanNode['kind'][])

type Needs = Pick<Plan, 'nodes' | 'onLimit' | 'agents' | 'buffers' | 'history' | 'leftOut'>

/** The engine a plan needs. */
export const engineNeededBy = ({ nodes, onLimit, agents = {}, buffers, history, leftOut }: Needs): number => {
  const shared = buffers !== undefined || history !== undefined || Object.values(agents).some(({ context }) => context !== undefined)
  const needed = Math.max(1, ...Object.values(nodes).map(neededByNode))
  if (leftOut === true) return LEFT_OUT_SINCE
  return Math.max(needed, shared ? BESIDE_SINCE : 1, onLimit === undefined ? 1 : COMPOSED_SINCE)
}

const neededByNode = (node: PlanNode): number => {
  if (THIRD_FIELDS.some((field) => node[field] !== undefined) || (TIMED.has(node.kind) && node.timeoutMs !== undefined)) return BESIDE_SINCE
  return COMPOSED.has(node.kind) || SECOND_FIELDS.some((field) => node[field] !== undefined) ? COMPOSED_SINCE : 1
}

export type EngineVersion = {
  /** The version to pin in a run of this plan. Throws `engine.unsupported` when the installation has not been raised to what it needs. */
  readonly forPlan: (plan: Needs & Pick<Plan, 'flow'>) => Promise<number>
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
