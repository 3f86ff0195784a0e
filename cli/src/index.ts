// What a program imports: `import { chain, flow, run } from 'baton'`. The command line and the services are in `baton/platform`.
// It is shipped as one file, scripts/bundle.mjs makes it: looking for some hundred modules takes longer than a first run.
export { Fault } from '@baton/contracts/fault'
export type { Json, RunResult } from '@baton/contracts'
export * from '@baton/flow/builder'
export type { CompileResult, Diagnostic } from '@baton/flow'
export { openAiProvider, run, type OpenAi, type Prompt, type Provider, type RunOptions } from '@baton/client/run'
export type { Work, WorkContext, Workers } from '@baton/client/run'
