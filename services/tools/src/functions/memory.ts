// What is known of the user of a run, and of its session, for flows and agents.
//   M1. Who the user and which the session is, the run says: no argument can name another's.
//   M2. Everything remembered says by which run and step.
import { Fault, type Json } from '@baton/contracts'
import { z } from 'zod'
import { defineTool, type ToolContext } from '../tool.ts'

const VALUE_CHARS_MAX = 16_000
const DAY_MS = 86_400_000
const Kind = z.enum(['profile', 'preference', 'fact'])
const Value = z.custom<Json>(
  (value) => value !== undefined && JSON.stringify(value).length <= VALUE_CHARS_MAX,
  `a value of at most ${VALUE_CHARS_MAX} characters`,
)
const Key = z.string().min(1).max(200)

const userOf = ({ user }: ToolContext): string => {
  if (user === undefined) throw new Fault('tool.arguments_invalid', 'the request names no user, so nothing is known and kept of one')
  return user
}
const sessionOf = ({ session }: ToolContext): string => {
  if (session === undefined) throw new Fault('tool.arguments_invalid', 'the request names no session')
  return session
}

/** Profile, preferences and facts of the user. */
export const recall = defineTool({
  name: 'memory/recall',
  about: 'What is known of the user: profile, preferences and facts, the newest first.',
  effect: 'read',
  private: true,
  input: z.strictObject({ kind: Kind.nullish(), limit: z.number().int().min(1).max(200).nullish() }),
  output: z.object({
    items: z.array(
      z.object({
        kind: Kind,
        key: z.string(),
        value: z.custom<Json>(),
        text: z.string(),
        source: z.string(),
        by: z.string(),
        at: z.number(),
      }),
    ),
  }),
  timeoutMs: 5_000,
  run: async ({ kind, limit }, context) => {
    const { tenant, stores, nowMs } = context
    const of = { tenant, userId: userOf(context), nowMs: nowMs(), limit: limit ?? 50 } // M1
    const found = await stores.memories.list({ ...of, ...(kind == null ? {} : { kind }) })
    return {
      items: found.map(({ kind: is, key, value, source, by, atMs }) => ({
        kind: is,
        key,
        value,
        text: `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
        source,
        by,
        at: atMs,
      })),
    }
  },
})

/** Remembers one thing of the user. The same kind and key again replaces it. */
export const remember = defineTool({
  name: 'memory/remember',
  about: 'Remembers one thing of the user for later conversations; the same kind and key again replaces it.',
  effect: 'write',
  idempotent: true,
  input: z.strictObject({ kind: Kind.nullish(), key: Key, value: Value, days: z.number().min(1).max(3_650).nullish() }),
  output: z.object({ remembered: z.boolean(), id: z.string() }),
  timeoutMs: 5_000,
  run: async ({ kind, key, value, days }, context) => {
    const { tenant, stores, nowMs, runId, flow, path } = context
    const atMs = nowMs()
    const id = `${kind ?? 'fact'}:${key}`
    const remembered = await stores.memories.put({
      tenant,
      userId: userOf(context), // M1
      id,
      kind: kind ?? 'fact',
      key,
      value,
      source: `${flow} ${path}`.slice(0, 300), // M2
      by: 'run',
      runId,
      atMs,
      expiresAtMs: days == null ? null : atMs + days * DAY_MS,
    })
    return { remembered, id }
  },
})

/** Forgets one thing of the user. */
export const forget = defineTool({
  name: 'memory/forget',
  about: 'Forgets one thing that is known of the user.',
  effect: 'write',
  idempotent: true,
  input: z.strictObject({ kind: Kind.nullish(), key: Key }),
  output: z.object({ forgotten: z.boolean() }),
  timeoutMs: 5_000,
  run: async ({ kind, key }, context) => ({
    forgotten: await context.stores.memories.forget({ tenant: context.tenant, userId: userOf(context), id: `${kind ?? 'fact'}:${key}` }),
  }),
})

/** The state of the session, whatever channel it came by. */
export const sessionState = defineTool({
  name: 'session/state',
  about: 'What is known in this session, with the version of each entry.',
  effect: 'read',
  private: true,
  input: z.strictObject({}),
  output: z.object({ state: z.record(z.string(), z.custom<Json>()), versions: z.record(z.string(), z.number()) }),
  timeoutMs: 5_000,
  run: async (_none, context) => {
    const entries = await context.stores.sessions.state({ tenant: context.tenant, session: sessionOf(context) }) // M1
    return {
      state: Object.fromEntries(entries.map(({ key, value }) => [key, value])),
      versions: Object.fromEntries(entries.map(({ key, version }) => [key, version])),
    }
  },
})

/** Sets one entry of the state of the session. With a version it is set only where it has that version still (0: where it is new). */
export const sessionSet = defineTool({
  name: 'session/set',
  about: 'Sets one entry of the state of this session; with a version only where nobody changed it meanwhile.',
  effect: 'write',
  input: z.strictObject({ key: Key, value: Value, version: z.number().int().nonnegative().nullish() }),
  output: z.object({ set: z.boolean() }),
  timeoutMs: 5_000,
  run: async ({ key, value, version }, context) => {
    const { tenant, stores, runId, user, nowMs } = context
    const entry = { tenant, session: sessionOf(context), key, value, runId, atMs: nowMs() } // M1
    const set = await stores.sessions.set({
      ...entry,
      ...(user === undefined ? {} : { userId: user }),
      ...(version == null ? {} : { version }),
    })
    return { set }
  },
})
