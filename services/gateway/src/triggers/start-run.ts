// From what a trigger heard of to a run, by the same intake as requests.
//   S1. What the run is called says which event it is: the same event again is the same run (L6), whatever version sees it.
//   S2. The run gets the plan that the trigger was read from, so that its input and its flow belong together.
import type { Json } from '@baton/contracts'
import type { Telemetry } from '@baton/telemetry'
import type { Accepted, Intake } from '../intake/intake.ts'
import type { Trigger } from './trigger.ts'

/** One event, and the input that its trigger made of it. */
type Occurrence = {
  readonly input: Json
  readonly tenant: string
  readonly requestId: string
  /** What two occurrences of one name must have in common; the name alone where absent. */
  readonly identity?: Json
  readonly atMs: number
  readonly traceparent?: string | undefined
}

export type StartRun = (trigger: Trigger, occurrence: Occurrence) => Promise<Accepted>

/** Starts runs for triggers; throws what the intake throws. */
export const createStartRun =
  ({ intake, telemetry }: { readonly intake: Intake; readonly telemetry: Pick<Telemetry, 'metrics'> }): StartRun =>
  async (trigger, { input, tenant, requestId, identity = requestId, atMs, traceparent }) => {
    const accepted = await intake.accept({
      request: { flow: `${trigger.flow}@sha256:${trigger.planHash}`, input }, // S2
      requestId,
      tenant,
      source: trigger.source,
      requestedAtMs: atMs,
      traceparent,
      trigger: trigger.name,
      identity, // S1
    })
    telemetry.metrics.count('baton_triggers_total', { kind: trigger.kind, outcome: accepted.repeat ? 'repeated' : 'started' })
    return accepted
  }
