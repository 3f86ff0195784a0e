export {
  createClient,
  type Client,
  type Decision,
  type Page,
  type Redrive,
  type RunFilter,
  type RunOutcome,
  type StartedRun,
} from './client.ts'
export { openTransport, type Call, type ClientOptions, type ServerEvent } from './transport.ts'
