// What the engine remembers of one run.
//   S1. JSON, bounded by the plan and by what is open, never by how long the run has been going on (R10).
//   S2. Only `decide` changes it, and in place: copying it for each record would make step n cost n (R10). A record that is refused
//       or ignored leaves it as it was, but for the counters that say so.
//   S3. An ended run keeps what R6 and R3 need: its result with the id, what it spent, and the attempts that may still be billed.
import type { FaultData, FaultCode } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { Ask, Message, MessageOf, PayloadRef, Priority, RunResult, StepCommand } from '@baton/contracts'

/**
 * A value that a step gave. `ref` names the whole of it when `output` holds only the fields that expressions read; `leftOut` is what did not
 * fit the context it was made from, where the plan reads that.
 */
export type Entry = { readonly output: Json; readonly ref?: PayloadRef; readonly by: string; readonly leftOut?: LeftOut }
export type LeftOut = readonly { readonly part: string; readonly tokens: number; readonly how: string }[]

/** An attempt that was asked for and has neither answered nor lost its lease. */
export type Asked = {
  readonly is: 'asked'
  readonly attempt: number
  readonly attemptId: string
  readonly dispatchedAtMs: number
  readonly deadlineMs: number
  leaseUntilMs: number
}

/** A block that runs in place of the node: a case of a switch, what a gate asked for, a handler, another way to do the work, a round. */
export type Nested = {
  readonly is: 'nested'
  readonly use: 'case' | 'gate' | 'error' | 'failover' | 'round' | 'judge'
  readonly after: 'next' | 'end' | 'fail'
  /** What is being handled, for `error` and `failover`. */
  readonly fault?: FaultData
  /** Which of the ways to fail over, or the round; from 0. */
  readonly number?: number
}

/** Parts of a node side by side: branches, items or voters. The block of each has a frame of its own while it runs. */
export type Group = {
  readonly is: 'group'
  readonly total: number
  /** Parts that run now, by number. */
  readonly open: Record<string, true>
  /** Number of the part to begin next; parts of a chunk begin when the one before has ended. */
  next: number
  begun: number
  /** What each part came to; null until then and when it failed. */
  readonly outputs: (Entry | null)[]
  readonly faults: Record<string, FaultData>
  succeeded: number
  failed: number
}

/** Nothing is asked of a service: a time, or an event from outside. */
export type Waiting = { readonly is: 'waiting'; readonly event?: string; readonly key?: string; readonly untilMs: number | null }

/** A run of another flow that was started, and is waited for. */
export type Child = {
  readonly is: 'child'
  readonly attempt: number
  readonly attemptId: string
  readonly dispatchedAtMs: number
  readonly childRunId: string
}

/** An agent at work: one turn after the other, each with the calls it asked for. */
export type AgentWork = {
  readonly is: 'agent'
  agent: string
  /** What it was asked. */
  readonly task: Json
  readonly startedAtMs: number
  turn: number
  /** Newest piece of the conversation. */
  transcript?: PayloadRef
  /** Calls of the turn that are open or done, in the order in which it asked. */
  calls: { readonly id: string; readonly tool: string; readonly input: Json; result?: CallResult }[]
  /** How often each call was made, by the hash of tool and arguments. */
  readonly made: Record<string, number>
  /** Hash of what the last turns came to, and how often in a row. */
  same?: readonly [hash: string, times: number]
  /** Agents that had it before, newest last. */
  readonly handed: string[]
  /** Said to the agent with its next turn. */
  note?: string
  /** How sure it said it was; null: it did not say. */
  confidence?: number | null
  /** What did not fit its turns so far, each part once. */
  leftOut?: LeftOut
  /** An answer that did not count, for what stands in. */
  answer?: Entry
}
export type CallResult = { readonly output?: Json; readonly ref?: PayloadRef; readonly fault?: FaultData }

/** A planner, its subtasks, and what makes one result of them. */
export type TeamWork = {
  readonly is: 'team'
  stage: 'plan' | 'work' | 'synthesis'
  round: number
  /** All subtasks so far, with what came of them. */
  readonly tasks: { readonly agent: string; readonly task: Json; output?: Entry; fault?: FaultData; open?: true }[]
  readonly startedAtMs: number
}

/** What a step, and whatever is done in its place, has spent. */
export type Spent = { costMicroUsd: number; tokens: number; calls: number }

