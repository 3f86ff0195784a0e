/* oxlint-disable unicorn/no-thenable -- `then` is a word of the flow format; nothing here is ever awaited */
// A flow in plain words, as data: what a reader who knows the product and not the format wants to know.
//   E1. Every step of the flow is named; nobody is asked and nothing is spent that is not said.
import { worstCase } from '../control/worst-case.ts'
import type { Json } from '@baton/contracts/json'
import type { OpenedFlow } from '../outline/open.ts'
import { outcomesOf, type Outline, type OutlineOutcome, type OutlineStep } from '../outline/outline.ts'
import { limitWords, schemaWords } from '../outline/words.ts'
import { paramUses, type ParamUse } from './param-uses.ts'
import { failureWords, humanOf, outcomeWords, stepWords, triggerWords } from './sentences.ts'

export type ExplainedStep = {
  readonly step: string
  readonly kind: string
  readonly does: string
  readonly when: string | null
  /** What it leads to: a condition and what happens then. */
  readonly ways: readonly { readonly when: string; readonly then: string }[]
  readonly onFailure: readonly string[]
  readonly inside: readonly { readonly label: string; readonly steps: readonly ExplainedStep[] }[]
}

export type Explanation = {
  readonly flow: string
  readonly version: string
  readonly hash: string
  readonly input: string
  readonly output: readonly string[]
  readonly limits: readonly string[]
  readonly worstCase: {
    readonly timeMs: number
    readonly totalMs: number
    /** Null where a step that costs something states no budget. */
    readonly costMicroUsd: number | null
    readonly statedMicroUsd: number
    readonly limitTimeMs: number | null
    readonly limitTotalMs: number | null
    readonly limitCostMicroUsd: number | null
    readonly withoutTime: readonly string[]
    readonly withoutCost: readonly string[]
  }
  /** The longest way to each end of a run. */
  readonly paths: readonly {
    readonly ends: string
    readonly steps: readonly string[]
    readonly timeMs: number
    readonly totalMs: number
    readonly costMicroUsd: number
  }[]
  readonly steps: readonly ExplainedStep[]
  /** What starts it beside a request. */
  readonly triggers: readonly string[]
  readonly agents: readonly {
    readonly name: string
    readonly models: readonly string[]
    readonly tools: readonly string[]
    readonly for: readonly string[]
    readonly limits: readonly string[]
    readonly handoff: readonly string[]
    readonly minConfidence: number | null
    readonly checksItself: boolean
  }[]
  readonly people: readonly {
    readonly step: string
    readonly queue: string
    readonly priority: string
    readonly withinMs: number
    readonly title: string | null
    readonly onSilence: string
    readonly asked: string
  }[]
  readonly irreversible: readonly { readonly step: string; readonly does: string; readonly reached: string }[]
  readonly onFailure: { readonly step: string; readonly limit: string; readonly agents: readonly string[] }
  readonly params: readonly {
    readonly name: string
    readonly type: string
    readonly default: Json
    readonly min: number | null
    readonly max: number | null
    readonly about: string | null
    readonly moves: readonly ParamUse[]
  }[]
}

/** Explains a flow. */
export const explainFlow = ({ outline, plan, tree }: OpenedFlow): Explanation => {
  const reached = reachedSteps(outline)
  const worst = worstCase(tree)
  return {
    flow: outline.flow,
    version: outline.version,
    hash: outline.hash,
    input: schemaWords(outline.input),
    output: outputWords(outline),
    limits: limitWords(outline.limits),
    worstCase: worstWords(worst, outline),
    paths: worst.paths.map(({ how, step, path, timeMs, totalMs, costMicroUsd }) => ({
      ends: endWords(how, step === undefined ? undefined : (step.name ?? step.id)),
      steps: path.map((at) => at.step.name ?? at.step.id),
      timeMs,
      totalMs,
      costMicroUsd,
    })),
    steps: outline.steps.map(explainStep),
    triggers: (plan.triggers ?? []).map(triggerWords),
    agents: Object.values(plan.agents ?? {}).map(
      ({ name, models, tools, for: tasks, limits, handoff, minConfidence = null, selfCheck }) => ({
        name,
        models,
        tools,
        for: tasks,
        limits: limitWords(limits),
        handoff,
        minConfidence,
        checksItself: selfCheck !== undefined,
      }),
    ),
    people: reached.flatMap(({ step, how }) => {
      const human = humanOf(step)
      if (human === undefined) return []
      const { queue, priority, slaMs, title = null, onTimeout } = human
      const onSilence = onTimeout === 'escalate' ? 'asks once more with a higher priority, then fails' : 'fails'
      return [{ step: step.id, queue, priority, withinMs: slaMs, title, onSilence, asked: how }]
    }),
    irreversible: reached
      .filter(({ step }) => step.effect === 'irreversible')
      .map(({ step, how }) => ({ step: step.id, does: step.detail, reached: how })),
    onFailure: {
      step: outline.onError === undefined ? 'the run fails' : outcomeWords(outline.onError),
      limit: outline.onLimit === undefined ? 'the run fails' : outcomeWords(outline.onLimit),
      agents: outline.fallbacks.map(({ label, outcome }) => `${label}: ${outcomeWords(outcome)}`),
    },
    params: Object.entries(outline.params).map(([name, { type, default: value, min = null, max = null, about = null }]) => ({
      name,
      type,
      default: value,
      min,
      max,
      about,
      moves: paramUses(name, outline),
    })),
  }
}

