// What was learned, read from the scores: rates by route and confidence, cases for evaluation, people in a hurry, and the signatures.
import { sha256, type Json } from '@baton/contracts'
import type { Database } from '@baton/store'
import { overturnBins, proposeThreshold, type Bin, type Outcome, type Proposal } from '@baton/policy/activation'

export type LearnedFilter = {
  readonly tenant: string
  readonly flow?: string | undefined
  readonly node?: string | undefined
  readonly sinceMs: number
}
type RouteRates = { readonly route: string; readonly decisions: number; readonly automatic: number; readonly bins: readonly Bin[] }
/** A person's newest decisions, and how many of them took less than three seconds. */
type Hurry = { readonly by: string; readonly decisions: number; readonly hurried: number; readonly alarm: boolean }
type Case = { readonly [field: string]: Json }

export type Learned = {
  rates(filter: LearnedFilter): Promise<readonly RouteRates[]>
  propose(filter: LearnedFilter, options: { now: number; target: number }): Promise<Proposal>
  /** Oldest first, at most `limit` behind `after`. */
  cases(filter: LearnedFilter & { after: string; limit: number }): Promise<readonly Case[]>
  hurries(tenant: string, share: number): Promise<readonly Hurry[]>
  /** Whether every signature follows from the one before it; `brokenAt` is the first that does not. */
  verify(tenant: string): Promise<{ readonly signatures: number; readonly brokenAt: number | null }>
}

/** Shorter than anybody reads. */
export const HURRY_MS = 3_000
/** How many of a person's newest decisions are looked at, and how many there have to be for an alarm. */
const HURRY_DECISIONS = 50
const HURRY_DECISIONS_MIN = 10
const OUTCOMES_MAX = 100_000

type ScoreRow = {
  readonly route: string
  readonly confidence: number
  readonly score: number
  readonly share: number
  readonly automatic: boolean
}

const scoresOf = async (db: Database, { tenant, flow, node, sinceMs }: LearnedFilter): Promise<readonly ScoreRow[]> => {
  const { rows } = await db.query<ScoreRow>(
    `select route, confidence, score, share, automatic from review_scores
     where tenant = $1 and at_ms >= $2 and confidence is not null and ($3::text is null or flow = $3) and ($4::text is null or node_id = $4)
     order by at_ms desc limit ${OUTCOMES_MAX}`,
    [tenant, sinceMs, flow ?? null, node ?? null],
  )
  return rows
}

const outcomeOf = ({ confidence, score, share }: ScoreRow): Outcome => ({ confidence, right: score === 1, share })

type CaseRow = {
  readonly taskId: string
  readonly runId: string
  readonly flow: string
  readonly path: string
  readonly input: string
  readonly verdict: string
  readonly output: string | null
  readonly reason: string | null
  readonly by: string
  readonly score: number
  readonly confidence: number | null
  readonly route: string
  readonly automatic: boolean
}

/** A decision as a case: what was edited or answered is what is expected, what was approved is golden, what was rejected never again. */
const caseOf = ({ input, output, verdict, ...row }: CaseRow): Case => {
  const shown = JSON.parse(input) as Json // written by this service
  const decided = output === null ? null : (JSON.parse(output) as Json)
  return { id: row.taskId, ...row, input: shown, verdict, ...(verdict === 'reject' ? { never: true } : { expected: decided }) }
}

const verify = async (db: Database, tenant: string): Promise<{ signatures: number; brokenAt: number | null }> => {
  let before = ''
  let count = 0
  for (;;) {
    const { rows } = await db.query<{ n: string; body: string; before: string; hash: string }>(
      'select n, body, before, hash from review_audit where tenant = $1 and n > $2 order by n limit 1000',
      [tenant, count],
    )
    for (const row of rows) {
      const expected = sha256(before + row.body)
      if (Number(row.n) !== count + 1 || row.before !== before || row.hash !== expected) return { signatures: count, brokenAt: count + 1 }
      before = row.hash
      count += 1
    }
    if (rows.length < 1_000) break
  }
  // The head knows how many there were: one that was cut off at the end is missed as well.
  const { rows } = await db.query<{ n: string; hash: string }>('select n, hash from review_audit_heads where tenant = $1', [tenant])
  const [head] = rows
  const whole = head === undefined ? count === 0 : Number(head.n) === count && head.hash === before
  return { signatures: count, brokenAt: whole ? null : count + 1 }
}

export const learnedFrom = (db: Database): Learned => ({
  rates: async (filter) => {
    const scores = await scoresOf(db, filter)
    return [...new Set(scores.map(({ route }) => route))]
      .toSorted((left, right) => (left < right ? -1 : 1))
      .map((route) => {
        const rows = scores.filter((row) => row.route === route)
        const automatic = rows.filter((row) => row.automatic).length
        return { route, decisions: rows.length, automatic, bins: overturnBins(rows.map(outcomeOf)) }
      })
  },
  propose: async (filter, options) => proposeThreshold((await scoresOf(db, filter)).map(outcomeOf), options),
  cases: async ({ tenant, flow, node, sinceMs, after, limit }) => {
    const { rows } = await db.query<CaseRow>(
      `select t.task_id as "taskId", t.run_id as "runId", t.flow, t.path, t.input, t.verdict, t.output, t.reason, t.decided_by as "by",
         s.score, s.confidence, s.route, s.automatic
       from review_scores s join review_tasks t on t.tenant = s.tenant and t.task_id = s.task_id
       where s.tenant = $1 and s.at_ms >= $2 and ($3::text is null or s.flow = $3) and ($4::text is null or s.node_id = $4) and s.task_id > $5
       order by s.task_id limit $6`,
      [tenant, sinceMs, flow ?? null, node ?? null, after, limit],
    )
    return rows.map(caseOf)
  },
  hurries: async (tenant, share) => {
    const { rows } = await db.query<{ by: string; decisions: string; hurried: string }>(
      `select made_by as "by", count(*) as decisions, count(*) filter (where took_ms < ${HURRY_MS}) as hurried from (
         select made_by, took_ms, row_number() over (partition by made_by order by at_ms desc) as place from review_scores where tenant = $1
       ) newest where place <= ${HURRY_DECISIONS} group by made_by order by made_by`,
      [tenant],
    )
    return rows.map(({ by, ...row }) => {
      const [decisions, hurried] = [Number(row.decisions), Number(row.hurried)]
      return { by, decisions, hurried, alarm: decisions >= HURRY_DECISIONS_MIN && hurried / decisions > share }
    })
  },
  verify: (tenant) => verify(db, tenant),
})