/** To be done as soon as the limits allow. `again`: an attempt lost its lease; the same work, not another step. */
type Due = { readonly is: 'due'; readonly again?: true }

/** What is asked for in place of a step's own work: its guards, or a person in the name of the service that is at it (or of the guards). */
export type Aside =
  | { readonly is: 'guard'; readonly on: 'input'; readonly number: number }
  /** `nested`: what gave the output in place of the step, for what becomes of a fault. */
  | { readonly is: 'guard'; readonly on: 'output'; readonly number: number; readonly entry: Entry; readonly nested?: Nested }
  | { readonly is: 'person'; readonly ask: Ask; readonly number: number; readonly before?: Aside & { readonly is: 'guard' } }

/** The stay of a frame at one of its nodes, from the first dispatch to the output that counts. */
export type Visit = {
  /** Ordinal of the call in the effect key, 0 before the first dispatch: a lost lease keeps it, asking again with a change takes the next. */
  call: number
  /** How often each rule asked again: `gate[0]`, `onError`. */
  asks?: Record<string, number>
  leasesLost?: number
  aside?: Aside
  /** Its guards have let the input pass; `input`: what they made of it. */
  cleared?: { readonly input?: Json }
  /** How much was asked beside the work, and what the last person said. */
  asides?: number
  answered?: NonNullable<StepCommand['answered']>
  override?: NonNullable<StepCommand['override']>
  /** Counted for steps that have caps of their own. */
  spent?: Spent
  /** Attempts and calls that parts used: their paths are given again only when the node is visited again. */
  used?: readonly [attempts: number, calls: number]
  /** When the time of a step made of others is over. */
  untilMs?: number
  /** When the step was first entered; only for steps made of others. */
  sinceMs?: number
  activity: Due | Asked | Nested | Group | Waiting | Child | AgentWork | TeamWork
}

/** Who waits for a frame. `prefix`: begin of the static ids of its nodes, for which `path` stands in this run; the node's id where absent. */
export type Owner = { readonly frame: string; readonly nodeId: string; readonly path: string; readonly prefix?: string }

/** Work that the plan names without a node of its own: a turn or a check of an agent, or a call it asked for. */
export type OwnWork =
  | { readonly is: 'turn'; readonly turn: NonNullable<StepCommand['turn']>; readonly input: Json }
  | { readonly is: 'call'; readonly call: NonNullable<StepCommand['call']>; readonly input: Json }
  /** A member of a team, or an agent that stands in: an agent step that the plan does not have. */
  | { readonly is: 'agent'; readonly agent: string; readonly input: Json }

/** One execution of one block. A frame stands at one node; several frames of one run may be open side by side. */
export type Frame = {
  readonly block: number
  /** Frame and node that wait for this one; null for the flow itself and its error handler. */
  readonly owner: Owner | null
  readonly use: 'flow' | 'handler' | 'undo' | 'part' | 'turn' | 'call' | 'member' | Nested['use']
  /** Number of the branch, item, voter, round, turn, call or member. */
  readonly part?: number
  /** Variables of this frame beside the steps: what an undo has kept. */
  readonly bound?: { readonly [name: string]: Json }
  /** The one piece of work of a frame that stands in no block of the plan. */
  readonly work?: OwnWork
  at: number
  visit: Visit | null
  /** Outputs by step name, of this block only. */
  readonly steps: Record<string, Entry>
  last: Entry | null
  /** The output a gate looked at, for the block it asked for. */
  readonly it?: Entry
  readonly fault?: FaultData
  /** Attempts and calls used so far, by node, so that no id is given twice. */
  readonly used: Record<string, readonly [attempts: number, calls: number]>
  /** The same for blocks that ran inside a node and are closed. */
  readonly usedBelow: Record<string, readonly [attempts: number, calls: number]>
  /** What earlier executions of this block used. */
  readonly usedBefore: readonly [attempts: number, calls: number]
}

/** What was pinned when the run began (L2). */
export type Pinned = {
  readonly requestId: string
  readonly source: string
  readonly flow: string
  readonly version: string
  readonly planHash: string
  readonly priority: Priority
  readonly labels: { readonly [name: string]: string }
  readonly params: { readonly [name: string]: Json }
  readonly input: Json
  readonly inputRef?: PayloadRef
  readonly session?: string
  readonly user?: { readonly id?: string }
  readonly mode?: 'live' | 'dry_run'
  /** Topic of results of this flow, beside the common one. */
  readonly resultTopic?: string
  readonly requestedAtMs: number
  readonly startedAtMs: number
  readonly parent?: NonNullable<RunRequested['parent']>
  readonly rootRunId?: string
  readonly effectBase?: string
  readonly flows?: NonNullable<RunRequested['flows']>
  /** How many flows may still be inside this one. */
  readonly depth?: number
  readonly rerunOf?: string
}
type RunRequested = MessageOf<'run.requested'>

