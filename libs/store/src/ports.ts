// What services keep. Each port has one contract suite, run on PGlite and on PostgreSQL.
import type { Json } from '@baton/contracts/json'
import type { PayloadRef } from '@baton/contracts'
import type { MemoryStore, SessionStore } from './memory.ports.ts'
import type { BudgetStore, CooldownStore, LimitStore, ModelCacheStore } from './model-ports.ts'

/** A run as the checkpoint writes it. The body is opaque: only the engine reads it. */
export type RunRow = {
  readonly runId: string
  readonly tenant: string
  readonly partition: number
  readonly status: 'running' | 'waiting' | 'ended'
  /** Due time of the run's earliest timer; null when it has none. */
  readonly wakeAtMs: number | null
  readonly seq: number
  readonly appliedOffset: number
  readonly formatVersion: number
  readonly engineVersion: number
  readonly body: string
}

/** A partition of the run log as its owner holds it (L4, L5, L10). */
export type PartitionLease = {
  readonly partition: number
  readonly topicId: string
  readonly next: number
  readonly epoch: number
  /** The record that alone was being applied when an owner died, unless the position has passed it. */
  readonly suspectOffset: number | null
  /** Owners in a row that ended without releasing the partition and without moving it; ends with a suspect count as well. */
  readonly crashCount: number
}

export type RunStore = {
  /** One transaction. Throws `lease.lost` and writes nothing when a partition is not owned by `ownerUuid` at that epoch (L3, L4). */
  checkpoint(change: {
    readonly ownerUuid: string
    readonly partitions: readonly { readonly partition: number; readonly epoch: number; readonly next: number }[]
    readonly runs: readonly RunRow[]
  }): Promise<void>
  /** Newest rows of these runs, also of those that ended long ago. */
  load(runIds: readonly string[]): Promise<readonly RunRow[]>
  /** Due times of the open runs of a partition, earliest first. */
  timers(partition: number): Promise<readonly { readonly runId: string; readonly wakeAtMs: number }[]>
  /**
   * Moves runs out of the hot table that ended, were not written for `endedForMs`, and lie on a partition that `ownerUuid` owns at that
   * epoch; returns how many. The others stay as they are. A thousand at once are enough.
   */
  retire(change: {
    readonly ownerUuid: string
    readonly partitions: readonly { readonly partition: number; readonly epoch: number }[]
    readonly runs: readonly Pick<EndedRun, 'runId' | 'tenant'>[]
    readonly endedForMs: number
  }): Promise<number>
  /** Runs in the hot table that ended. Reads all of it: for a taker, which does not know what the owner before it left behind. */
  ended(options: { readonly partitions: readonly number[]; readonly limit: number }): Promise<readonly EndedRun[]>
}

/** A run that has ended and is still in the hot table. */
export type EndedRun = Pick<RunRow, 'runId' | 'tenant' | 'partition'>

/** What is removed in batches. `ended_runs_default` holds what found no partition of its day. */
export type SweptTable = 'ended_runs_default' | 'starts' | 'answers' | 'effects' | 'payloads'

/** Removes what is older than it has to be kept, on the database's clock. */
export type RetentionStore = {
  /** Whether the caller is to do this work now: nobody else does it, and nobody finished it within `everyMs`. Again, it extends the lease. */
  claim(work: { name: string; ownerUuid: string; leaseMs: number; everyMs: number }): Promise<boolean>
  finish(work: { name: string; ownerUuid: string }): Promise<void>
  /** Makes the partitions of ended runs for today and the next days; returns those made. */
  prepare(): Promise<readonly string[]>
  /** Drops the partitions of days that are over for more than `keepDays`; returns them. */
  dropEndedRuns(options: { keepDays: number }): Promise<readonly string[]>
  /** Removes at most `limit` rows; returns how many. Before payloads, those in use have to be marked. */
  sweep(options: { table: SweptTable; keepDays: number; limit: number }): Promise<number>
  /** Whether there are payloads that nobody touched for so long. */
  oldPayloads(options: { keepDays: number }): Promise<boolean>
  /** Touches the payloads of the next `limit` runs in the hot table; returns where to go on, null when that was all. */
  markPayloads(options: { after: string | null; limit: number }): Promise<string | null>
}

