// Tools whose effect is a row that stays, and which fail as a suite tells them to.
import { Fault, type Json } from '@baton/contracts'
import { defineTool, type Tool, type ToolContext } from '@baton/tools'
import { z } from 'zod'

/** What happens to one call: nothing unusual, an error before or after the effect, or no answer at all. */
export type Mishap = 'fine' | 'refuse before' | 'crash after' | 'hang after' | 'slow'

const mishaps = new Map<string, Mishap[]>()
const calls = new Map<string, readonly number[]>()

/** What happens to the calls about a text, one after the other; fine after them. */
export const plan = (text: string, ...planned: readonly Mishap[]): void => void mishaps.set(text, [...planned])
/** How often a tool was called about a text. */
export const callsOf = (text: string): number => callTimes(text).length
/** When, in monotone milliseconds. */
export const callTimes = (text: string): readonly number[] => calls.get(text) ?? []
const called = (text: string): void => void calls.set(text, [...callTimes(text), performance.now()])

const SLOW_MS = 200
const TABLE = 'create table if not exists sent_things (effect_key text not null, run_id text not null, body text not null)'

/** The effects that runs have had, by what they were about. */
export const sent = async (db: ToolContext['db'], text: string): Promise<number> => {
  await db.query(TABLE, [])
  const { rows } = await db.query<{ count: string }>('select count(*) as count from sent_things where body = $1', [text])
  return Number(rows[0]?.count)
}

const Sent = z.object({ sent: z.string() })

const keep = async (text: string, { db, effectKey, runId }: ToolContext, once: boolean): Promise<void> => {
  await db.query(TABLE, [])
  const unlessThere = once ? 'where not exists (select 1 from sent_things where effect_key = $1)' : ''
  await db.query(`insert into sent_things (effect_key, run_id, body) select $1, $2, $3 ${unlessThere}`, [effectKey, runId, text])
}

const act = async (text: string, context: ToolContext, once: boolean): Promise<{ sent: string }> => {
  called(text)
  const mishap = mishaps.get(text)?.shift() ?? 'fine'
  if (mishap === 'refuse before') throw new Fault('tool.failed', 'the office is closed')
  if (mishap === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS))
  await keep(text, context, once)
  if (mishap === 'crash after') throw new TypeError('cannot read the answer of the office')
  if (mishap === 'hang after') await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
  return { sent: text }
}

const made = async ({ db, effectKey }: ToolContext): Promise<{ sent: string } | undefined> => {
  await db.query(TABLE, [])
  const { rows } = await db.query<{ body: string }>('select body from sent_things where effect_key = $1', [effectKey])
  return rows[0] === undefined ? undefined : { sent: rows[0].body }
}

const input = z.strictObject({ text: z.string() })
const common = { effect: 'write', input, output: Sent, timeoutMs: 2_000 } as const

/** Cannot be repeated and cannot tell what became of it. */
export const letter: Tool = defineTool({ ...common, name: 'test/letter', run: ({ text }, context) => act(text, context, false) })
/** Has its effect once for its key, however often it is called. */
export const stamp: Tool = defineTool({
  ...common,
  name: 'test/stamp',
  idempotent: true,
  run: ({ text }, context) => act(text, context, true),
})
/** Can tell what became of it. */
export const parcel: Tool = defineTool({
  ...common,
  name: 'test/parcel',
  run: ({ text }, context) => act(text, context, false),
  reconcile: (_key, context) => made(context),
})
/** Looks something up: no effect at all. */
export const look: Tool = defineTool({
  name: 'test/look',
  effect: 'read',
  input,
  output: z.custom<Json>(),
  timeoutMs: 2_000,
  run: async ({ text }) => {
    called(text)
    const mishap = mishaps.get(text)?.shift() ?? 'fine'
    if (mishap === 'refuse before') throw new Error('connection reset')
    if (mishap === 'hang after') await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
    return { found: text }
  },
})
