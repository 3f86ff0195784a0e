// How often tools were called, and for how much, in the present window of each limit.
//   L1. A call is counted once for its effect key, however often it is delivered; one that is refused is not counted.
//   L2. Windows begin at whole multiples of their length since 1970, so that every process means the same one.
import { Fault, isJsonObject, type Json } from '@baton/contracts'
import type { Database, Queryable } from '@baton/store'
import { matchesName } from '../config/names.ts'
import type { UseLimit } from './rules.config.ts'

/** One call that wants to be counted. */
export type Use = {
  readonly tenant: string
  readonly tool: string
  readonly effectKey: string
  readonly args: Json
  readonly flow: string
  readonly runId: string
  readonly user?: string
  readonly session?: string
}

const ownerOf = ({ each }: UseLimit, { flow, runId, user = '', session = '' }: Use): string =>
  ({ tenant: '', flow, user, session, run: runId })[each]

const amountOf = ({ spend }: UseLimit, { tool, args }: Use): number => {
  if (spend === undefined) return 0
  let at: Json | undefined = args
  for (const key of spend.argument.split('.')) at = isJsonObject(at) ? at[key] : undefined
  if (typeof at === 'number' && Number.isFinite(at) && at >= 0) return at
  throw new Fault('tool.denied', `${tool}: ${spend.argument} is no amount, and there is a limit on it`, { tool, rule: 'spend' })
}

const count = async (tx: Queryable, limit: UseLimit, use: Use, nowMs: number): Promise<void> => {
  const startMs = Math.floor(nowMs / limit.per) * limit.per // L2
  const owner = ownerOf(limit, use)
  const { rowCount: fresh } = await tx.query(
    `insert into tool_uses (tenant, limit_id, effect_key, until_ms) values ($1, $2, $3, $4) on conflict do nothing returning limit_id`,
    [use.tenant, limit.id, use.effectKey, startMs + 2 * limit.per],
    { name: 'tool-use' },
  )
  if (fresh === 0) return // L1
  const { rows } = await tx.query<{ calls: string; spent: number }>(
    `insert into tool_limits as t (tenant, limit_id, owner, start_ms, until_ms, calls, spent) values ($1, $2, $3, $4, $5, 1, $6)
     on conflict (tenant, limit_id, owner, start_ms) do update set calls = t.calls + 1, spent = t.spent + excluded.spent
     returning calls, spent`,
    [use.tenant, limit.id, owner, startMs, startMs + limit.per, amountOf(limit, use)],
    { name: 'tool-limit' },
  )
  const { calls = '0', spent = 0 } = rows[0] ?? {}
  const retryAfterMs = Math.max(1, Math.ceil(startMs + limit.per - nowMs))
  const detail = { tool: use.tool, retryAfterMs }
  // Thrown inside the transaction: what is refused leaves no trace (L1).
  if (limit.calls !== undefined && Number(calls) > limit.calls)
    throw new Fault('tool.rate_limited', `${use.tool} was called ${limit.calls} times, which is what it may be within its time`, detail)
  if (limit.spend !== undefined && spent > limit.spend.max)
    throw new Fault('tool.rate_limited', `${use.tool} would go beyond ${limit.spend.max} within its time`, detail)
}

/** Counts a call with every limit that is for it. Throws `tool.rate_limited` with the time until it may be called again, `tool.denied`. */
export const countUse = async (db: Database, limits: readonly UseLimit[], use: Use & { readonly nowMs: number }): Promise<void> => {
  const meant = limits.filter(({ tools }) => matchesName(tools, use.tool))
  if (meant.length === 0) return
  await db.transaction(async (tx) => {
    for (const limit of meant) await count(tx, limit, use, use.nowMs)
  })
}

/** Forgets windows that are over. */
export const forgetUses = async (db: Database, nowMs: number): Promise<void> => {
  await db.query('delete from tool_uses where until_ms < $1', [nowMs])
  await db.query('delete from tool_limits where until_ms < $1', [nowMs])
}
