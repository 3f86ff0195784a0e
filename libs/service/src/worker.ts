// What a service that takes commands has to write: one handler a kind of work. The kit around it decodes, checks lease and
// deadline, fetches payloads, stores and publishes the answer, and settles the message.
import type { Ask, Fault, Json, Meter, StepCommand, StepCompleted } from '@baton/contracts'
import type { Plan, PlanNode } from '@baton/flow/plan'

export type WorkContext = {
  readonly plan: Plan
  readonly node: PlanNode
  /** `command.input` with every `{ $payload, at }` replaced by its content. */
  readonly input: Json
  /** `command.context` and `command.media`, likewise; empty where the step names none. Media by reference are `{ mediaType, base64 }`. */
  readonly parts: { readonly [name: string]: Json }
  readonly media: readonly Json[]
  /** Aborted at the command's deadline, when the partition is lost, or at the end of the drain. */
  readonly signal: AbortSignal
  readonly nowMs: () => number
  /** Deliveries of this command so far, 1 for the first. */
  readonly delivery: number
  /** Says that the work still goes on and will until then, so that nobody takes its attempt for lost. Absent outside of the kit. */
  readonly extend?: (untilMs: number) => Promise<void>
}

/**
 * `answered`: the output of the step. `asks`: a person has to be asked. `pending`: somebody else will answer later (a person). `deferred`: a dependency is down, come
 * back then; not an attempt. `failed`: as when the fault is thrown, with what the work took; what was paid is paid. `final`: nobody
 * should wait for another delivery, whatever the code says; the one who asked decides what now.
 */
export type WorkResult =
  | {
      readonly status: 'answered'
      readonly output: Json
      readonly by: string
      readonly meter: Meter
      /** Prompt, passages, arguments as used: stored redacted, by reference. */ readonly content?: Json
      /** Of a turn of an agent. */
      readonly turn?: NonNullable<StepCompleted['turn']>
      /** Where content from outside came from, if there is any in the output. */
      readonly taint?: readonly string[]
    }
  | { readonly status: 'pending' }
  /** A person has to say something first; the same work comes again with `command.answered`, or what they said is the output. */
  | { readonly status: 'asks'; readonly ask: Ask; readonly meter?: Meter; readonly taint?: readonly string[] }
  | { readonly status: 'failed'; readonly fault: Fault; readonly meter: Meter; readonly final?: boolean }
  | { readonly status: 'deferred'; readonly untilMs: number; readonly reason: string }

/**
 * Does the work once. Throws a Fault when it cannot: a retryable code (remedy `retry`) goes through the retry topics of the service,
 * any other is answered as `step.failed`. Tries, timeouts and failover of one dispatch are the handler's own business.
 */
export type WorkHandler = (command: StepCommand, context: WorkContext) => Promise<WorkResult>