/** Ownership of log partitions, on the database's clock (L4). `prefix` is the topic prefix of the installation. */
export type LeaseStore = {
  /**
   * Creates the rows of all partitions; refuses with `config.invalid` when the count differs from the stored one. The engine version is
   * that of whoever installs first; a newer binary leaves it as it is, an older one is refused with `engine.unsupported` (L2).
   */
  install(options: { prefix: string; partitions: number; topicId: string; engineVersion: number }): Promise<void>
  /** The version that new runs get; undefined before anything is installed. */
  engineVersion(prefix: string): Promise<number | undefined>
  /** From now on new runs get this version: every process has to know it. Never lowers it. Says what is in use then. */
  raiseEngine(options: { prefix: string; engineVersion: number }): Promise<number | undefined>
  /** Takes every partition of `wanted` whose lease is free or expired; raises its epoch and counts the crash of its owner. Returns what was taken. */
  acquire(options: { prefix: string; ownerUuid: string; wanted: readonly number[]; leaseMs: number }): Promise<readonly PartitionLease[]>
  /** Extends what is still owned; returns the partitions that are. */
  renew(options: { prefix: string; ownerUuid: string; leaseMs: number }): Promise<readonly number[]>
  /** Gives everything back in order, with all suspicion forgotten. */
  release(options: { prefix: string; ownerUuid: string }): Promise<void>
  /** L10: remembers the record being applied singly, and counts what it crashed. With `owner` it throws `lease.lost` when the partition is not his. */
  suspect(options: {
    prefix: string
    partition: number
    offset: number | null
    crashCount: number
    owner?: { readonly ownerUuid: string; readonly epoch: number }
  }): Promise<void>
}

/** L6: which request became which run. */
export type StartStore = {
  /** Inserts what is new, in one statement for the batch. A request inside one batch may repeat. */
  begin(
    starts: readonly { tenant: string; source: string; requestId: string; runId: string; bodyHash: string }[],
  ): Promise<readonly ('new' | 'repeat' | 'conflict')[]>
}

export type PayloadStore = {
  /** Stores content by its SHA-256; storing it again only says that it is needed still. */
  put(payload: { tenant: string; content: Buffer; mediaType: string }): Promise<PayloadRef>
  /** Throws `payload.missing`. */
  get(payload: { tenant: string; sha256: string }): Promise<{ content: Buffer; mediaType: string }>
}

/** A published plan. The body is the plan's JSON; flows are found by name and alias or version. */
export type FlowStore = {
  /** Saves plan and version, moves the alias; the same version with another hash is `request.conflicting` unless `replace`. */
  publish(flow: {
    tenant: string
    flow: string
    version: string
    hash: string
    body: string
    alias: string
    replace: boolean
    by: string
    /** Leaves an alias alone that somebody else has moved, unless the version is new: a start must not undo what people did. */
    yields?: boolean
  }): Promise<{ readonly changed: boolean }>
  plan(hash: string): Promise<string | undefined>
  /** `at` is a version, an alias, or `sha256:` and the hash of a plan. */
  resolve(flow: { tenant: string; flow: string; at: string }): Promise<{ readonly hash: string; readonly version: string } | undefined>
  list(tenant: string): Promise<
    readonly {
      readonly flow: string
      readonly version: string
      readonly hash: string
      readonly aliases: readonly string[]
      readonly publishedAtMs: number
    }[]
  >
}

/** One move of an alias, as it is remembered. */
export type AliasMove = {
  readonly alias: string
  readonly version: string
  readonly hash: string
  readonly kind: 'publish' | 'move' | 'rollback'
  readonly by: string
  readonly reason: string
  readonly atMs: number
}

/** Where the aliases of a flow point, and where they pointed before. */
export type AliasStore = {
  /** Throws `flow.unknown` when the version is not published. */
  move(alias: {
    tenant: string
    flow: string
    alias: string
    version: string
    by: string
    reason?: string
  }): Promise<{ readonly version: string; readonly hash: string; readonly changed: boolean }>
  /** Back to where the alias was before its last move; again, to where it was before that. Throws `request.not_found` at the beginning. */
  rollback(alias: {
    tenant: string
    flow: string
    alias: string
    by: string
    reason?: string
  }): Promise<{ readonly version: string; readonly hash: string; readonly from: string }>
  /** Newest first. */
  history(alias: { tenant: string; flow: string; alias?: string; limit: number }): Promise<readonly AliasMove[]>
}

/** Whom an override of params is for; an empty text means every tenant or environment. */
export type ParamScope = { readonly flow: string; readonly tenant: string; readonly environment: string }

/** One change of one param: who, when, from what, to what. Null is no override. */
export type ParamChange = Omit<ParamScope, 'flow'> & {
  readonly name: string
  readonly old: Json
  readonly new: Json
  readonly by: string
  readonly reason: string
  readonly atMs: number
}

