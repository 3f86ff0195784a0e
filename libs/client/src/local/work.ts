// The work of steps done in this process: by functions and providers that the caller gave.
import { Fault, toFault } from '@baton/contracts/fault'
import { isJsonObject, type Json } from '@baton/contracts/json'
import type { StepCommand } from '@baton/contracts'
import { lookedAt, type Done, type MemoryPorts } from '@baton/engine/memory'
import { renderShown, wholeParts } from '@baton/flow/runtime'
import type { Plan, PlanNode } from '@baton/flow/plan'
import { firstMove, nextMove, type Candidate, type Move } from '@baton/policy'
import { problemOf, readAnswer } from './fit.ts'
import type { Provider } from './provider.ts'

/** What a function of a step is told beside its input. */
export type WorkContext = {
  readonly signal: AbortSignal
  /** The same for every try of one effect: the key under which a tool can tell a repeat. */
  readonly effectKey: string
  readonly step: string
}
/** Does the work of a step; what it gives is the step's output. */
export type Work = (input: Json, context: WorkContext) => Json | Promise<Json>
type Named = { readonly [name: string]: Work }

export type Workers = {
  /** One for all models, or by their names in the flow. */
  readonly models?: Provider | { readonly [model: string]: Provider }
  readonly tools?: Named
  readonly checks?: Named
  /** By index: gets `{ query, top }`, gives `{ items: […] }`. */
  readonly indexes?: Named
  /** By queue: gives what a person would write. */
  readonly people?: Named
  readonly tasks?: Named
}

const TIMEOUT_MS = 30_000
const WAIT_MAX_MS = 30_000
const ONE_TRY = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false } as const

type Call = (name: string, told: { readonly signal: AbortSignal; readonly feedback?: string }) => Promise<Done>
type Ports = Pick<MemoryPorts, 'sleep'> & { readonly random: () => number }

/** The work port of a run. */
export const workOf = (plan: Plan, workers: Workers, ports: Ports): MemoryPorts['work'] => {
  return async (command, node, signal) => {
    if (command.guard !== undefined) return guarded({ plan, workers, command, node }, signal)
    const { names, call } = jobOf({ plan, workers, command, node })
    return tryAll({ names, call, node, signal, ports })
  }
}

type Job = { readonly plan: Plan; readonly workers: Workers; readonly command: StepCommand; readonly node: PlanNode }

const jobOf = (job: Job): { readonly names: readonly string[]; readonly call: Call } => {
  const { workers, command, node } = job
  switch (node.kind) {
    case 'model': {
      const names = (command.override?.models ?? node.models).filter((name) => providerOf(workers, name) !== undefined)
      if (names.length === 0) throw noModel(node)
      return { names, call: (name, told) => askModel(name, job, told) }
    }
    case 'tool':
      return { names: node.tools, call: byFunction(job, { workers: workers.tools, code: 'tool.unknown', by: 'tool', what: 'tools' }) }
    case 'check':
      return {
        names: node.checks.map(({ check }) => check),
        call: byFunction(job, { workers: workers.checks, code: 'flow.invalid', by: 'check', what: 'checks' }),
      }
    case 'retrieve':
      return {
        names: [node.index],
        call: byFunction(job, { workers: workers.indexes, code: 'index.unknown', by: 'index', what: 'indexes', more: { top: node.top } }),
      }
    case 'human':
      return {
        names: [node.human.queue],
        call: byFunction(job, { workers: workers.people, code: 'review.expired', by: 'human', what: 'people' }),
      }
    case 'task':
      return { names: [node.task], call: byFunction(job, { workers: workers.tasks, code: 'tool.unknown', by: 'task', what: 'tasks' }) }
    default:
      throw new Fault('flow.invalid', `${node.id} is no work.`, { node: node.id })
  }
}

const providerOf = ({ models }: Workers, name: string): Provider | undefined =>
  typeof models === 'function' ? models : models !== undefined && Object.hasOwn(models, name) ? models[name] : undefined

const noModel = (node: PlanNode & { kind: 'model' }): Fault =>
  new Fault(
    'model.none_configured',
    `No model is configured for ${node.models.join(', ')}: set OPENAI_BASE_URL and OPENAI_MODEL, or give run() { models }.`,
    { node: node.id },
  )

const askModel = async (
  name: string,
  { plan, workers, command, node }: Job,
  { signal, feedback = command.override?.feedback }: Parameters<Call>[1],
): Promise<Done> => {
  const provider = providerOf(workers, name)
  const prompt = node.kind === 'model' ? plan.prompts[command.override?.prompt ?? node.prompt] : undefined
  if (provider === undefined || prompt === undefined) throw new Fault('flow.invalid', `${node.id} has no prompt.`, { node: node.id })
  const text = await provider({
    model: name,
    ...renderShown(prompt, command.input, wholeParts(plan, command)),
    signal,
    ...(node.returns === undefined ? {} : { schema: node.returns }),
    ...(feedback === undefined ? {} : { feedback }),
  })
  return { output: await readAnswer(text, node.returns), by: `model:${name}` }
}

