// What changes in behaviour from one version of a flow to another. Formatting, comments and order of keys are no change.
//   F1. Plans with the same hash have no changes.
//   F2. Every difference of the outlines is one change at least.
import { compareContracts, type Incompatibility } from '../control/contracts.ts'
import { canonicalJson, type Json } from '@baton/contracts/json'
import { stepsOfOutline, type Outline, type OutlineOutcome, type OutlineRule, type OutlineStep } from '../outline/outline.ts'
import { durationWords, moneyWords } from '../outline/words.ts'
import { outcomeWords } from '../explain/sentences.ts'
import type { OpenedFlow } from '../outline/open.ts'

/** One change. `breaks`: what callers or readers rely on may not hold any more. */
export type FlowChange = {
  readonly area: 'flow' | 'limits' | 'params' | 'input' | 'output' | 'step' | 'agent' | 'handler'
  /** Step id, param, agent or field. */
  readonly at: string
  readonly change: 'added' | 'removed' | 'changed' | 'moved'
  readonly what: string
  readonly before: Json
  readonly after: Json
  readonly breaks: boolean
}

export type FlowDiff = {
  readonly before: { readonly flow: string; readonly version: string; readonly hash: string }
  readonly after: { readonly flow: string; readonly version: string; readonly hash: string }
  /** Whether the plans are one and the same but for name and version. */
  readonly same: boolean
  readonly changes: readonly FlowChange[]
  /** What the new version breaks of the promise of its number: callers of the old one would fail. */
  readonly incompatible: readonly Incompatibility[]
}

/** Compares two versions of a flow. */
export const diffFlows = (before: OpenedFlow, after: OpenedFlow): FlowDiff => {
  const found = before.plan.hash === after.plan.hash ? [] : changesOf(before.outline, after.outline) // F1
  const changes = found.length === 0 && before.plan.hash !== after.plan.hash ? [planChange(before, after)] : found // F2
  return {
    before: identity(before.outline),
    after: identity(after.outline),
    same: changes.every(({ area, at }) => area === 'flow' && (at === 'version' || at === 'name')),
    changes,
    incompatible: compareContracts(before.plan, after.plan),
  }
}

/** A difference that the outlines do not show. */
const planChange = (before: OpenedFlow, after: OpenedFlow): FlowChange => ({
  area: 'flow',
  at: 'plan',
  change: 'changed',
  what: 'plan',
  before: before.plan.hash,
  after: after.plan.hash,
  breaks: false,
})

const identity = ({ flow, version, hash }: Outline): FlowDiff['before'] => ({ flow, version, hash })

const changesOf = (before: Outline, after: Outline): readonly FlowChange[] => [
  ...fields('flow', { name: before.flow, version: before.version }, { name: after.flow, version: after.version }),
  ...fields('limits', readable(before.limits), readable(after.limits)),
  ...fields('params', before.params, after.params),
  ...fields('input', { input: before.input }, { input: after.input }).map((change) => ({ ...change, breaks: true })),
  ...stepChanges(before, after),
  ...fields('output', outputOf(before), outputOf(after)).map((change) => ({ ...change, breaks: change.change !== 'added' })),
  ...fields('handler', handlersOf(before), handlersOf(after)),
  ...fields('agent', recordOf(before.facts['agents']), recordOf(after.facts['agents'])),
  ...fields('flow', without(before.facts, 'agents'), without(after.facts, 'agents')),
]

type Data = { readonly [key: string]: unknown }

const recordOf = (value: unknown): Data => (typeof value === 'object' && value !== null ? { ...value } : {})
const without = (record: Data, key: string): Data => Object.fromEntries(Object.entries(record).filter(([name]) => name !== key))
const readable = (limits: Outline['limits']): Data =>
  Object.fromEntries(Object.entries(limits).map(([key, value]) => [key, unitWords(key, value)]))
const outputOf = ({ output }: Outline): Data => {
  if (output === undefined) return { output: 'the last step' }
  return isData(output) ? output : { output }
}
const handlersOf = ({ onError, onLimit, fallbacks }: Outline): Data => ({
  ...Object.fromEntries(fallbacks.map(({ label, outcome }) => [`agent ${label}`, flatOutcome(outcome)])),
  ...(onError === undefined ? {} : { onError: flatOutcome(onError) }),
  ...(onLimit === undefined ? {} : { onLimit: flatOutcome(onLimit) }),
})

/** Durations and money of a field, by the unit in its name. */
const unitWords = (key: string, value: unknown): Json => {
  if (typeof value !== 'number') return jsonOf(value)
  if (key.endsWith('Ms')) return durationWords(value)
  return key.endsWith('MicroUsd') ? moneyWords(value) : value
}

