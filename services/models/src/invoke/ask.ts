// One dispatch: candidates are asked by the attempt plan until one gives an output that fits.
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault, toFault } from '@baton/contracts/fault'
import type { JsonSchema } from '@baton/contracts/json'
import { type Candidate, firstMove, type Move, nextMove, shareOfTry, type TrySpec } from '@baton/policy'
import type { Answer, Model, Question, Usage } from '../model.ts'
import type { Output } from '../output/structured-output.ts'

export type Asked<O extends Output = Output> = {
  readonly output: O
  readonly model: Model
  readonly tries: number
  /** All calls of the dispatch together, also those whose answers were thrown away. */
  readonly usage: Usage
  readonly failedOver: readonly string[]
}

/** Nobody gave an output that fits: why, and what was used up all the same. */
export type GivenUp = { readonly fault: Fault; readonly tries: number; readonly usage: Usage; readonly failedOver: readonly string[] }

export type Dispatch<O extends Output = Output> = {
  readonly models: readonly Model[]
  readonly question: Omit<Question, 'signal' | 'schema'>
  readonly schema: JsonSchema | undefined
  /** Makes an output of an answer. Throws a Fault with an `output.*` code; `detail.problem` is for the model. */
  readonly read: (answer: Answer) => O
  readonly spec: TrySpec
  readonly signal: AbortSignal
  readonly random: () => number
  /** Monotone milliseconds. */
  readonly clockMs: () => number
}

const LOCAL_WEIGHT = 0.05

const candidateOf = ({ name, local }: Model): Candidate => ({ name, reaskable: !local, weight: local ? LOCAL_WEIGHT : 1 })

const sum = (left: Usage, right: Usage): Usage => ({
  costMicroUsd: left.costMicroUsd + right.costMicroUsd,
  ...(left.inputTokens === undefined && right.inputTokens === undefined
    ? {}
    : { inputTokens: (left.inputTokens ?? 0) + (right.inputTokens ?? 0) }),
  ...(left.outputTokens === undefined && right.outputTokens === undefined
    ? {}
    : { outputTokens: (left.outputTokens ?? 0) + (right.outputTokens ?? 0) }),
})

type Call = { readonly model: Model; readonly timeMs: number; readonly feedback: string | undefined; readonly tryNumber: number }

/** One call, bounded by its time and by the dispatch. */
const callModel = async <O extends Output>(
  { model, timeMs, feedback, tryNumber }: Call,
  { question, schema, signal, read }: Dispatch<O>,
  bill: (usage: Usage) => void,
): Promise<O> => {
  const own = model.local ? signal : AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, timeMs))])
  const told = feedback ?? question.feedback
  const { feedback: _replaced, ...rest } = question
  try {
    const answer = await model.invoke({
      ...rest,
      signal: own,
      ...(schema === undefined ? {} : { schema }),
      ...(told === undefined ? {} : { feedback: told }),
      ...(rest.occasion === undefined ? {} : { occasion: { ...rest.occasion, try: tryNumber } }),
    })
    bill(answer.usage)
    return read(answer)
  } catch (error) {
    if (own.aborted && !signal.aborted)
      throw new Fault('model.timed_out', `${model.name} did not answer within ${timeMs} ms.`, { model: model.name, timeoutMs: timeMs })
    throw error
  }
}

/** Why the dispatch as a whole was ended from outside. */
const ended = (signal: AbortSignal, model: Model | undefined): Fault => {
  const { reason } = signal as { reason: unknown } // The DOM types it as any.
  return typeof reason === 'object' && reason !== null && 'name' in reason && reason.name === 'TimeoutError'
    ? new Fault(
        'model.timed_out',
        'The deadline of the step passed before a model answered.',
        model === undefined ? {} : { model: model.name },
      )
    : new Fault('bus.draining', 'The call was given up because this process is ending.')
}

const rest = async (waitMs: number, signal: AbortSignal): Promise<void> => {
  await sleep(waitMs, undefined, { signal }).catch(() => {
    throw ended(signal, undefined)
  })
}

const feedbackOf = ({ detail, message }: Fault): string => (typeof detail['problem'] === 'string' ? detail['problem'] : message)

const givenUp = (faults: readonly Fault[], move: Move & { do: 'stop' }): Fault => {
  const fault = faults[move.failure] ?? new Fault('model.unavailable', 'No model answered.')
  const trail = move.progress.failures.map(({ name, code }) => `${name}: ${code}`).join(', ')
  const { retryAfterMs } = move
  // The problem with an answer was for the model; it may quote what the answer said.
  const { problem: _problem, ...detail } = fault.detail
  return new Fault(
    fault.code,
    fault.message,
    { ...detail, tries: move.progress.tryNumber, trail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    { cause: fault },
  )
}

const trailOf = ({ failures }: Move['progress'], but?: string): readonly string[] => [
  ...new Set(failures.filter(({ name }) => name !== but).map(({ name, code }) => `${name}: ${code}`)),
]

/** What a dispatch used up so far, and how far it came. */
type Spent = { usage: Usage; progress: Move['progress'] }

/** Asks until an answer fits or the plan ends; then with the fault that says best what would help. */
export const ask = async <O extends Output>(dispatch: Dispatch<O>): Promise<Asked<O> | GivenUp> => {
  const spent: Spent = { usage: { costMicroUsd: 0 }, progress: firstMove().progress }
  try {
    return await walk(dispatch, spent)
  } catch (error) {
    const { usage, progress } = spent
    return { fault: toFault(error), tries: progress.tryNumber, usage, failedOver: trailOf(progress) }
  }
}

const walk = async <O extends Output>(dispatch: Dispatch<O>, spent: Spent): Promise<Asked<O>> => {
  const { models, spec, signal, random, clockMs } = dispatch
  const candidates = models.map(candidateOf)
  const faults: Fault[] = []
  let endsAtMs = clockMs() + spec.timeoutMs
  let move: Move = firstMove()
  for (;;) {
    spent.progress = move.progress
    if (move.do === 'stop') throw givenUp(faults, move)
    if (move.waitMs > 0) await rest(move.waitMs, signal)
    if (move.newTry) endsAtMs = clockMs() + spec.timeoutMs
    const model = models[move.candidate]
    if (model === undefined) throw new Fault('model.none_configured', 'No model to ask.')
    const timeMs = shareOfTry(candidates, move.progress, endsAtMs - clockMs())
    const last = faults.at(-1)
    const feedback = move.reask && last !== undefined ? feedbackOf(last) : undefined
    try {
      const call = { model, timeMs, feedback, tryNumber: move.progress.tryNumber }
      const output = await callModel(call, dispatch, (more) => (spent.usage = sum(spent.usage, more)))
      return { output, model, usage: spent.usage, failedOver: trailOf(move.progress, model.name), tries: move.progress.tryNumber }
    } catch (error) {
      if (signal.aborted) throw ended(signal, model)
      const fault = toFault(error)
      faults.push(fault)
      const { retryAfterMs } = fault.detail
      move = nextMove(
        move.progress,
        { code: fault.code, ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}) },
        { spec, candidates, random: random() },
      )
    }
  }
}
