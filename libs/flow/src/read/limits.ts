import { defined } from '../defined.ts'
import type { LimitsSpec } from '../plan.ts'
import type { Syntax } from '../source/syntax.ts'
import type { LimitsTree } from '../tree.ts'
import { readCount, readDuration, readFields, type ReadContext } from './context.ts'
import { readAmount, readMoney } from './literals.ts'

/** Words of a limit. */
type LimitWord = 'time' | 'total' | 'steps' | 'cost' | 'tokens' | 'calls' | 'turns' | 'rounds' | 'subtasks' | 'depth'

type Limits = { readonly what: string; readonly known: readonly LimitWord[]; readonly context: ReadContext }

/** Some of the caps there are, by the words that mean something here. */
export const readCaps = (node: Syntax, { what, known, context }: Limits): LimitsSpec => {
  const fields = readFields(node, { what, known, context })
  if (fields === undefined) return {}
  const duration = (key: LimitWord): number | undefined => fields.read(key, (value) => readDuration(value, `${what}.${key}`, context))
  const amount = (key: LimitWord): number | undefined => fields.read(key, (value) => readAmount(value, `${what}.${key}`, context))
  const count = (key: LimitWord, max: number): number | undefined =>
    fields.read(key, (value) => readCount(value, { what: `${what}.${key}`, min: 1, max, context }))
  return defined({
    timeMs: duration('time'),
    totalMs: duration('total'),
    steps: count('steps', 100_000),
    costMicroUsd: fields.read('cost', (value) => readMoney(value, `${what}.cost`, context)),
    tokens: amount('tokens'),
    calls: amount('calls'),
    turns: count('turns', 1_000),
    rounds: count('rounds', 1_000),
    subtasks: count('subtasks', 10_000),
    depth: count('depth', 100),
  })
}

const LIMITS = { timeMs: 600_000, totalMs: 30 * 86_400_000, steps: 100 }
const FLOW_LIMITS = ['time', 'total', 'steps', 'cost', 'tokens', 'calls', 'depth'] as const

/** The limits of a whole flow, with what the project decides for those it does not name. */
export const readLimits = (node: Syntax | undefined, context: ReadContext): LimitsTree => {
  const { defaults } = context
  const base = {
    timeMs: defaults.timeMs ?? LIMITS.timeMs,
    totalMs: defaults.totalMs ?? LIMITS.totalMs,
    steps: defaults.steps ?? LIMITS.steps,
  }
  if (node === undefined) return base
  const caps = readCaps(node, { what: 'limits', known: FLOW_LIMITS, context })
  const timeMs = caps.timeMs ?? base.timeMs
  const totalMs = caps.totalMs ?? Math.max(base.totalMs, timeMs)
  const total = node.kind === 'map' ? node.entries.find(({ key }) => key === 'total')?.value : undefined
  if (totalMs < timeMs)
    context.report.add(total ?? node, 'limit.exceeded', 'limits.total is wall clock and must not be shorter than limits.time')
  return { ...base, ...caps, timeMs, totalMs }
}

/** `budget: 0.01 USD`, or cost, tokens and calls. */
export const readBudget = (node: Syntax, context: ReadContext): LimitsSpec | undefined => {
  if (node.kind === 'map') return readCaps(node, { what: 'budget', known: ['cost', 'tokens', 'calls'], context })
  const costMicroUsd = readMoney(node, 'budget', context)
  return costMicroUsd === undefined ? undefined : { costMicroUsd }
}
