// A run as the engine made it, beside what the reference says of it: told of the same records in the same order, it must come to the same.
import { canonicalJson, type Json } from '@baton/contracts/json'
import type { FaultCode } from '@baton/contracts/fault'
import type { MessageOf } from '@baton/contracts'
import type { EngineInput, LogMessage, Output } from '@baton/engine'
import type { Program } from '@baton/flow/program'
import { answerOf, withoutWords } from './answers.ts'
import { Reference } from './reference.ts'
import { Failed, type Entry } from './reference-terms.ts'
import { broken, BrokenPromise } from './run-ledger.ts'

/** A record of a run and what it caused when the log was decided in one go. */
export type Moment = { readonly record: EngineInput; readonly outputs: readonly Output[] }
export type Told = {
  readonly seed: number
  readonly place: string
  readonly program: Program
  readonly moments: readonly Moment[]
  readonly asked: readonly string[]
}

type Journal = Extract<Output, { to: 'journal' }>['message']
const journals = (outputs: readonly Output[]): readonly Journal[] =>
  outputs.flatMap((output) => (output.to === 'journal' ? [output.message] : []))

/** Everything that is done at once is done when this comes back. */
const settled = (): Promise<void> => new Promise((go) => setImmediate(go))

/** Records after which the reference cannot know how the run goes on: somebody ended or changed it. */
const isBeyond = ({ record: { message }, outputs }: Moment): boolean => {
  if (message.name === 'run.cancel' || message.name === 'run.quarantine') return true
  return journals(outputs).some(({ name, data }) => name === 'journal.run.controlled' && data.action === 'patched')
}

/** Limits of the run itself, and of time: the ledger knows them. */
const BEYOND: ReadonlySet<string> = new Set([
  'limit.time_exceeded',
  'limit.total_exceeded',
  'limit.steps_exceeded',
  'limit.calls_exceeded',
  'limit.cost_exceeded',
  'limit.tokens_exceeded',
  'limit.depth_exceeded',
])

type End = { readonly status: string; readonly output?: Json; readonly code?: string; readonly degraded: readonly string[] }

const endIn = (outputs: readonly Output[]): End | undefined => {
  for (const output of outputs) {
    if (output.to === 'result') {
      const { status, output: value, fault, degraded = [] } = output.result
      return {
        status,
        ...(value === undefined ? {} : { output: value }),
        ...(fault === undefined ? {} : { code: fault.code }),
        degraded: [...degraded].sort(),
      }
    }
    if (output.to !== 'log') continue
    const { name, data } = output.message
    if (name === 'step.completed') return { status: 'completed', output: data.output, degraded: [] }
    if (name === 'step.failed') return { status: 'failed', code: data.fault.code, degraded: [] }
  }
  return undefined
}

type Said = 'alike' | 'changed' | 'limited' | 'lost' | 'paused' | 'halted'

/** Whether the reference had something to say about it: 'alike', or why it had not. Throws when the two differ. */
export const compare = async (told: Told): Promise<Said> => {
  try {
    return await follow(told)
  } catch (error) {
    // Where a record caused more than one may, the rest waited for the next, and answers overtook it: the reference asks at once.
    const halted = told.moments.some(({ outputs }) =>
      outputs.some((output) => output.to === 'log' && output.message.name === 'run.continue'),
    )
    if (halted && error instanceof BrokenPromise) return 'halted'
    throw error
  }
}

const isLimited = ({ outputs }: Moment): boolean =>
  BEYOND.has(endIn(outputs)?.code ?? '') ||
  journals(outputs).some(({ name, data }) => name === 'journal.step.failed' && data.kind !== 'flow' && BEYOND.has(data.fault.code))

const follow = async (told: Told): Promise<Said> => {
  const [first] = told.moments
  if (first?.record.message.name !== 'run.requested') return 'changed'
  const request = first.record.message.data
  const reference = new Reference({ program: told.program, request, seed: told.seed, place: told.place })
  const lost = new Map<string, number>()
  let heldBack = 0
  for (const [index, moment] of told.moments.entries()) {
    const end = endIn(moment.outputs)
    if (isLimited(moment)) return 'limited'
    if (isBeyond(moment)) return 'changed'
    const { record } = moment
    // What came back during a pause moves on at once when it is over: who is first among several is the engine's own business.
    if (record.message.name === 'run.pause') heldBack = 0
    if (reference.paused && tookAny(moment)) heldBack += 1
    if (heldBack > 1) return 'paused'
    // Nobody let it go on before its time was over.
    if (reference.paused && end !== undefined && record.message.name === 'timer.matured') return 'limited'
    reference.time(record.atMs)
    if (index === 0) reference.begin(record.atMs)
    else {
      await settled()
      if (tell(reference, moment, lost) === 'lost') return 'lost'
    }
    await settled()
    if (end === undefined) continue
    agree(told, reference, end)
    return 'alike'
  }
  return broken('REF', `${request.runId} has no end`)
}