/** Params of flows that were changed without a change of the flow. Values are checked by who sets them. */
export type ParamStore = {
  /** What applies to a tenant in an environment, the weakest first: for all, for the environment, for the tenant, for both. */
  overrides(
    scope: ParamScope,
  ): Promise<readonly { readonly scope: Omit<ParamScope, 'flow'>; readonly values: { readonly [name: string]: Json } }[]>
  /** Every override of a flow, whoever it is for. */
  all(flow: string): Promise<readonly { readonly scope: Omit<ParamScope, 'flow'>; readonly values: { readonly [name: string]: Json } }[]>
  /** Sets values; null takes an override away. What does not change is not remembered as a change. */
  set(
    change: ParamScope & { values: { readonly [name: string]: Json }; by: string; reason?: string },
  ): Promise<{ readonly changed: number }>
  /** Newest first; of one tenant and environment where named. */
  history(of: { flow: string; tenant?: string; environment?: string; limit: number }): Promise<readonly ParamChange[]>
}

/** L9: the answer of work that costs money or has an effect, by attempt id, kept before it is published. */
export type AnswerStore = {
  find(attemptId: string): Promise<Json | undefined>
  /** Batched: many calls in one tick become one statement. The first answer of an attempt stays. */
  save(answer: { tenant: string; attemptId: string; body: Json }): Promise<void>
}

/** C4: intent and result around each effect. */
export type EffectStore = {
  /** What is known of an effect; undefined where nobody began it. Without `result` an earlier try may have had it. */
  find(effect: { tenant: string; key: string }): Promise<{ readonly argsHash: string; readonly result?: Json } | undefined>
  /** `new`: do it. `done`: here is the result. `open`: an earlier try may have done it; ask the tool. `conflict`: other arguments. */
  begin(effect: {
    tenant: string
    key: string
    tool: string
    argsHash: string
  }): Promise<{ readonly state: 'new' | 'open' | 'conflict' } | { readonly state: 'done'; readonly result: Json }>
  finish(effect: { tenant: string; key: string; result: Json }): Promise<void>
}

/** Work on many runs at once, as it is remembered. `body` is what was asked for, `place` how far it is. */
export type Job = {
  readonly jobId: string
  readonly tenant: string
  readonly kind: string
  readonly body: Json
  readonly by: string
  readonly status: 'running' | 'paused' | 'completed' | 'failed' | 'cancelled'
  readonly place: Json
  readonly matched: number
  readonly done: number
  readonly failed: number
  readonly fault: { readonly code: string; readonly message: string } | null
  readonly createdAtMs: number
  readonly changedAtMs: number
  readonly endedAtMs: number | null
}

type JobOwner = { readonly tenant: string; readonly jobId: string; readonly ownerUuid: string }

/** Jobs, each done by one process at a time, on the database's clock. */
export type JobStore = {
  /** The same id again gives the job that is there; with another body it is `request.conflicting`. Forgets jobs that ended long ago. */
  create(job: { tenant: string; jobId: string; kind: string; body: Json; by: string }): Promise<Job>
  find(job: { tenant: string; jobId: string }): Promise<Job | undefined>
  /** Newest first; `before` is the number of the last job of the page before. */
  list(of: { tenant: string; limit: number; before?: number }): Promise<{ readonly jobs: readonly Job[]; readonly next: number | null }>
  /** The oldest running job of these kinds that nobody does now, for `leaseMs`. */
  claim(options: { kinds: readonly string[]; ownerUuid: string; leaseMs: number }): Promise<Job | undefined>
  /** Remembers how far it is and extends the lease. False when it was cancelled or somebody else does it now: stop. */
  advance(job: JobOwner & { place: Json; matched: number; done: number; failed: number; leaseMs: number }): Promise<boolean>
  /** False when it was cancelled or somebody else does it now. */
  finish(job: JobOwner & { status: 'completed' | 'failed'; fault?: { code: string; message: string } }): Promise<boolean>
  /** Lets somebody else go on at once. */
  release(options: { ownerUuid: string }): Promise<void>
  /** Stops a job that runs or rests; one that has ended stays as it is. Undefined when there is none. */
  cancel(job: { tenant: string; jobId: string }): Promise<Job | undefined>
  /** Lets a running job rest, or a resting one go on; any other stays as it is. Undefined when there is none. */
  pause(job: { tenant: string; jobId: string; paused: boolean }): Promise<Job | undefined>
}

/** Kinds of dead letters, by fingerprint. */
export type DeadLetterStore = {
  /** A letter of this kind came at `atMs`: whether it is the first one, or the first after a long rest. True once for all who ask. */
  meet(letter: { fingerprint: string; service: string; code: string; atMs: number }): Promise<boolean>
  /** When the first letter of each kind came, of those that are known. */
  firstSeen(fingerprints: readonly string[]): Promise<ReadonlyMap<string, number>>
}