type By = {
  readonly workers: Named | undefined
  readonly code: 'tool.unknown' | 'flow.invalid' | 'index.unknown' | 'review.expired'
  readonly by: string
  /** The option of `run` that holds such functions. */
  readonly what: string
  readonly more?: { readonly [name: string]: Json }
}

const byFunction =
  ({ command, node }: Job, { workers, code, by, what, more = {} }: By): Call =>
  async (name, { signal }) => {
    const work = workers !== undefined && Object.hasOwn(workers, name) ? workers[name] : undefined
    if (work === undefined) throw new Fault(code, `There is no ${name} here: give run() { ${what}: { '${name}': … } }.`, { node: node.id })
    const input = isJsonObject(command.input) ? { ...more, ...command.input } : command.input
    const output = await Promise.resolve(work(input, { signal, effectKey: command.effectKey, step: command.path })).catch(
      (error: unknown) => {
        const fault = toFault(error)
        throw fault.code === 'handler.failed' && by === 'tool'
          ? new Fault('tool.failed', fault.message, { tool: name }, { cause: error })
          : fault
      },
    )
    const problem = node.returns === undefined ? undefined : await problemOf(output, node.returns)
    if (problem !== undefined) throw new Fault('output.schema_invalid', `What ${name} gave does not fit: ${problem}.`, { problem })
    return { output, by: `${by}:${name}` }
  }

/** The guards of a step are checks by name. */
const guarded = (job: Job, signal: AbortSignal): Promise<Done> => {
  const { workers, node, command } = job
  const { returns: _returns, ...plain } = node // a guard gives its verdict, not what the step returns
  return lookedAt(command, node, async (guard, content) => {
    const given = { ...job, command: { ...command, input: content }, node: plain as PlanNode } // a node without a schema is a node
    return (await byFunction(given, { workers: workers.checks, code: 'flow.invalid', by: 'guard', what: 'checks' })(guard, { signal }))
      .output
  })
}

type Tries = {
  readonly names: readonly string[]
  readonly call: Call
  readonly node: PlanNode
  readonly signal: AbortSignal
  readonly ports: Ports
}

/** Tries, waits and failover by the attempt plan that workers follow too. */
const tryAll = async ({ names, call, node, signal, ports }: Tries): Promise<Done> => {
  const candidates = names.map((name): Candidate => ({ name, reaskable: node.kind === 'model', weight: 1 }))
  const spec = { ...(node.retry ?? ONE_TRY), timeoutMs: node.timeoutMs ?? TIMEOUT_MS, waitMaxMs: WAIT_MAX_MS }
  const faults: Fault[] = []
  let move: Move = firstMove()
  while (move.do === 'ask') {
    if (move.waitMs > 0) await ports.sleep(move.waitMs, signal)
    const told = { ...feedbackOf(move, faults.at(-1)), signal, node, timeoutMs: spec.timeoutMs }
    try {
      return await withTime(call, names[move.candidate] ?? '', told)
    } catch (error) {
      const fault = toFault(error)
      if (signal.aborted) throw fault
      faults.push(fault)
      move = nextMove(move.progress, failureOf(fault), { spec, candidates, random: ports.random() })
    }
  }
  throw faults[move.failure] ?? new Fault('model.unavailable', 'Nobody answered.')
}

/** What a model is told that is asked again after an answer that could not be used. */
const feedbackOf = (move: Move & { do: 'ask' }, last: Fault | undefined): { readonly feedback?: string } => {
  const problem = last?.detail['problem']
  return move.reask && typeof problem === 'string' ? { feedback: problem } : {}
}

const failureOf = ({ code, detail }: Fault): { readonly code: Fault['code']; readonly retryAfterMs?: number } => {
  const { retryAfterMs } = detail
  return typeof retryAfterMs === 'number' ? { code, retryAfterMs } : { code }
}

type Told = { readonly signal: AbortSignal; readonly feedback?: string; readonly node: PlanNode; readonly timeoutMs: number }

/** One call within its time. People take theirs. */
const withTime = async (call: Call, name: string, { signal, node, timeoutMs, ...told }: Told): Promise<Done> => {
  if (node.kind === 'human') return call(name, { signal, ...told })
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(), timeoutMs)
  const ends = AbortSignal.any([signal, timer.signal])
  const code = node.kind === 'model' ? 'model.timed_out' : 'tool.timed_out'
  const late = new Promise<never>((_resolve, reject) => {
    ends.addEventListener('abort', () => reject(new Fault(code, `${name} did not answer within ${timeoutMs} ms.`, { timeoutMs })))
  })
  try {
    return await Promise.race([call(name, { signal: ends, ...told }), late])
  } finally {
    clearTimeout(timeout)
  }
}
