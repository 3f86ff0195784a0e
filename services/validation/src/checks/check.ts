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
  /** Set where the check could not run, and the sentence says why; `pass` then is what the step wants in that case. */
  readonly failed?: true
}

export type Check = {
  readonly name: string
  /** Throws `flow.invalid` for options and `tool.arguments_invalid` for input that it cannot use. */
  evaluate(input: Json, options: JsonObject, signal: AbortSignal): CheckResult | Promise<CheckResult>
  /** The input without what the check redacts; absent where it redacts nothing. */
  readonly redact?: (input: Json, options: JsonObject) => Json
}
