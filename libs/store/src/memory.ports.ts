// What is kept of sessions and users beyond one run.
import type { Json } from '@baton/contracts/json'

/** What somebody said in a session. `tokens` where they were counted. */
export type SessionTurn = {
  readonly runId: string
  readonly role: 'user' | 'assistant'
  readonly text: string
  readonly tokens: number | null
  readonly atMs: number
}

/** One thing that is known in a session, whatever channel it came by. `version` rises with every change. */
export type SessionEntry = {
  readonly key: string
  readonly value: Json
  readonly version: number
  readonly runId: string
  readonly atMs: number
}

/** Conversations and state of sessions. */
export type SessionStore = {
  /** What a user said; again, it changes nothing. What a user who was erased said before that is not kept. */
  said(turn: { tenant: string; session: string; runId: string; userId?: string; text: string; atMs: number }): Promise<void>
  /** The session a run belongs to, if it does to one. Many calls become one statement. */
  sessionOf(run: { tenant: string; runId: string }): Promise<string | undefined>
  /** What a run answered, in the session of what it was asked; without that, nothing is kept. */
  answered(turn: { tenant: string; runId: string; text: string; atMs: number }): Promise<void>
  /** The newest turns, oldest first, without those of `exceptRunId`. */
  history(of: { tenant: string; session: string; limit: number; exceptRunId?: string }): Promise<readonly SessionTurn[]>
  /** Remembers how many tokens turns have. */
  counted(turns: { tenant: string; session: string; turns: readonly Pick<SessionTurn, 'runId' | 'role' | 'tokens'>[] }): Promise<void>
  state(of: { tenant: string; session: string }): Promise<readonly SessionEntry[]>
  /** Sets one entry; with `version` only when it has that version (0: when there is none). False when it has another. */
  set(entry: {
    tenant: string
    session: string
    key: string
    value: Json
    runId: string
    userId?: string
    atMs: number
    version?: number
  }): Promise<boolean>
  /** Forgets a session; says how many turns there were. */
  forget(of: { tenant: string; session: string }): Promise<number>
  /** Removes turns and state that are older; says how many. */
  sweep(options: { beforeMs: number; limit: number }): Promise<number>
}

/** One thing that is known of a user, and where it comes from. */
export type Memory = {
  readonly id: string
  /** `profile`: what they are; `preference`: what they like; `fact`: what was learned. */
  readonly kind: 'profile' | 'preference' | 'fact'
  readonly key: string
  readonly value: Json
  /** `run`, `api`, `import …`: where it was learned. */
  readonly source: string
  /** Who said so: `user`, `agent:NAME`, `person:NAME`. */
  readonly by: string
  readonly runId: string | null
  readonly atMs: number
  readonly expiresAtMs: number | null
}

/** What is known of users. */
export type MemoryStore = {
  /** Puts it in the place of what had its id. Not done for what is older than the erasure of the user, or than what is there: false. */
  put(memory: { tenant: string; userId: string } & Memory): Promise<boolean>
  /** Newest first, without what has expired. */
  list(of: { tenant: string; userId: string; kind?: Memory['kind']; nowMs: number; limit: number }): Promise<readonly Memory[]>
  forget(of: { tenant: string; userId: string; id: string }): Promise<boolean>
  /** Removes all that is kept of a user: memories, turns of sessions with its answers, state that they set. What comes late is not kept. */
  erase(of: {
    tenant: string
    userId: string
    by: string
    atMs: number
  }): Promise<{ readonly memories: number; readonly turns: number; readonly state: number }>
}
