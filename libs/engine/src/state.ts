// What the engine remembers of one run.
//   S1. JSON, bounded by the plan and by what is open, never by how long the run has been going on (R10).
//   S2. Only `decide` changes it, and in place: copying it for each record would make step n cost n (R10). A record that is refused
//       or ignored leaves it as it was, but for the counters that say so.
//   S3. An ended run keeps what R6 and R3 need: its result with the id, what it spent, and the attempts that may still be billed.
import type { FaultData, FaultCode } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { PayloadRef, Priority, RunResult, StepCommand } from '@baton/contracts'

/** A value that a step gave. `ref` names the whole of it when `output` holds only the fields that expressions read. */
export type Entry = { readonly output: Json; readonly ref?: PayloadRef; readonly by: string }

/** An attempt that was asked for and has neither answered nor lost its lease. */
export type Asked = {
  readonly is: 'asked'
  readonly attempt: number
  readonly attemptId: string
  readonly dispatchedAtMs: number
  readonly deadlineMs: number
  leaseUntilMs: number
}

/** A block that runs in place of the node: a case of a switch, what a gate asked for, or an error handler. */
export type Nested = {
  readonly is: 'nested'
  readonly use: 'case' | 'gate' | 'error'
  readonly after: 'next' | 'end' | 'fail'
  /** What is being handled, for `error`. */
  readonly fault?: FaultData
}

/** To be done as soon as the limits allow. `again`: an attempt lost its lease; the same work, not another step. */
type Due = { readonly is: 'due'; readonly again?: true }

/** The stay of a frame at one of its nodes, from the first dispatch to the output that counts. */
export type Visit = {
  /** Ordinal of the call in the effect key, 0 before the first dispatch: a lost lease keeps it, asking again with a change takes the next. */
  call: number
  /** How often each rule asked again: `gate[0]`, `onError`. */
  asks?: Record<string, number>
  leasesLost?: number
  override?: NonNullable<StepCommand['override']>
  activity: Due | Asked | Nested
}

/** One execution of one block. A frame stands at one node; several frames of one run may be open side by side. */
export type Frame = {
  readonly block: number
  /** Frame and node that wait for this one; null for the flow itself and its error handler. */
  readonly owner: { readonly frame: string; readonly nodeId: string; readonly path: string } | null
  readonly use: 'flow' | 'handler' | Nested['use']
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
type Pinned = {
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
  /** Topic of results of this flow, beside the common one. */
  readonly resultTopic?: string
  readonly requestedAtMs: number
  readonly startedAtMs: number
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
  readonly spend: { costMicroUsd: number; steps: number }
}

export type OpenRun = Common & {
  readonly status: 'open'
  readonly pinned: Pinned
  /** Limits that hold now: those of the plan, lowered by the request, with the grace of the flow's error handler. */
  readonly limits: { timeMs: number; totalMs: number; steps: number; readonly costMicroUsd?: number }
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
  wakeAtMs: number | null
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
}

/** Everything the engine remembers of one run. Opaque to all but the engine; JSON. */
export type RunState = Readonly<OpenRun> | Readonly<EndedRun>
