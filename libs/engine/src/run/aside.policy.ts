// What is asked for beside the work of a step, as a node of its own: its guards look at what goes in or comes out, or a person answers
// what the service at work asked.
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { Ask, StepCommand } from '@baton/contracts'
import type { GuardSpec, PlanNode } from '@baton/flow/plan'
import type { Aside } from '../state.ts'
import type { WorkNode } from './work-node.ts'

/** Where a person is asked when the service does not say. */
const QUEUE = 'approvals'
const SLA_MS = 3_600_000

const base = { name: null, with: { lit: null }, effect: 'read' } as const

/** The node that stands for what is asked beside the step. */
export const asideNode = ({ id }: PlanNode, aside: Aside): WorkNode =>
  aside.is === 'guard'
    ? { ...base, id, kind: 'check', checks: [] }
    : {
        ...base,
        id,
        kind: 'human',
        human: {
          queue: aside.ask.queue ?? QUEUE,
          priority: aside.ask.priority === 'bulk' ? 'low' : (aside.ask.priority ?? 'normal'),
          slaMs: aside.ask.slaMs ?? SLA_MS,
          onTimeout: aside.ask.risk === 'reversible' ? 'escalate' : 'fail',
        },
      }

/** Its place in the run: names of steps have no brackets, so no step has it. */
export const asidePath = (path: string, aside: Aside): string =>
  aside.is === 'guard' ? `${path}/guard[${aside.on}]` : `${path}/ask[${aside.number}]`

/** Whether one of the guards looks at this side; where its options do not say, it looks at both. */
export const looksAt = (guards: readonly GuardSpec[] | undefined, side: 'input' | 'output'): boolean =>
  (guards ?? []).some(({ options }) => {
    const { on } = options
    return on === undefined || on === side || on === 'both'
  })

/** What the guards made of the content; an answer that says nothing of the kind lets nothing pass. */
export type Verdict =
  | { readonly action: 'pass' | 'flag'; readonly reasons: readonly string[] }
  | { readonly action: 'redact'; readonly value: Json; readonly reasons: readonly string[] }
  | { readonly action: 'block'; readonly reasons: readonly string[] }

export const verdictIn = (output: Json): Verdict => {
  const { action, value, reasons: said } = isJsonObject(output) ? output : {}
  const reasons = Array.isArray(said) ? said.filter((reason) => typeof reason === 'string') : []
  if (action === 'pass' || action === 'flag') return { action, reasons }
  if (action === 'redact' && value !== undefined) return { action, value, reasons }
  return { action: 'block', reasons }
}

/** What a command says beside what every command says. */
export const asideFields = (aside: Aside | undefined): Pick<StepCommand, 'guard' | 'ask'> => {
  if (aside === undefined) return {}
  return aside.is === 'guard' ? { guard: { on: aside.on } } : { ask: withoutState(aside.ask) }
}

/** What goes back to the service is nobody else's to see. */
const withoutState = ({ state: _state, ...ask }: Ask): Ask => ask
