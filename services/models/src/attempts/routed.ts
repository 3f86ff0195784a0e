// `model.routed` on the journal: why this model, and which calls were made (B17).
//   J1. One a dispatch, also when nobody answered. Nobody waits for it; what is under way when the process ends is awaited.
import type { Bus } from '@baton/bus/bus'
import { encodeEvent, TOPICS, workerEventId, type ModelRouted, type StepCommand } from '@baton/contracts'
import type { RoutePlan } from '../routes/route-plan.ts'
import type { CallMade } from './bill.ts'

export type Routed = {
  readonly command: StepCommand
  readonly delivery: number
  readonly plan: Pick<RoutePlan, 'route' | 'policy' | 'candidates'>
  readonly calls: readonly CallMade[]
  readonly chosen: string | undefined
}
export type TellRouted = { readonly tell: (routed: Routed) => void; readonly settled: () => Promise<void> }

const CANDIDATES_MAX = 200

/** Tells of dispatches. */
export const routedTeller = ({ bus, nowMs }: { bus: Pick<Bus, 'publish'>; nowMs: () => number }): TellRouted => {
  const open = new Set<Promise<unknown>>()
  return {
    tell: ({ command, delivery, plan, calls, chosen }) => {
      const { runId, tenant, path, nodeId, attemptId } = command
      const atMs = nowMs()
      const data: ModelRouted = {
        runId,
        tenant,
        path,
        nodeId,
        attemptId,
        atMs,
        route: plan.route,
        policy: plan.policy,
        ...(chosen === undefined ? {} : { chosen }),
        candidates: plan.candidates.slice(0, CANDIDATES_MAX).map(({ parts, ...candidate }) => ({
          ...candidate,
          ...(parts === undefined ? {} : { parts: { ...parts } }),
        })),
        calls: [...calls],
      }
      const wire = encodeEvent({
        id: workerEventId({ attemptId, kind: 'routed', n: delivery }),
        source: '/baton/models',
        subject: runId,
        tenant,
        time: new Date(atMs).toISOString(),
        name: 'model.routed',
        data,
      })
      const sent = bus
        .publish([{ topic: TOPICS.journal, ...wire }])
        .catch(() => undefined)
        .finally(() => open.delete(sent))
      open.add(sent) // J1
    },
    settled: async () => void (await Promise.all(open)),
  }
}
