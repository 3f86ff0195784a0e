// The port of checks. A check looks at content and says pass or not, how sure, and why; what follows from it is the gate's to decide.
import type { JsonObject, Json } from '@baton/contracts'

/** What a check found. Further fields are its own; a gate may read them. */
export type CheckResult = {
  readonly pass: boolean
  /** 0 to 1, 1 is best. */
  readonly score: number
  /** One sentence for people. */
  readonly reason: string
  readonly more?: JsonObject
}

export type Check = {
  readonly name: string
  /** Throws `flow.invalid` for options and `tool.arguments_invalid` for input that it cannot use. */
  evaluate(input: Json, options: JsonObject, signal: AbortSignal): CheckResult | Promise<CheckResult>
}
