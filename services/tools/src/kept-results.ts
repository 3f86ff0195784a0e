// Results that are too long for a model: it gets the beginning, and reads the rest in pages when it needs it.
//   Q1. Nothing is cut silently: what a model gets says that it is a part, how long the whole is, and how to read on.
//   Q2. A result is read by the run it belongs to, under a name that only this run was told.
import { Fault, isJsonObject, sha256, type Json } from '@baton/contracts'
import type { Database } from '@baton/store'
import { z } from 'zod'
import { defineTool } from './tool.ts'

/** Characters of JSON that an agent is given of one result, where the configuration says nothing. */
export const RESULT_CHARS = 16_000
const PAGE_CHARS = 8_000
const PAGE_CHARS_MAX = 32_000
export const READ_RESULT = 'baton/read_result'

type Kept = { readonly tenant: string; readonly rootRunId: string; readonly id: string }

const textOf = (output: Json): string => (typeof output === 'string' ? output : JSON.stringify(output))

/** The text up to a number of characters, never half of a pair. */
const head = (text: string, chars: number): string => {
  const last = text.charCodeAt(chars - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? chars - 1 : chars)
}

/** Of structured content, the short fields stay as they are: ids and totals are what the next call needs. */
const shortFields = (output: Json): { readonly [name: string]: Json } =>
  isJsonObject(output)
    ? Object.fromEntries(
        Object.entries(output)
          .filter(([, field]) => JSON.stringify(field).length <= 200)
          .slice(0, 20),
      )
    : {}

/** What an agent gets of a result: all of it, or its beginning with a pointer to the whole (Q1). */
export const fitResult = async (
  db: Database,
  {
    tenant,
    rootRunId,
    effectKey,
    tool,
    output,
    charsMax,
    nowMs,
  }: Omit<Kept, 'id'> & { effectKey: string; tool: string; output: Json; charsMax: number; nowMs: number },
): Promise<Json> => {
  const text = textOf(output)
  if (text.length <= charsMax) return output
  const id = `res_${sha256(effectKey).slice(0, 20)}`
  await db.query(
    `insert into tool_results (tenant, root_run_id, id, tool, content, created_at_ms) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant, root_run_id, id) do nothing`,
    [tenant, rootRunId, id, tool, text.replaceAll('\u0000', '\ufffd'), nowMs],
    { name: 'tool-result-keep' },
  )
  const shown = head(text, charsMax)
  return {
    truncated: true,
    chars: text.length,
    shown: shown.length,
    fields: shortFields(output),
    text: shown,
    whole: { tool: READ_RESULT, arguments: { result: id, from: shown.length } },
  }
}

const whole = async (db: Database, { tenant, rootRunId, id }: Kept): Promise<{ readonly tool: string; readonly content: string }> => {
  const { rows } = await db.query<{ tool: string; content: string }>(
    'select tool, content from tool_results where tenant = $1 and root_run_id = $2 and id = $3',
    [tenant, rootRunId, id],
    { name: 'tool-result-find' },
  )
  const [row] = rows
  if (row === undefined) throw new Fault('tool.arguments_invalid', `result: this run has no result ${id}`, { field: 'result' }) // Q2
  return row
}

/** Reads a result that was too long, a page at a time, or the places where a text stands in it. */
export const readResult = defineTool({
  name: READ_RESULT,
  about: 'Reads more of a result that was cut: from a character on, or around the places where a text occurs.',
  effect: 'read',
  input: z.strictObject({
    result: z.string().max(100),
    from: z.number().int().min(0).default(0),
    chars: z.number().int().min(1).max(PAGE_CHARS_MAX).default(PAGE_CHARS),
    find: z.string().min(1).max(200).optional(),
  }),
  output: z.object({ tool: z.string(), from: z.number(), chars: z.number(), text: z.string(), next: z.number().nullable() }),
  timeoutMs: 5_000,
  run: async ({ result, from, chars, find }, { db, tenant, runId, rootRunId = runId }) => {
    const { tool, content } = await whole(db, { tenant, rootRunId, id: result })
    const found = find === undefined ? from : content.toLowerCase().indexOf(find.toLowerCase(), from)
    if (found < 0) return { tool, from: content.length, chars: content.length, text: '', next: null }
    const start = find === undefined ? from : Math.max(from, found - Math.floor(chars / 4))
    const text = head(content.slice(start), chars)
    const next = start + text.length
    return { tool, from: start, chars: content.length, text, next: next < content.length ? next : null }
  },
})

/** Removes results that are older. */
export const forgetResults = async (db: Database, beforeMs: number): Promise<void> => {
  await db.query('delete from tool_results where created_at_ms < $1', [beforeMs])
}
