// `rules`, `limits` and `taint` of config/tools.yaml: what may be called, by whom, how often, and when a person is asked.
//   R1. Every condition is compiled when the file is read; one that cannot be is told with its line.
import { canonicalJson, sha256 } from '@baton/contracts'
import { loadCondition, type Condition } from '@baton/flow'
import { z } from 'zod'
import { Duration } from '../config/duration.ts'
import { Names } from '../config/names.ts'
import type { ConfigSection } from '../config/section.ts'

/** What a condition sees. */
const SEEN = ['args', 'params', 'call'] as const
const Cel = z.string().min(1).max(2_000)

const Rule = z.strictObject({
  tools: Names,
  /** The class, whatever the tool says of itself. */
  effect: z.enum(['read', 'write', 'irreversible']).optional(),
  outside: z.boolean().optional(),
  private: z.boolean().optional(),
  outbound: z.boolean().optional(),
  /** Nobody but these. Each list that is given has to fit. */
  only: z.strictObject({ flows: Names.optional(), steps: Names.optional(), agents: Names.optional() }).optional(),
  /** Conditions that all have to hold. */
  require: z
    .union([Cel, z.array(Cel).min(1).max(20)])
    .transform((given) => (typeof given === 'string' ? [given] : given))
    .optional(),
  /** Asks a person: always, or when the condition holds. */
  ask: z.union([z.literal(true), Cel]).optional(),
  /** Where the question goes. */
  queue: z.string().min(1).max(200).optional(),
  sla: Duration.optional(),
})

const Limit = z
  .strictObject({
    tools: Names,
    per: Duration,
    /** Whose calls are counted together. */
    each: z.enum(['tenant', 'flow', 'user', 'session', 'run']).default('tenant'),
    calls: z.number().int().positive().max(1e9).optional(),
    spend: z.strictObject({ argument: z.string().min(1).max(200), max: z.number().positive() }).optional(),
  })
  .refine(({ calls, spend }) => calls !== undefined || spend !== undefined, 'needs calls or spend')

const Taint = z.strictObject({
  /** What happens where content from outside, private data and a call that reaches outside come together. */
  action: z.enum(['ask', 'deny', 'allow']).default('ask'),
  /** Every run is taken to hold private data. */
  assumePrivate: z.boolean().default(false),
  queue: z.string().min(1).max(200).optional(),
})

export type ToolRule = Omit<z.output<typeof Rule>, 'require' | 'ask'> & {
  readonly require: readonly { readonly cel: string; readonly condition: Condition }[]
  readonly ask?: true | { readonly cel: string; readonly condition: Condition }
}
export type UseLimit = z.output<typeof Limit> & { readonly id: string }
export type TaintRule = z.output<typeof Taint>
export type ToolRules = {
  readonly rules: readonly ToolRule[]
  readonly limits: readonly UseLimit[]
  readonly taint: TaintRule
  /** Changes with every change of a rule: an approval is for one of them. */
  readonly version: string
}

/** Where nothing is configured. */
export const NO_RULES: ToolRules = { rules: [], limits: [], taint: { action: 'ask', assumePrivate: false }, version: '0' }

/** Reads the three sections. Throws `config.invalid` with file and line. */
export const readRules = (config: ConfigSection): ToolRules => {
  const part = <S extends z.ZodType>(name: string, schema: S): z.output<S> => config.part(name).parse(schema)
  const given = part('rules', z.array(Rule).max(1_000).default([]))
  const limits = part('limits', z.array(Limit).max(1_000).default([]))
  const taint = part('taint', Taint.default({ action: 'ask', assumePrivate: false }))
  const compiled = (cel: string, ...path: PropertyKey[]): { cel: string; condition: Condition } => {
    try {
      return { cel, condition: loadCondition(cel, { names: SEEN, field: 'condition' }) }
    } catch (error) {
      throw config.refuse(error instanceof Error ? error.message : 'not a condition', 'rules', ...path) // R1
    }
  }
  const rules = given.map(({ require = [], ask, ...rest }, at): ToolRule => {
    const conditions = require.map((cel) => compiled(cel, at, 'require'))
    if (ask === undefined) return { ...rest, require: conditions }
    return { ...rest, require: conditions, ask: ask === true ? true : compiled(ask, at, 'ask') }
  })
  return {
    rules,
    limits: limits.map((limit) => ({
      ...limit,
      id: sha256(canonicalJson({ ...limit, calls: 0, spend: limit.spend?.argument ?? '' })).slice(0, 16),
    })),
    taint,
    version: sha256(canonicalJson({ given, limits, taint })),
  }
}