const jsonOf = (value: unknown): Json => {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(jsonOf)
  if (typeof value !== 'object') return null
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, jsonOf(field)]))
}

const same = (a: unknown, b: unknown): boolean => canonicalJson(jsonOf(a)) === canonicalJson(jsonOf(b))

/** Differences of two records, field by field; objects that are on both sides field by field again. */
const fields = (
  area: FlowChange['area'],
  before: Data,
  after: Data,
  place?: { readonly at: string; readonly path: string },
): readonly FlowChange[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): readonly FlowChange[] => {
    const [old, now] = [before[key], after[key]]
    if (old === undefined ? now === undefined : now !== undefined && same(old, now)) return []
    const what = place === undefined ? key : `${place.path}${key}`
    const at = place?.at ?? key
    if (isData(old) && isData(now)) return fields(area, old, now, { at, path: place === undefined ? '' : `${what}.` })
    return [{ area, at, what, change: kindOf(old, now), before: orNull(key, old), after: orNull(key, now), breaks: false }]
  })

const kindOf = (old: unknown, now: unknown): FlowChange['change'] =>
  old === undefined ? 'added' : now === undefined ? 'removed' : 'changed'
const orNull = (key: string, value: unknown): Json => (value === undefined ? null : unitWords(key, value))

const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)

const stepChanges = (before: Outline, after: Outline): readonly FlowChange[] => {
  const old = new Map(stepsOfOutline(before).map((step) => [step.id, step]))
  const now = new Map(stepsOfOutline(after).map((step) => [step.id, step]))
  const gone = [...old.values()].filter(({ id }) => !now.has(id))
  const come = [...now.values()].filter(({ id }) => !old.has(id))
  const kept = [...now.values()].flatMap((step) => {
    const earlier = old.get(step.id)
    return earlier === undefined ? [] : fields('step', flatStep(earlier), flatStep(step), { at: step.id, path: '' })
  })
  const whole = (step: OutlineStep, change: 'added' | 'removed'): FlowChange => {
    const text = `${step.kind}: ${step.detail}`
    return {
      area: 'step',
      at: step.id,
      change,
      what: 'step',
      before: change === 'removed' ? text : null,
      after: change === 'added' ? text : null,
      breaks: false,
    }
  }
  return [...gone.map((step) => whole(step, 'removed')), ...come.map((step) => whole(step, 'added')), ...kept, ...movedSteps(before, after)]
}

/** Steps of the first level that run in another order. */
const movedSteps = (before: Outline, after: Outline): readonly FlowChange[] => {
  const shared = (outline: Outline, other: Outline): readonly string[] => {
    const ids = new Set(other.steps.map(({ id }) => id))
    return outline.steps.map(({ id }) => id).filter((id) => ids.has(id))
  }
  const old = shared(before, after)
  const now = shared(after, before)
  if (old.join('\n') === now.join('\n')) return []
  return [{ area: 'flow', at: 'steps', change: 'moved', what: 'order of steps', before: [...old], after: [...now], breaks: false }]
}

/** A step as one record: what it says itself, not what stands inside it. */
const flatStep = (step: OutlineStep): Data => {
  const { kind, effect, when, timeoutMs, retry, returns, gate, cases, onError, onTimeout, onLimit, parts, facts } = step
  const optional = { when, timeout: timeoutMs === undefined ? undefined : durationWords(timeoutMs), retry, returns }
  const outcomes = { onError, onTimeout, onLimit }
  return {
    kind,
    effect,
    ...facts,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    ...Object.fromEntries(
      Object.entries(outcomes).flatMap(([key, outcome]) => (outcome === undefined ? [] : [[key, flatOutcome(outcome)]])),
    ),
    ...(gate.length === 0 ? {} : { gate: gate.map(flatRule) }),
    ...(cases.length === 0 ? {} : { cases: cases.map(flatRule) }),
    ...(parts.length === 0 ? {} : { parts: parts.map(({ label, steps }) => `${label}: ${steps.map(({ id }) => id).join(', ')}`) }),
  }
}

const flatRule = ({ label, when, outcome }: OutlineRule): Json =>
  `${when ?? 'else'}${label === when || when === undefined ? '' : ` (${label})`} → ${flatOutcome(outcome)}`

/** An outcome with the names of its steps; what they do is their own difference. */
const flatOutcome = (outcome: OutlineOutcome): string => {
  if (outcome.then === 'retry') return `${outcomeWords(outcome)}${outcome.prompt === undefined ? '' : `: ${outcome.prompt}`}`
  if (outcome.then !== 'run') return outcomeWords(outcome)
  return `${outcome.steps.map(({ id }) => id).join(', ')}; ${{ next: 'goes on', end: 'ends the run', fail: 'the run fails' }[outcome.after]}`
}
