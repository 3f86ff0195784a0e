// The handler of `model.invoke`: one dispatch of a model step, from plan and command to output and meter.
//   I1. What a gate's retry changed (models, prompt, feedback) goes before what the plan says.
//   I2. All calls of a dispatch are paid (attempts/bill.ts).
//   I3. Where a cascade ends at a person, the step asks them; a dry run goes on with what there is.
//   I4. What nothing can serve just now is put off while its deadline allows it.
import { Fault } from '@baton/contracts/fault'
import type { Json, StepCommand } from '@baton/contracts'
import type { PlanNode, RetrySpec } from '@baton/flow/plan'
import type { TrySpec } from '@baton/policy'
import { askedWork, type WorkContext, type WorkHandler, type WorkResult } from '@baton/service'
import { readMedia } from '../adapters/media.policy.ts'
import type { Attempts } from '../attempts/attempts.ts'
import type { Asked, Dispatch, GivenUp, PieceSink } from '../attempts/dispatch.ts'
import { type AnswerCache, type CachedAnswer, type CacheKey, cacheKeyOf } from '../cache/answer-cache.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Question } from '../model.ts'
import { readOutput } from '../output/structured-output.ts'
import { cachedMeter, lossOf, meterOf, type Took } from './meter.ts'
import { type ContextReader, leftOutOf, NOTHING_SEEN, type Seen } from '../context/context-reader.ts'
import { promptOf, type Prompt } from './prompt.ts'

/** Time of one try where the step names none. */
const TIMEOUT_MS = 30_000
const WAIT_MAX_MS = 2_000
const ONE_TRY: RetrySpec = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false }

/** What the handler stands on. */
export type InvokeTools = {
  readonly catalogue: Pick<Catalogue, 'resolve'>
  readonly attempts: Pick<Attempts, 'ask'>
  readonly cache: AnswerCache
  /** Where an answer to this command is shown while it is written; undefined: nowhere. */
  readonly pieces: (command: StepCommand, node: PlanNode, delivery: number) => PieceSink | undefined
  /** Finds what a step shows beside its prompt; absent: recipes of contexts are not followed. */
  readonly sees?: ContextReader
  /** Monotone milliseconds. */
  readonly clockMs: () => number
}

type ModelNode = PlanNode & { readonly kind: 'model' }
const modelNode = (node: PlanNode): ModelNode => {
  if (node.kind === 'model') return node
  throw new Fault('flow.invalid', `${node.id} is no model step.`, { node: node.id })
}

const trySpec = (node: ModelNode): TrySpec => ({
  ...(node.retry ?? ONE_TRY),
  timeoutMs: node.timeoutMs ?? TIMEOUT_MS,
  waitMaxMs: WAIT_MAX_MS,
})

const charsOf = ({ prompt, system = '' }: Prompt): number => prompt.length + system.length

const contentOf = ({ prompt, system }: Prompt, input: Json, output: Json): Json => ({
  prompt,
  ...(system === undefined ? {} : { system }),
  input,
  output,
})

/** A dispatch that gave nothing, as the result of its work (I4). */
export const lostWork = (asked: GivenUp, took: Took, { deadlineMs, nowMs }: { deadlineMs: number; nowMs: number }): WorkResult => {
  const { deferMs, fault } = asked
  const untilMs = deferMs === undefined ? undefined : nowMs + deferMs
  if (untilMs !== undefined && untilMs < deadlineMs) return { status: 'deferred', untilMs, reason: fault.message }
  return { status: 'failed', fault, meter: lossOf(asked, took) }
}

/** A dispatch as the result of its work. */
const resultOf = (asked: Asked, told: Prompt, { input, ...took }: Omit<Took, 'inputChars'> & { input: Json }): WorkResult => {
  const { output, model } = asked
  const promptChars = charsOf(told)
  const inputChars = model.local ? JSON.stringify(input).length : promptChars
  const outputChars = JSON.stringify(output.value).length
  return {
    status: 'answered',
    output: output.value,
    by: `model:${model.name}`,
    meter: meterOf(asked, { ...took, inputChars, outputChars }),
    content: contentOf(told, input, output.value),
  }
}

const fromCache = (cached: CachedAnswer, told: Prompt, { input, ...took }: Omit<Took, 'inputChars'> & { input: Json }): WorkResult => {
  const inputChars = charsOf(told)
  const outputChars = JSON.stringify(cached.output).length
  return {
    status: 'answered',
    output: cached.output,
    by: cached.by,
    meter: cachedMeter(cached, { ...took, inputChars, outputChars }),
    content: contentOf(told, input, cached.output),
  }
}

const toCache = ({ output, model, usage }: Asked): CachedAnswer => ({
  output: output.value,
  by: `model:${model.name}`,
  model: model.name,
  provider: model.provider,
  costMicroUsd: usage.costMicroUsd,
  ...(output.confidence === undefined ? {} : { confidence: output.confidence }),
  ...(output.rawConfidence === undefined ? {} : { rawConfidence: output.rawConfidence }),
})

