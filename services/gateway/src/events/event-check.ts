// Whether the data of an event is what the step that waits for it says it `returns`.
//   V5. What does not fit is refused before it is on the log of the run, with the field; nothing of the run changes, and the sender may send
//       it right. The gateway does this and not the engine: deciding stays free of schemas, and a record that is on the log counts the
//       same at every replay (L1).
//   V6. Of several steps that wait for one event it has to fit one: which of them takes it, only the engine knows.
import { Fault, toFault, type Json } from '@baton/contracts'
import type { Plan } from '@baton/flow'
import { schemaCheck, SchemaRefused, type SchemaProblem } from '@baton/policy/schema'
import type { FlowCatalog, ReadyFlow } from '../flows/flow-catalog.ts'
import type { Platform } from '@baton/service'
import { findKnownRun, type KnownRun } from '../runs/known-run.ts'

type Told = { readonly event: string; readonly data: Json }

/** First problem of the data with each step that waits for the event; undefined where it fits one, or nobody says what it is to be. */
const problemOf = ({ nodes }: Pick<Plan, 'nodes'>, { event, data }: Told): SchemaProblem | undefined => {
  const waits = Object.values(nodes).filter((node) => node.kind === 'event' && node.event === event)
  const problems = waits.map(({ returns }) => {
    try {
      return returns === undefined ? undefined : schemaCheck(returns)(data)[0]
    } catch (error) {
      if (error instanceof SchemaRefused) return undefined // the flow's mistake, which `baton check` tells; not the sender's
      throw error
    }
  })
  return problems.includes(undefined) ? undefined : problems[0]
}

/** Throws `input.invalid` with the field where the data fits no step that waits for the event (V5, V6). */
export const refuseUnfitEvent = (plan: Pick<Plan, 'flow' | 'nodes'>, told: Told): void => {
  const problem = problemOf(plan, told)
  if (problem === undefined) return
  const field = problem.field === '' ? 'data' : `data.${problem.field}`
  throw new Fault('input.invalid', `${field} ${problem.reason}: this is what ${plan.flow} waits for with the event ${told.event}`, {
    field,
    event: told.event,
  })
}

/** The flow as a run has it: by its plan where that is known, else by its version. Throws `request.not_found` where nobody knows its flow. */
export const flowOfRun = (catalog: FlowCatalog, { runId, flow, version, planHash }: KnownRun, tenant: string): Promise<ReadyFlow> => {
  if (flow === undefined) throw new Fault('request.not_found', `nobody knows the flow of run ${runId}`, { runId })
  const at = planHash === undefined ? version : `sha256:${planHash}`
  return catalog.find(tenant, at === undefined ? flow : `${flow}@${at}`)
}

/** The check of events whose run was found by their key. */
export const keyedEventCheck =
  ({ call }: Pick<Platform, 'call'>, catalog: FlowCatalog) =>
  async ({ runId }: { readonly runId: string }, { tenant, event, data }: Told & { readonly tenant: string }): Promise<void> =>
    checkEvent(catalog, await findKnownRun(call, { tenant, runId }), { tenant, event, data })

/** Checks an event for a run, as far as the plan of the run is known (V5). */
export const checkEvent = async (
  catalog: FlowCatalog,
  run: KnownRun,
  { tenant, ...told }: Told & { readonly tenant: string },
): Promise<void> => {
  if (run.flow === undefined) return
  const ready = await flowOfRun(catalog, run, tenant).catch((error: unknown) => {
    if (toFault(error).code === 'flow.unknown') return undefined
    throw error
  })
  if (ready !== undefined) refuseUnfitEvent(ready.plan, told)
}