const agree = ({ asked, moments }: Told, reference: Reference, end: End): void => {
  const { result } = reference
  const runId = moments[0]?.record.message.data.runId ?? ''
  if (result === null)
    return broken('REF', `${runId} ended with ${JSON.stringify(end)}; it should wait for ${JSON.stringify(reference.open)}`)
  const { status, output, code, degraded } = result
  // The end of a run that a step started says less.
  const child = moments.some(({ outputs }) =>
    outputs.some(({ to, ...rest }) => to === 'log' && 'message' in rest && (rest.message as LogMessage).name.startsWith('step.')),
  )
  const should = {
    status,
    ...(output === undefined ? {} : { output: output }),
    ...(code === undefined ? {} : { code }),
    degraded: child ? [] : degraded,
  }
  const [said, was] = [should, end].map((one) => canonicalJson(withoutWords(one as Json)))
  if (said !== was) broken('REF', `${runId} should end with ${said}, and ended with ${was}`)
  const differ = [
    ...reference.asked.filter((path) => !asked.includes(path)).map((path) => `-${path}`),
    ...asked.filter((path) => !reference.asked.includes(path)).map((path) => `+${path}`),
  ]
  // A branch that fails before it asks for anything may end the step before the others have moved.
  const atOnce = moments.some(({ outputs }) => journals(outputs).some(({ data }) => JSON.stringify(data).includes('expression.failed')))
  if (differ.some((path) => !atOnce || path.startsWith('+'))) broken('REF', `${runId} asked otherwise: ${differ.join(' ')}`)
  return undefined
}

/** Tells the reference what this record said, if the engine took it. */
const tell = (reference: Reference, { record: { message }, outputs }: Moment, lost: Map<string, number>): 'lost' | undefined => {
  switch (message.name) {
    case 'run.event':
      reference.event(message.data)
      return undefined
    case 'run.pause':
      reference.pause()
      return undefined
    case 'run.resume':
      reference.resume()
      return undefined
    case 'timer.matured':
      return wake(reference, outputs, lost)
    case 'step.completed':
    case 'step.failed':
    case 'step.asks':
    case 'step.expired':
    case 'review.decided':
    case 'review.expired': {
      const taken = takenIn(outputs, message.data.attemptId)
      if (taken !== undefined) answer(reference, message, taken)
      return undefined
    }
    default:
      return undefined
  }
}

type Taken = Extract<Journal, { name: 'journal.step.completed' | 'journal.step.failed' | 'journal.step.waiting' }>
const isTaken = (message: Journal): message is Taken =>
  message.name === 'journal.step.completed' ||
  message.name === 'journal.step.failed' ||
  (message.name === 'journal.step.waiting' && message.data.reason === 'asks')

const tookAny = ({ outputs }: Moment): boolean => journals(outputs).some(isTaken)

const takenIn = (outputs: readonly Output[], attemptId: string): Taken | undefined =>
  journals(outputs)
    .filter(isTaken)
    .find(({ data }) => data.attemptId === attemptId)

/** Leases that were lost are asked for again, and given up in the end. */
const LEASES_MAX = 3

const wake = (reference: Reference, outputs: readonly Output[], lost: Map<string, number>): 'lost' | undefined => {
  for (const { name, data } of journals(outputs)) {
    if (name !== 'journal.step.failed' || data.attemptId === undefined) continue
    if (data.fault.code === 'review.expired') {
      reference.answer(data.path, null, new Failed('review.expired'))
      continue
    }
    if (data.fault.code === 'step.timed_out') continue // the reference knows when the time of a step is over
    // What is asked beside the work of a step counts with it.
    const step = data.path.replace(/\/(guard|ask)\[\w+\]$/, '')
    const times = (lost.get(step) ?? 0) + 1
    lost.set(step, times)
    // Which visit they belonged to is not told.
    if (times >= LEASES_MAX) return 'lost'
  }
  reference.wake()
  return undefined
}

const answer = (reference: Reference, message: LogMessage, { data: { path } }: Taken): void => {
  const question = reference.question(path)
  if (question === undefined)
    return broken('REF', `${message.data.runId}: an answer to ${path} was taken; open are ${JSON.stringify(reference.open)}`)
  const other = othersAnswer(message, question === null)
  reference.answer(path, question === null ? null : answerOf(question), other)
  return undefined
}

/** What does not come from the world as it is asked: the end of another run, and times that were over. */
const othersAnswer = ({ name, data }: LogMessage, child: boolean): Entry | Failed | undefined => {
  if (name === 'step.expired') return new Failed('step.expired')
  if (!child) return undefined
  if (name === 'step.completed') return { output: data.output, by: data.by ?? '' }
  return new Failed(name === 'step.failed' ? ((data as MessageOf<'step.failed'>).fault.code as FaultCode) : 'handler.failed')
}
