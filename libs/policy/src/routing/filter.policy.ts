// Which models may answer at all.
//   F1. What a model cannot do, may not see or where it may not be asked is never weighed against price or speed.
//   F2. A class of data goes only to models that list it, and to local ones; a model that lists none gets none.
//   F3. What passes by itself (breaker, limits, rest) is told apart from what does not: the one is waited for, the other is not.
import { expectedCost } from './cost.policy.ts'
import type { Condition, LiveFacts, ModelFacts, Need } from './facts.ts'

/** Why a model is out, and what kind of reason it is. */
export type Loss = {
  readonly kind: 'able' | 'allowed' | 'price' | 'budget' | 'passing' | 'late'
  readonly why: string
  readonly untilMs?: number
}

const needsOf = (need: Need): readonly ('tools' | 'vision' | 'audio')[] =>
  (['tools', 'vision', 'audio'] as const).filter((what) => need[what])

const ability = ({ capabilities, outputTokensMax }: ModelFacts, need: Need): string | undefined => {
  const missing = needsOf(need).filter((what) => !capabilities[what])
  if (missing.length > 0) return `it has no ${missing.join(', ')}`
  const { contextTokens, outputTokens } = capabilities
  const wanted = Math.min(need.outputTokens ?? 0, outputTokensMax)
  if (contextTokens !== undefined && need.inputTokens + wanted > contextTokens)
    return `the question has about ${need.inputTokens} tokens and it reads ${contextTokens}`
  if (outputTokens !== undefined && need.outputTokens !== undefined && need.outputTokens > outputTokens)
    return `the answer may have ${need.outputTokens} tokens and it writes ${outputTokens}`
  return undefined
}

const permission = ({ name, local, region, dataClasses }: ModelFacts, { denied, regions, dataClass }: Need): string | undefined => {
  if (denied !== undefined && Object.hasOwn(denied, name)) return denied[name]
  if (local) return undefined
  if (dataClass !== undefined && !dataClasses.includes(dataClass)) return `it may not see data of the class ${dataClass}` // F2
  if (regions !== undefined && (region === undefined || !regions.includes(region)))
    return `it is in ${region ?? 'no named region'}, and this has to stay in ${regions.join(', ')}`
  return undefined
}

const passing = ({ breaker, restsUntilMs = 0, limited }: Condition, nowMs: number): Loss | undefined => {
  const until = restsUntilMs > nowMs ? { untilMs: restsUntilMs } : {}
  if (breaker === 'open') return { kind: 'passing', why: 'it failed too often of late and rests', ...until }
  if (restsUntilMs > nowMs) return { kind: 'passing', why: 'its provider asked for a rest', ...until }
  return limited === true ? { kind: 'passing', why: 'its limit of requests or tokens is used up for now' } : undefined
}

/** Why this model may not answer this question now; undefined: it may. */
export const lossOf = (facts: ModelFacts, need: Need, live: LiveFacts): Loss | undefined => {
  const unable = ability(facts, need) // F1
  if (unable !== undefined) return { kind: 'able', why: unable }
  const forbidden = permission(facts, need)
  if (forbidden !== undefined) return { kind: 'allowed', why: forbidden }
  const cost = expectedCost(facts, need)
  if (cost === undefined) return { kind: 'price', why: 'its price is not known, and its calls have no cap' }
  const { budgetLeftMicroUsd: left } = live
  if (left !== undefined && cost > left) return { kind: 'budget', why: `it costs about ${cost} micro-dollars and ${left} are left` }
  const condition = live.conditionOf(facts.name)
  const away = passing(condition, live.nowMs) // F3
  if (away !== undefined) return away
  const { latency } = condition
  return latency !== undefined && latency.p50 > live.leftMs
    ? {
        kind: 'late',
        why: `half of its answers take longer than ${Math.round(latency.p50)} ms, and ${Math.round(live.leftMs)} ms are left`,
      }
    : undefined
}
