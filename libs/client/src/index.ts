export {
  createClient,
  type Client,
  type Decision,
  type Page,
  type Discard,
  type LetterFilter,
  type Redrive,
  type RunFilter,
  type RunOutcome,
  type StartedRun,
} from './client.ts'
export { openTransport, type Call, type ClientOptions, type ServerEvent } from './transport.ts'
export { typedFlow, type FlowResult, type TypedFlow } from './flow-types.ts'
export type { FollowedRun, RequestedRun, RequestOptions } from './requested-run.ts'
export type { EventOptions } from './run-events.ts'
