// An event that the flow sends into the world. It is published with what this record causes, under an id that a repeat gives again (R1).
import type { PlanNode } from '@baton/flow/plan'
import { finishComposed } from './settle.ts'
import { scopeOf } from './scope.ts'
import { inputOf } from './seen.ts'
import { takeId, type Place, type Turn } from './turn.ts'

/** Type of an event where the flow names none. */
const EMITTED = 'baton.flow.emitted.v1'

export const emitEvent = (turn: Turn, place: Place, node: PlanNode & { readonly kind: 'emit' }): void => {
  const { run, program, outputs } = turn
  const scope = scopeOf(turn, program.plan, place.frame)
  const data = inputOf(turn, place)
  const key = node.key === undefined ? run.runId : program.value(node.key, scope)
  const id = takeId(run)
  const keyText = typeof key === 'string' ? key : JSON.stringify(key)
  const { runId, tenant } = run
  outputs.push({ to: 'topic', id, topic: node.topic, type: node.type ?? EMITTED, key: keyText, tenant, runId, data })
  finishComposed(turn, place, { output: { id }, by: 'emit' })
}
