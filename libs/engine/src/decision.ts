// The shape of the engine: a pure function from state and one record of the log to new state and effects as data.
import type { FaultData } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { Message, MessageOf, StepCommand, WorkerService, Priority, RunResult } from '@baton/contracts'
import type { Program } from '@baton/flow/program'
import type { RunState } from './state.ts'

/** Messages that `baton.events` carries: the engine's only input (L1). */
export type LogMessage = Message<
  | 'run.requested'
  | 'run.cancel'
  | 'run.pause'
  | 'run.resume'
  | 'run.patch'
  | 'run.retry'
  | 'run.event'
  | 'run.continue'
  | 'run.quarantine'
  | 'timer.matured'
  | 'step.completed'
  | 'step.failed'
  | 'step.asks'
  | 'step.retrying'
  | 'step.deferred'
  | 'step.extended'
  | 'step.expired'
  | 'review.decided'
  | 'review.expired'
>
export type JournalMessage = Message<
  | 'journal.run.started'
  | 'journal.run.controlled'
  | 'journal.event.received'
  | 'journal.step.opened'
  | 'journal.step.dispatched'
  | 'journal.step.completed'
  | 'journal.step.failed'
  | 'journal.step.waiting'
  | 'journal.step.decided'
  | 'journal.answer.ignored'
  | 'journal.run.ended'
>

/** One record of the log. `atMs` is its append time: the only clock `decide` sees. */
export type EngineInput = { readonly message: LogMessage; readonly atMs: number; readonly partition: number; readonly offset: number }

/** What the engine itself appends to the log. */
export type OwnMessage = Message<
  'run.continue' | 'run.requested' | 'run.cancel' | 'run.pause' | 'run.resume' | 'step.completed' | 'step.failed'
>

/** What the shell publishes, in this order, each with the id given (R1). */
export type Output =
  | {
      readonly to: 'command'
      readonly id: string
      readonly service: WorkerService
      readonly contract: 'model.invoke' | 'tool.call' | 'retrieval.search' | 'check.evaluate' | 'review.request'
      readonly priority: Priority
      readonly command: StepCommand
    }
  | { readonly to: 'task'; readonly id: string; readonly task: string; readonly command: StepCommand }
  | { readonly to: 'journal'; readonly id: string; readonly message: JournalMessage }
  | {
      readonly to: 'result'
      readonly id: string
      readonly name: 'run.completed' | 'run.failed' | 'run.cancelled'
      readonly result: RunResult
      readonly topic?: string
    }
  /** Nobody has to decide any more. */
  | { readonly to: 'withdrawal'; readonly id: string; readonly priority: Priority; readonly review: MessageOf<'review.withdraw'> }
  /** An event that the flow sends into the world; `key` is that of its record. */
  | {
      readonly to: 'topic'
      readonly id: string
      readonly topic: string
      readonly type: string
      readonly key: string
      readonly tenant: string
      readonly runId: string
      readonly data: Json
    }
  /** Back to the same partition of the log: more to do than one record may cause (L11), or what runs of one tree tell each other. */
  | { readonly to: 'log'; readonly id: string; readonly message: OwnMessage }

export type Decision = {
  /** Undefined when there is no such run and the record starts none. The state given may have been changed in place: use this one. */
  readonly state: RunState | undefined
  readonly outputs: readonly Output[]
  /** Set when the record itself is at fault (not the run): it goes to the dead letters of routing (R8). */
  readonly refused?: FaultData
}

/** Total: every record gives a decision, duplicates and late answers included. A throw is a bug. */
export type Decide = (state: RunState | undefined, input: EngineInput, program: Program) => Decision
