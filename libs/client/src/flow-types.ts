import type { Json, RunResult } from '@baton/contracts'

/** The name of a flow with the types that `baton types` writes for it. */
export type TypedFlow<Input = Json, Output = Json> = {
  readonly name: string
  /** Never there; it only carries the types. */
  readonly types?: { readonly input: Input; readonly output: Output }
}

/** `typedFlow<AnswerInput, AnswerOutput>(AnswerFlow)`: requests and results of this flow have these types from then on. */
export const typedFlow = <Input = Json, Output = Json>(name: string): TypedFlow<Input, Output> => ({ name })

/** What a run gave: the output of a completed one has the type of the flow. */
export type FlowResult<Output> =
  | (RunResult & { readonly status: 'completed'; readonly output: Output })
  | (RunResult & { readonly status: 'failed' | 'cancelled' | 'rejected' })

/** The output has been checked against the flow by the server; the type is what `baton types` says of that flow. */
export const resultOf = <Output>(result: RunResult): FlowResult<Output> => result as FlowResult<Output>
