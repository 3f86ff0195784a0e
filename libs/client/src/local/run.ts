// The smallest use of Baton: a flow runs in this process, in memory, without port, file or server.
//   N1. Nothing is configured in secret: models, tools and people are those given; a provider is taken from the environment as services do.
//   N2. A flow with mistakes is refused before anything is asked.
import { randomUUID } from 'node:crypto'
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { RunResult } from '@baton/contracts'
import { ENGINE_VERSION, runInMemory, type MemoryPorts } from '@baton/engine/memory'
import { createCompileData, loadProgram, resolveParams, type FlowData, type Parse } from '@baton/flow/runtime'
import type { Plan } from '@baton/flow/plan'
import { problemOf } from './fit.ts'
import { openAiProvider, type Provider } from './provider.ts'
import { workOf, type Workers } from './work.ts'

export { openAiProvider, type OpenAi, type Prompt, type Provider } from './provider.ts'
export type { Work, WorkContext, Workers } from './work.ts'

export type RunOptions = Workers & {
  readonly params?: { readonly [name: string]: Json }
  /** Texts of prompts and schemas the flow names, by path: `prompts/answer@1.md`. */
  readonly files?: ReadonlyMap<string, string>
  /** Cancels the run. */
  readonly signal?: AbortSignal
  readonly onJournal?: NonNullable<MemoryPorts['onJournal']>
  /** Where the provider is looked for; `process.env` where this is absent. */
  readonly env?: { readonly [name: string]: string | undefined }
}

const sleep: MemoryPorts['sleep'] = (ms, signal) =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

const NO_FILES: ReadonlyMap<string, string> = new Map()

/** A flow as data, or as the builder makes it. */
type Written = { readonly data: FlowData; readonly step: unknown }
type Runnable = FlowData | Written
const isWritten = (flow: Runnable): flow is Written => 'data' in flow && typeof flow['step'] === 'function'

/**
 * Runs a flow to its end and gives its result; `status` says how it went. Throws `flow.invalid` when the flow has mistakes and
 * `input.invalid` when the input does not fit. Without a provider a prompt fails with `model.none_configured`.
 */
export const run = async (flow: Runnable, input: Json = {}, options: RunOptions = {}): Promise<RunResult> => {
  const { params = {}, signal, onJournal } = options
  const plan = await planOf(flow, options)
  const given = await checkedInput(plan, input)
  const models = options.models ?? environmentProvider(options.env ?? process.env)
  const workers: Workers = { ...options, ...(models === undefined ? {} : { models }) }
  const work = workOf(plan, workers, { sleep, random: Math.random })
  const request = { ...identityOf(plan), params: resolveParams(plan, params), input: given }
  const ports: MemoryPorts = { nowMs: Date.now, sleep, work, ...(onJournal === undefined ? {} : { onJournal }) }
  return runInMemory(request, { program: loadProgram(plan), ports, ...(signal === undefined ? {} : { signal }) })
}

const planOf = async (flow: Runnable, { files = NO_FILES }: RunOptions): Promise<Plan> => {
  const compileData = createCompileData(await parserOf(files))
  const compiled = compileData(isWritten(flow) ? flow.data : flow, { files })
  if (compiled.ok) return compiled.plan
  const [first] = compiled.diagnostics
  throw new Fault('flow.invalid', first === undefined ? 'the flow has mistakes' : `${first.code}: ${first.message}`) // N2
}

/** The parser of YAML is loaded for files only: that takes longer than everything else a first run does. */
const parserOf = async (files: ReadonlyMap<string, string>): Promise<Parse> =>
  files.size === 0 ? () => undefined : (await import('@baton/flow/yaml')).parseSyntax

/** A copy of the input with the defaults of its schema. */
const checkedInput = async (plan: Plan, input: Json): Promise<Json> => {
  // Through text: the copy is made of this realm's own objects, which expressions insist on, also inside a test runner.
  const given = JSON.parse(JSON.stringify(input)) as Json // JSON of JSON is JSON
  const problem = await problemOf(given, plan.input, { defaults: true })
  if (problem !== undefined) throw new Fault('input.invalid', `the input does not fit: ${problem}`, { field: 'input' })
  return given
}

const identityOf = ({ flow, version, hash: planHash }: Plan) => ({
  runId: `run_${randomUUID().replaceAll('-', '')}`,
  requestId: randomUUID(),
  tenant: 'default',
  source: 'memory',
  flow,
  version,
  planHash,
  engineVersion: ENGINE_VERSION,
  priority: 'normal' as const,
  labels: {},
  requestedAtMs: Date.now(),
  repeat: false,
})

/** The provider of the variables that the services read (N1). */
const environmentProvider = (env: NonNullable<RunOptions['env']>): Provider | undefined => {
  const { OPENAI_BASE_URL: baseUrl = '', OPENAI_MODEL: model = '', OPENAI_API_KEY: apiKey } = env
  return baseUrl === '' || model === '' ? undefined : openAiProvider({ baseUrl, model, ...(apiKey === undefined ? {} : { apiKey }) })
}
