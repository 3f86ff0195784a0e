// A trigger of a flow as the gateway works with it.
//   I1. Its id comes from tenant, flow and what it listens to: another version that says the same goes on where the last one was.
//   I2. Its runs have a source of their own, so that two triggers that hear of one event start a run each, and each of them one.
import { DEFAULT_TENANT, sha256 } from '@baton/contracts'
import { loadTrigger, type Plan, type TriggerProgram, type TriggerSpec } from '@baton/flow'

type TriggerBase = {
  readonly id: string
  readonly tenant: string
  readonly flow: string
  readonly planHash: string
  /** What it listens to: `tickets`, `POST /tickets/{}`, `0 6 * * 1-5 Europe/Berlin`, `every 1h`. */
  readonly subject: string
  /** Source of its runs (I2). */
  readonly source: string
  /** What `run.requested` calls it: `topic tickets`. */
  readonly name: string
  readonly program: TriggerProgram
}
type Of<Spec> = Spec extends TriggerSpec ? TriggerBase & { readonly kind: Spec['kind']; readonly spec: Spec } : never
export type Trigger = Of<TriggerSpec>
export type TopicTrigger = Extract<Trigger, { readonly kind: 'topic' }>
export type HttpTrigger = Extract<Trigger, { readonly kind: 'http' }>
export type ScheduleTrigger = Extract<Trigger, { readonly kind: 'schedule' }>

const ID_CHARS = 20
const NAME_CHARS_MAX = 200

/** The triggers of a plan. Throws `flow.invalid` when an expression cannot be compiled. */
export const triggersOf = (tenant: string, { flow, hash, triggers = [] }: Pick<Plan, 'flow' | 'hash' | 'triggers'>): readonly Trigger[] => {
  const seen = new Map<string, number>()
  return triggers.map((spec) => {
    const subject = subjectOf(spec)
    const what = `${spec.kind} ${subject}`
    const nth = (seen.get(what) ?? 0) + 1
    seen.set(what, nth)
    const base: TriggerBase = {
      id: `trg_${sha256([tenant, flow, what, nth].join('\n')).slice(0, ID_CHARS)}`, // I1
      tenant,
      flow,
      planHash: hash,
      subject,
      source: `${sourceOf(spec, subject, flow)}${nth === 1 ? '' : `#${nth}`}`,
      name: what.slice(0, NAME_CHARS_MAX),
      program: loadTrigger(spec),
    }
    return withSpec(base, spec)
  })
}

const withSpec = (base: TriggerBase, spec: TriggerSpec): Trigger => {
  switch (spec.kind) {
    case 'topic':
      return { ...base, kind: spec.kind, spec }
    case 'http':
      return { ...base, kind: spec.kind, spec }
    case 'schedule':
      return { ...base, kind: spec.kind, spec }
  }
}

/** A method and path are one flow's alone; its name is in the requests of a schedule as well. */
const sourceOf = ({ kind }: TriggerSpec, subject: string, flow: string): string => {
  if (kind === 'http') return `http:${subject}`
  return kind === 'topic' ? `topic:${subject}/${flow}` : `schedule:${flow}`
}

/** Names of the variables of a path do not make another path. */
const subjectOf = (spec: TriggerSpec): string => {
  switch (spec.kind) {
    case 'topic':
      return spec.topic
    case 'http':
      return `${spec.method} ${spec.path.replaceAll(/\{[^/{}]*\}/g, '{}')}`
    case 'schedule':
      return spec.everyMs === undefined ? `${spec.cron ?? ''} ${spec.zone}` : `every ${interval(spec.everyMs)}`
  }
}

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const

const interval = (ms: number): string => {
  const unit = Object.entries(UNITS).find(([, size]) => ms % size === 0)
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`
}

/** Whether an event of a tenant is for this trigger. That of the default tenant stands in for tenants without a flow of their own. */
export const serves = (trigger: Trigger, tenant: string, hasOwn: (tenant: string, flow: string) => boolean): boolean =>
  trigger.tenant === tenant || (trigger.tenant === DEFAULT_TENANT && !hasOwn(tenant, trigger.flow))