/** Where a topic stood when a trigger began with it: the next offset of each partition, and the topic's id. */
export type TopicBegin = { readonly topicId: string; readonly next: { readonly [partition: string]: number } }

/** What is remembered of one trigger of a flow. `id` comes from tenant, flow and what the trigger listens to, so it outlives versions. */
export type TriggerRow = {
  readonly id: string
  readonly tenant: string
  readonly flow: string
  readonly planHash: string
  readonly kind: 'topic' | 'http' | 'schedule'
  /** `tickets`, `POST /tickets`, `0 6 * * 1-5 Europe/Berlin`. */
  readonly subject: string
  readonly paused: boolean
  /** When a schedule is due; null until somebody has worked it out. */
  readonly nextDueMs: number | null
  readonly beginsAt: TopicBegin | null
  readonly lastRunId: string | null
  readonly lastRunAtMs: number | null
  readonly lastError: string | null
  readonly lastErrorAtMs: number | null
}

/** The triggers of flows as every gateway sees them. */
export type TriggerStore = {
  /** The plan that the alias `stable` of each flow points to, of every tenant; the alias that moved last comes last. */
  stable(): Promise<readonly { readonly tenant: string; readonly flow: string; readonly hash: string }[]>
  list(tenant?: string): Promise<readonly TriggerRow[]>
  /** Makes these the triggers of the flow; false, and nothing done, when its alias does not point to `hash` (null: has no alias). */
  sync(flow: {
    tenant: string
    flow: string
    hash: string | null
    triggers: readonly Pick<TriggerRow, 'id' | 'kind' | 'subject'>[]
  }): Promise<boolean>
  /** Remembers where the topic stood, unless that is known. Returns what is known; undefined when there is no such trigger. */
  begin(trigger: { id: string; beginsAt: TopicBegin }): Promise<TopicBegin | undefined>
  /** Sets the first due time of a trigger that has none. */
  schedule(trigger: { id: string; nextDueMs: number }): Promise<void>
  /** Whether the caller is the one to handle this due time, for as long as the lease. */
  claim(due: { id: string; planHash: string; dueMs: number; leaseMs: number }): Promise<boolean>
  /** The due time was handled. False when it was handled by somebody else. */
  advance(due: { id: string; dueMs: number; nextDueMs: number | null; lastRunId?: string; lastError?: string }): Promise<boolean>
  note(last: { id: string; lastRunId?: string; lastError?: string }): Promise<void>
  /** False when the tenant has no such trigger. A schedule that goes on is due at its next time, not at those it missed. */
  pause(trigger: { id: string; tenant: string; paused: boolean; by: string }): Promise<boolean>
}

/** An event that is for whichever run waits for its key. */
export type InboxEvent = {
  readonly tenant: string
  readonly eventId: string
  readonly event: string
  readonly key: string
  readonly data: Json
  readonly by?: string
  /** The run it is for, once that is known. */
  readonly run?: { readonly runId: string; readonly rootRunId: string }
}

/** Events that came with a key instead of a run. */
export type EventInboxStore = {
  /** Keeps an event for `keepMs`; says whether it is new, and the run it was for where that is known. */
  put(event: Omit<InboxEvent, 'run'> & { readonly keepMs: number }): Promise<{ readonly fresh: boolean; readonly runId?: string }>
  /** Events that are to be delivered now; each comes again after a pause that grows, until it was or it expires. */
  claim(options: { limit: number; pauseMs: number; only?: { tenant: string; eventId: string } }): Promise<readonly InboxEvent[]>
  /** The event is for this run. False when it is for another. */
  found(place: { tenant: string; eventId: string; run: NonNullable<InboxEvent['run']> }): Promise<boolean>
  /** The event is on the log of its run. */
  delivered(event: { tenant: string; eventId: string }): Promise<void>
  /** Forgets what has expired; says how many. */
  sweep(): Promise<number>
}

/** What `openStore` gives: the database and every port over it. */
export type Stores = {
  readonly runs: RunStore
  readonly leases: LeaseStore
  readonly starts: StartStore
  readonly payloads: PayloadStore
  readonly flows: FlowStore
  readonly aliases: AliasStore
  readonly params: ParamStore
  readonly answers: AnswerStore
  readonly effects: EffectStore
  readonly triggers: TriggerStore
  readonly jobs: JobStore
  readonly deadLetters: DeadLetterStore
  readonly eventInbox: EventInboxStore
  readonly retention: RetentionStore
  readonly budgets: BudgetStore
  readonly limits: LimitStore
  readonly cooldowns: CooldownStore
  readonly modelCache: ModelCacheStore
  readonly sessions: SessionStore
  readonly memories: MemoryStore
}
