// config/limits.yaml: how often somebody may ask, and how much may be spent. Limits of models and servers are in models.yaml.
//   L1. A name of `*` is for each: every tenant has a limit or budget of its own. A name stands before it.
//   L2. Without the file nothing is limited.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BUDGET_PERIODS, type BudgetPeriod } from '@baton/policy'
import { z } from 'zod'
import { readYaml } from '../catalogue/yaml-file.ts'
import { STREAMS } from '../stream/stream-rule.policy.ts'

const Whose = z.enum(['tenant', 'user', 'flow'])
type Whose = z.infer<typeof Whose>
const Name = z.string().min(1).max(200)

const Limit = z.strictObject({
  of: Whose,
  name: Name.default('*'),
  requestsPerMinute: z.number().int().positive().optional(),
  tokensPerMinute: z.number().int().positive().optional(),
  concurrency: z.number().int().positive().optional(),
})
const Budget = z.strictObject({
  /** `all`: everybody together. */
  of: z.enum(['tenant', 'user', 'flow', 'all']),
  name: Name.default('*'),
  per: z.enum(BUDGET_PERIODS),
  usd: z.number().positive(),
  /** From this share on cheaper models go first. */
  softAt: z.number().gt(0).max(1).default(0.8),
})
const Breakers = z.strictObject({
  failuresInRow: z.number().int().min(1).max(1_000).default(5),
  failedShare: z.number().gt(0).max(1).default(0.5),
  openForMs: z.number().int().min(100).max(60_000).default(2_000),
})
export const LimitsFile = z.strictObject({
  limits: z.array(Limit).max(1_000).default([]),
  budgets: z.array(Budget).max(1_000).default([]),
  /** Which slow calls are started a second time: those of steps that ask for it, or all that take longer than 95 of 100 did. */
  hedge: z.enum(['asked', 'slow']).default('asked'),
  /** Share of the calls of a model that may be started a second time. */
  hedgeShare: z.number().min(0).max(0.5).default(0.05),
  /** When a model or server is left alone: after so many failures in a row, or this share of at least twenty calls; and how long at first. */
  breakers: Breakers.default({ failuresInRow: 5, failedShare: 0.5, openForMs: 2_000 }),
  /** Which answers go to the stream topic while they are written: free text, all, or none. */
  stream: z.enum(STREAMS).default('text'),
})
export type LimitsFile = z.infer<typeof LimitsFile>

/** Who asks. */
export type Subject = { readonly tenant: string; readonly flow: string; readonly user?: string }

/** One limit that applies, by a key of its own. */
export type Claim = {
  readonly key: string
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly concurrency?: number
}

/** One budget that applies. */
export type BudgetRule = {
  readonly key: string
  readonly of: LimitsFile['budgets'][number]['of']
  readonly per: BudgetPeriod
  readonly capMicroUsd: number
  readonly softAt: number
}

type Rates = { readonly [Kind in 'requestsPerMinute' | 'tokensPerMinute' | 'concurrency']?: number | undefined }

/** A limit under a key; what it does not name is not limited. */
export const claimOf = (key: string, { requestsPerMinute, tokensPerMinute, concurrency }: Rates): Claim => ({
  key,
  ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
  ...(concurrency === undefined ? {} : { concurrency }),
})

const MICRO_USD = 1_000_000
/** Users are users of their tenant. */
const nameOf = (of: Whose, { tenant, flow, user }: Subject): string | undefined => {
  if (of === 'tenant') return tenant
  if (of === 'flow') return `${tenant}/${flow}`
  return user === undefined ? undefined : `${tenant}/${user}`
}
/** What a file calls it: users and flows are named without their tenant, or with it. */
const isNamed = (name: string, of: Whose, subject: Subject): boolean => {
  const own = of === 'tenant' ? subject.tenant : of === 'flow' ? subject.flow : subject.user
  return name === own || name === nameOf(of, subject)
}

type Ruled = { readonly of: Whose | 'all'; readonly name: string }
/** The rules for somebody: of those for one kind and one period the named one, else the one for each (L1). */
const rulesFor = <R extends Ruled>(rules: readonly R[], subject: Subject, same: (left: R, right: R) => boolean): readonly R[] => {
  const fitting = rules.filter(
    ({ of, name }) => of === 'all' || (nameOf(of, subject) !== undefined && (name === '*' || isNamed(name, of, subject))),
  )
  return fitting.filter((rule) => rule.name !== '*' || !fitting.some((other) => other.name !== '*' && same(rule, other)))
}

/** The limits of somebody. */
export const claimsOf = (file: LimitsFile, subject: Subject): readonly Claim[] =>
  rulesFor(file.limits, subject, (left, right) => left.of === right.of).map(({ of, ...limits }) =>
    claimOf(`${of}:${nameOf(of, subject)}`, limits),
  )

/** The budgets of somebody. */
export const budgetsOf = (file: LimitsFile, subject: Subject): readonly BudgetRule[] =>
  rulesFor(file.budgets, subject, (left, right) => left.of === right.of && left.per === right.per).map(({ of, per, usd, softAt }) => ({
    key: `${of === 'all' ? 'all' : `${of}:${nameOf(of, subject)}`}/${per}`,
    of,
    per,
    capMicroUsd: Math.floor(usd * MICRO_USD),
    softAt,
  }))

/** Reads `config/limits.yaml`. Throws `config.invalid` with the place of the mistake. */
export const loadLimits = async (configDir: string): Promise<LimitsFile> => {
  const path = join(configDir, 'limits.yaml')
  return existsSync(path) ? readYaml(path, LimitsFile) : LimitsFile.parse({}) // L2
}