/** An event that came before anybody waited for it. */
export type KeptEvent = {
  readonly eventId: string
  readonly event: string
  readonly data: Json
  readonly by?: string
  readonly key?: string
}

/** How to take back an effect, with everything it needs: the frame it was made in may be gone by then. */
type Undo = {
  readonly nodeId: string
  readonly path: string
  readonly block: number
  readonly it: Entry
  readonly sees: { readonly [name: string]: Json }
}

type Common = {
  readonly formatVersion: 1
  readonly engineVersion: number
  readonly runId: string
  readonly tenant: string
  /** Number of the next engine event of this run. */
  seq: number
  /** Time of the newest record taken: time never goes back within a run. */
  atMs: number
  /** Attempts given up unanswered, without the run id: their answers are billed once, and change nothing (R3). */
  readonly lost: string[]
  readonly spend: { costMicroUsd: number; steps: number; tokens?: number; calls?: number }
}

export type OpenRun = Common & {
  readonly status: 'open'
  /** Replaced by a patch, otherwise as it was when the run began. */
  pinned: Pinned
  /** Limits that hold now: those of the plan, lowered by the request, with the grace of the flow's error handler. */
  readonly limits: {
    timeMs: number
    totalMs: number
    steps: number
    readonly costMicroUsd?: number
    readonly tokens?: number
    readonly calls?: number
  }
  /** Working time: `sinceMs` is null while only people are waited for. */
  readonly clock: { workedMs: number; sinceMs: number | null }
  readonly frames: Record<string, Frame>
  /** Frame of each open attempt. */
  readonly attempts: Record<string, string>
  /** Frames with something to do at once. */
  readonly ready: string[]
  /** The run goes on when `run.continue` with this number is read (L11). */
  continueSeq: number | null
  escalated: boolean
  /** Faults that an error handler made good. */
  readonly degraded: FaultCode[]
  /** Set while the flow's error handler runs: the fault the run will carry. */
  failing: FaultData | null
  /** Set with `failing` when it is the handler of limits that runs. */
  limited?: true
  wakeAtMs: number | null
  /** Frames that wait for a time or an event. */
  waiting?: Record<string, true>
  /** Frames at a step that has a time of its own. */
  timed?: Record<string, true>
  /** Events nobody waited for yet, and ids of those that came. */
  events?: { readonly kept: KeptEvent[]; readonly seen: string[] }
  paused?: { readonly by: string; readonly atMs: number }
  /** What steps share, oldest first. */
  buffers?: Record<string, { readonly entry: Entry; readonly atMs: number }[]>
  /** Where content from outside came from. */
  taint?: string[]
  /** Effects that can be taken back, in the order in which they were made. */
  undos?: Undo[]
  /** Set while effects are taken back: how the run ends afterwards. */
  undoing?: Undoing
}

/** `sinceMs`: when the undo that runs now began. */
export type Undoing = {
  readonly status: 'failed' | 'cancelled'
  readonly fault: FaultData
  readonly sinceMs: number
  /** Numbers given by undos of effects whose path has another one to come. */
  readonly used?: { readonly [path: string]: readonly [attempts: number, calls: number] }
}

export type EndedRun = Common & {
  readonly status: 'ended'
  readonly planHash: string
  readonly requestedAtMs: number
  readonly result: {
    readonly id: string
    readonly name: 'run.completed' | 'run.failed' | 'run.cancelled'
    readonly body: RunResult
    readonly topic?: string
  }
  /** What running it again needs (L8): what was pinned, the outputs of the flow's own steps, and the step it stood at. */
  readonly again?: { readonly pinned: Pinned; readonly steps: { readonly [name: string]: Entry }; readonly at: number }
  /** The same end as an answer, for the run whose step started this one. */
  readonly answer?: { readonly id: string } & Message<'step.completed' | 'step.failed'>
}

/** Everything the engine remembers of one run. Opaque to all but the engine; JSON. */
export type RunState = Readonly<OpenRun> | Readonly<EndedRun>