const worstWords = (worst: ReturnType<typeof worstCase>, { limits }: Outline): Explanation['worstCase'] => ({
  timeMs: worst.timeMs,
  totalMs: worst.totalMs,
  costMicroUsd: worst.costMicroUsd ?? null,
  statedMicroUsd: worst.statedMicroUsd,
  limitTimeMs: limits.timeMs ?? null,
  limitTotalMs: limits.totalMs ?? null,
  limitCostMicroUsd: limits.costMicroUsd ?? null,
  withoutTime: worst.untimed.map(({ name, id }) => name ?? id),
  withoutCost: worst.uncosted.map(({ name, id }) => name ?? id),
})

const endWords = (how: 'complete' | 'end' | 'fail', step: string | undefined): string => {
  const at = step === undefined ? '' : ` at ${step}`
  return how === 'fail' ? `fails${at}` : `completes${at}`
}

const outputWords = ({ output, steps }: Outline): readonly string[] => {
  const last = steps.at(-1)
  if (output === undefined) return [`the output of ${last === undefined ? 'nothing' : stepWords(last)}`]
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return [written(output)]
  return Object.entries(output).map(([name, value]) => `${name}: ${written(value)}`)
}

const written = (value: Json): string => (typeof value === 'string' && value.startsWith('=') ? value.slice(1) : JSON.stringify(value))

const explainStep = (step: OutlineStep): ExplainedStep => {
  const ways = [...step.cases, ...step.gate]
  const blocks = [
    ...step.parts.map(({ label, steps }) => ({ label, steps })),
    ...outcomesOf(step).flatMap(({ label, outcome }) => (outcome.then === 'run' ? [{ label, steps: outcome.steps }] : [])),
  ]
  return {
    step: step.id,
    kind: step.kind,
    does: step.detail,
    when: step.when ?? null,
    ways: ways.map(({ label, when, outcome }) => ({ when: wayWords(label, when, step), then: outcomeWords(outcome) })),
    onFailure: failureWords(step),
    inside: blocks.map(({ label, steps }) => ({ label, steps: steps.map(explainStep) })),
  }
}

/** The case of a switch on a value is said by its label. */
const wayWords = (label: string, when: string | undefined, { facts }: OutlineStep): string =>
  when === undefined || label === when || facts['switch'] !== undefined ? label : `${label} (${when})`

type Reached = { readonly step: OutlineStep; readonly how: string }

/** Every step with the decisions that lead to it. */
const reachedSteps = (outline: Outline): readonly Reached[] => [
  ...reachedIn(outline.steps, []),
  ...reachedBy(outline.onError, ['a step fails']),
  ...reachedBy(outline.onLimit, ['a limit of the flow is reached']),
  ...outline.fallbacks.flatMap(({ label, outcome }) => reachedBy(outcome, [`agent ${label}`])),
]

const reachedIn = (steps: readonly OutlineStep[], trail: readonly string[]): readonly Reached[] =>
  steps.flatMap((step) => {
    const here = step.when === undefined ? trail : [...trail, step.when]
    return [
      { step, how: here.length === 0 ? 'in every run that comes this far' : `when ${here.join(', and ')}` },
      ...step.parts.flatMap((part) =>
        reachedIn(
          part.steps,
          part.role === 'failover' || part.role === 'undo' ? [...here, `${stepWords(step)} needs its ${part.label}`] : here,
        ),
      ),
      ...outcomesOf(step).flatMap(({ label, outcome }) => reachedBy(outcome, [...here, `${step.name ?? step.kind}: ${label}`])),
    ]
  })

const reachedBy = (outcome: OutlineOutcome | undefined, trail: readonly string[]): readonly Reached[] =>
  outcome?.then === 'run' ? reachedIn(outcome.steps, trail) : []
