import { z } from 'zod'
import { defineTool } from '../tool.ts'

const DETAIL_CHARS_MAX = 8_000

/** Writes an error of a flow where operators look. One row for each effect key. */
export const logError = defineTool({
  name: 'ops/log_error',
  about: 'Records an error of a flow for the operators.',
  effect: 'write',
  idempotent: true,
  input: z.looseObject({
    code: z.string().max(200).nullish(),
    message: z.string().max(4_000).nullish(),
    /** What an error handler is given. */
    fault: z.looseObject({ code: z.string(), message: z.string().default('') }).nullish(),
  }),
  output: z.object({ logged: z.boolean(), code: z.string() }),
  timeoutMs: 5_000,
  run: async ({ code, message, ...detail }, { db, tenant, effectKey, runId, flow, path, nowMs, logger }) => {
    const known = code ?? detail.fault?.code ?? 'unknown'
    const said = message ?? detail.fault?.message ?? ''
    const { rowCount } = await db.query(
      `insert into ops_errors (tenant, effect_key, run_id, flow, path, code, message, detail, created_at_ms)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (tenant, effect_key) do nothing`,
      [tenant, effectKey, runId, flow, path, known, said, JSON.stringify(detail).slice(0, DETAIL_CHARS_MAX), nowMs()],
      { name: 'ops-log-error' },
    )
    if (rowCount > 0) logger.error({ runId, flow, path, code: known }, 'a flow reported an error')
    return { logged: true, code: known }
  },
})
