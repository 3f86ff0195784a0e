export { createClient, type Client, type Decision, type Page, type Redrive, type RunOutcome, type StartedRun } from './client.ts'
export type { Call, ClientOptions, ServerEvent } from './transport.ts'