const questionOf = (
  told: Prompt,
  node: ModelNode,
  { input, media }: WorkContext,
  feedback: string | undefined,
): Omit<Question, 'signal'> => {
  const shown = readMedia(media)
  return {
    ...told,
    input,
    occasion: { step: node.id },
    ...(node.returns === undefined ? {} : { schema: node.returns }),
    ...(feedback === undefined ? {} : { feedback }),
    ...(shown.length === 0 ? {} : { media: shown }),
  }
}

/** What the step shows beside its prompt, where it has a recipe for that. */
const seenBy = async (sees: ContextReader | undefined, command: StepCommand, context: WorkContext): Promise<Seen> => {
  const { plan, input } = context
  const node = modelNode(context.node)
  if (sees === undefined || node.context === undefined) return NOTHING_SEEN
  const names = command.override?.models ?? node.models // I1
  const prompt = plan.prompts[command.override?.prompt ?? node.prompt] ?? ''
  return sees.read(command, context, { spec: node.context, names, beside: `${JSON.stringify(prompt)}${JSON.stringify(input)}` })
}

const askedFor = ({ person, output: { confidence } }: Asked): Parameters<typeof orPerson>[1] => ({
  ...(person === undefined ? {} : { person }),
  ...(confidence === undefined ? {} : { confidence }),
})

/** A result as it stands, or the question to the person that the route names (I3). */
const orPerson = (
  result: WorkResult,
  { person, ...seen }: Pick<Asked | GivenUp, 'person'> & { readonly confidence?: number },
  { command, node, input }: Pick<WorkContext, 'node' | 'input'> & { readonly command: StepCommand },
): WorkResult => {
  if (person === undefined || command.mode === 'dry_run' || (result.status !== 'answered' && result.status !== 'failed')) return result
  const { need, route: rule, why } = person
  const draft = result.status === 'answered' ? { output: result.output, by: result.by, ...seen } : {}
  return askedWork({ command, node, input, ...draft }, { need, rule, reasons: [why] }, result)
}

/** Makes the handler. */
export const invokeHandler = ({ catalogue, attempts, cache, pieces, sees, clockMs }: InvokeTools): WorkHandler => {
  /** Where the answer of this command is kept, if the step has a cache. A command that a gate sent back takes it out (A2). */
  const cacheOf = async (
    command: StepCommand,
    node: ModelNode,
    question: Omit<Question, 'signal'>,
    prompt: unknown,
  ): Promise<CacheKey | undefined> => {
    if (node.cache === undefined || command.mode === 'dry_run') return undefined
    const key = cacheKeyOf(command, node.cache, { question, models: catalogue.resolve(node.models), prompt })
    if (command.override === undefined) return key
    await cache.forget(key)
    return undefined
  }
  const dispatchOf = (command: StepCommand, context: WorkContext, told: Prompt): Dispatch => {
    const node = modelNode(context.node)
    return {
      command,
      step: node.id,
      names: command.override?.models ?? node.models, // I1
      question: questionOf(told, node, context, command.override?.feedback),
      read: (answer) => readOutput(answer, node.returns),
      spec: trySpec(node),
      signal: context.signal,
      delivery: context.delivery,
      hedge: node.hedge,
      harmless: node.effect === 'read',
      stream: pieces(command, node, context.delivery),
    }
  }
  return async (command: StepCommand, context: WorkContext) => {
    const { input, plan, nowMs } = context
    const node = modelNode(context.node)
    const prompt = command.override?.prompt ?? node.prompt // I1
    const seen = await seenBy(sees, command, context)
    const told = promptOf(plan, prompt, input, seen.shown)
    const dispatch = dispatchOf(command, context, told)
    const startedAtMs = nowMs()
    const started = clockMs()
    const took = () => ({
      startedAtMs,
      latencyMs: Math.round((clockMs() - started) * 1_000) / 1_000,
      ...leftOutOf(seen),
    })
    const key = await cacheOf(
      command,
      node,
      { ...dispatch.question, ...promptOf(plan, node.prompt, input, seen.shown) },
      plan.prompts[node.prompt],
    )
    const cached = key === undefined ? undefined : await cache.find(key)
    if (cached !== undefined) return fromCache(cached, told, { input, ...took() })
    const asked = await attempts.ask(dispatch)
    if ('fault' in asked) {
      const inputChars = charsOf(told)
      const lost = lostWork(asked, { ...took(), inputChars }, { deadlineMs: command.deadlineMs, nowMs: nowMs() })
      return orPerson(lost, asked, { command, node, input })
    }
    if (key !== undefined && node.cache !== undefined && asked.escalated !== true && asked.person === undefined)
      await cache.save(key, toCache(asked), node.cache.ttlMs) // A2
    return orPerson(resultOf(asked, told, { input, ...took() }), askedFor(asked), { command, node, input })
  }
}
