// Specifications of runs: `given(program, …history).when(record).emits('ask model.invoke answer/1', …)`.
// Every record is decided on a state that went through its stored form, so a spec also proves that nothing lives beside the state.
import assert from 'node:assert/strict'
import type { FaultCode, FaultData } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { MessageOf, Meter } from '@baton/contracts'
import { compileFlow, loadProgram } from '@baton/flow'
import type { Program } from '@baton/flow/program'
import { decodeState, encodeState } from './codec.ts'
import type { Decision, LogMessage, Output } from './decision.ts'
import { decide } from './run/run.decider.ts'
import type { RunState } from './state.ts'

/** The run of every specification. */
export const RUN = 'run_1'
/** Time of its first record. */
export const START_MS = 1_700_000_000_000

/** A flow file as a program. Throws what the checker says. */
export const programOf = (text: string): Program => {
  const compiled = compileFlow({ files: new Map([['flow.yaml', text]]), entry: 'flow.yaml', defaults: { model: 'small' } })
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  return loadProgram(compiled.plan)
}

/** A record, and when it is appended: `atMs` after the start. Without it, one millisecond after the one before. */
export type Step = LogMessage | { readonly atMs: number; readonly message: LogMessage }
export const at = (atMs: number, message: LogMessage): Step => ({ atMs, message })

const attemptId = (attempt: string): string => `${RUN}/${attempt}`

/** `run.requested`. */
export const requested = (input: Json = {}, more: Partial<MessageOf<'run.requested'>> = {}): LogMessage => ({
  name: 'run.requested',
  data: {
    runId: RUN,
    requestId: 'order-1',
    tenant: 'default',
    source: 'test',
    flow: 'test/flow',
    version: '1.0.0',
    planHash: '0'.repeat(64),
    engineVersion: 1,
    params: {},
    input,
    priority: 'normal',
    labels: {},
    requestedAtMs: START_MS,
    repeat: false,
    ...more,
  },
})

const meterOf = (costMicroUsd: number): Meter => ({
  startedAtMs: START_MS,
  latencyMs: 1,
  tries: 1,
  inputChars: 1,
  outputChars: 1,
  costMicroUsd,
})

/** `step.completed` of an attempt such as `answer/1`. */
export const completed = (
  attempt: string,
  output: Json = null,
  { costMicroUsd, ...more }: Partial<MessageOf<'step.completed'>> & { costMicroUsd?: number } = {},
): LogMessage => ({
  name: 'step.completed',
  data: {
    runId: RUN,
    attemptId: attemptId(attempt),
    output,
    by: 'model:small',
    ...(costMicroUsd === undefined ? {} : { meter: meterOf(costMicroUsd) }),
    ...more,
  },
})
/** `step.failed`. */
export const failed = (attempt: string, code: FaultCode = 'tool.failed', costMicroUsd?: number): LogMessage => ({
  name: 'step.failed',
  data: {
    runId: RUN,
    attemptId: attemptId(attempt),
    fault: faultOf(code),
    ...(costMicroUsd === undefined ? {} : { meter: meterOf(costMicroUsd) }),
  },
})
const faultOf = (code: FaultCode): FaultData => ({ code, message: `${code} happened` })
export const expired = (attempt: string): LogMessage => ({
  name: 'step.expired',
  data: { runId: RUN, attemptId: attemptId(attempt), deadlineMs: START_MS },
})
export const retrying = (attempt: string, untilMs: number): LogMessage => ({
  name: 'step.retrying',
  data: { runId: RUN, attemptId: attemptId(attempt), untilMs: START_MS + untilMs, tries: 1, fault: faultOf('model.unavailable') },
})
export const deferred = (attempt: string, untilMs: number): LogMessage => ({
  name: 'step.deferred',
  data: { runId: RUN, attemptId: attemptId(attempt), untilMs: START_MS + untilMs, reason: 'the database is away' },
})
export const extended = (attempt: string, untilMs: number): LogMessage => ({
  name: 'step.extended',
  data: { runId: RUN, attemptId: attemptId(attempt), untilMs: START_MS + untilMs },
})
/** `step.asks`. */
export const asks = (
  attempt: string,
  ask: Partial<MessageOf<'step.asks'>['ask']> = {},
  more: Partial<MessageOf<'step.asks'>> = {},
): LogMessage => ({
  name: 'step.asks',
  data: {
    runId: RUN,
    attemptId: attemptId(attempt),
    ask: { kind: 'approval', use: 'answer', title: 'May it?', input: { draft: 1 }, reasons: ['it is irreversible'], ...ask },
    ...more,
  },
})
/** `review.decided`. */
export const decided = (attempt: string, verdict: MessageOf<'review.decided'>['verdict'], output: Json = null, by = 'ada'): LogMessage => ({
  name: 'review.decided',
  data: { runId: RUN, attemptId: attemptId(attempt), taskId: 'task_1', verdict, output, by, fingerprint: 'f', decidedAtMs: START_MS },
})
export const reviewExpired = (attempt: string): LogMessage => ({
  name: 'review.expired',
  data: { runId: RUN, attemptId: attemptId(attempt), taskId: 'task_1', dueAtMs: START_MS },
})
export const woken = (): LogMessage => ({ name: 'timer.matured', data: { runId: RUN, timerId: 'wake', dueAtMs: START_MS } })
export const cancelled = (): LogMessage => ({ name: 'run.cancel', data: { runId: RUN, by: 'ada', reason: 'not needed' } })
export const quarantined = (): LogMessage => ({ name: 'run.quarantine', data: { runId: RUN, offset: '7', crashes: 2 } })
export const paused = (): LogMessage => ({ name: 'run.pause', data: { runId: RUN, by: 'ada' } })
export const resumed = (): LogMessage => ({ name: 'run.resume', data: { runId: RUN, by: 'ada' } })
export const patched = (change: Partial<MessageOf<'run.patch'>>): LogMessage => ({
  name: 'run.patch',
  data: { runId: RUN, by: 'ada', ...change },
})
/** `run.event`; its id is that of the event where none is given. */
export const happened = (event: string, data: Json = {}, eventId = event): LogMessage => ({
  name: 'run.event',
  data: { runId: RUN, eventId, event, data },
})
/** `step.completed` of a turn of an agent. */
export const turned = (attempt: string, turn: MessageOf<'step.completed'>['turn'], output: Json = null): LogMessage =>
  completed(attempt, output, turn === undefined ? {} : { turn })
export const continued = (seq: number): LogMessage => ({ name: 'run.continue', data: { runId: RUN, seq } })

const short = (id: string): string => (id.startsWith(`${RUN}/`) ? id.slice(RUN.length + 1) : id)

/** An output in one line. */
export const inWords = (output: Output): string => {
  switch (output.to) {
    case 'command':
      return `ask ${output.contract} ${short(output.command.attemptId)}${output.priority === 'normal' ? '' : ` ${output.priority}`}`
    case 'task':
      return `ask task ${output.task} ${short(output.command.attemptId)}`
    case 'result':
      return `result ${output.result.status}${output.topic === undefined ? '' : ` to ${output.topic}`}`
    case 'log':
      return output.message.name === 'run.continue' ? 'continue' : `append ${output.message.name} ${short(output.message.data.runId)}`
    case 'withdrawal':
      return `withdraw ${short(output.review.attemptId)}`
    case 'topic':
      return `emit ${output.topic} ${output.key}`
    case 'journal':
      return inWordsOfJournal(output.message)
  }
}

type Journal = Extract<Output, { to: 'journal' }>['message']
type FromOutside = Extract<Journal, { name: 'journal.run.controlled' | 'journal.event.received' | 'journal.step.opened' }>

const inWordsOfOthers = ({ name, data }: FromOutside): string => {
  switch (name) {
    case 'journal.run.controlled':
      return `${data.action} by ${data.by}`
    case 'journal.event.received':
      return `event ${data.event} ${data.path ?? 'kept'}`
    case 'journal.step.opened':
      return `opened ${data.path}${data.parts === undefined ? '' : ` ${data.parts}`}`
  }
}

const inWordsOfJournal = (message: Journal): string => {
  const { name, data } = message
  switch (name) {
    case 'journal.run.controlled':
    case 'journal.event.received':
    case 'journal.step.opened':
      return inWordsOfOthers(message)
    case 'journal.run.started':
      return 'started'
    case 'journal.step.dispatched':
      return `dispatched ${short(data.attemptId)}`
    case 'journal.step.completed':
      return `completed ${data.path}/${data.attempt} by ${data.by}`
    case 'journal.step.failed':
      return `failed ${data.path}/${data.attempt} ${data.fault.code}`
    case 'journal.step.waiting':
      return `waiting ${short(data.attemptId)} ${data.reason}`
    case 'journal.step.decided':
      return `${data.kind} ${data.path}: ${data.chosen}`
    case 'journal.answer.ignored':
      return `ignored ${short(data.attemptId)} ${data.reason} ${data.costMicroUsd}`
    case 'journal.run.ended':
      return `ended ${data.status}`
  }
}

/** What a history came to. */
export type Story = {
  readonly state: RunState | undefined
  readonly outputs: readonly Output[]
  readonly lastAtMs: number
  readonly decision: Decision | undefined
}

/** Decides records one after the other. */
export const play = (program: Program, steps: readonly Step[], from?: Story): Story => {
  let state = from?.state
  let atMs = from?.lastAtMs ?? START_MS - 1
  let decision: Decision | undefined
  const outputs = [...(from?.outputs ?? [])]
  for (const [index, step] of steps.entries()) {
    const message = 'message' in step ? step.message : step
    atMs = 'message' in step ? START_MS + step.atMs : atMs + 1
    const pinned: LogMessage =
      message.name === 'run.requested' ? { name: message.name, data: { ...message.data, planHash: program.plan.hash } } : message
    decision = decide(
      state === undefined ? undefined : decodeState(encodeState(state)),
      { message: pinned, atMs, partition: 3, offset: index },
      program,
    )
    state = decision.state
    outputs.push(...decision.outputs)
  }
  return { state, outputs, lastAtMs: atMs, decision }
}

/** The reading of a history: what the next record causes. */
export const given = (program: Program, ...history: readonly Step[]) => {
  const before = play(program, history)
  return {
    ...before,
    when: (step: Step) => {
      const after = play(program, [step], before)
      const outputs = after.decision?.outputs ?? []
      return {
        ...after,
        outputs,
        /** The outputs, in words and in order. */
        emits: (...expected: readonly string[]): void => assert.deepEqual(outputs.map(inWords), expected),
      }
    },
  }
}

/** The result among outputs; undefined while the run goes on. */
export const resultIn = (outputs: readonly Output[]): Extract<Output, { to: 'result' }> | undefined =>
  outputs.find((output): output is Extract<Output, { to: 'result' }> => output.to === 'result')
/** The first command or task for a path among outputs. */
export const askedFor = (outputs: readonly Output[], path: string) =>
  outputs.find((output): output is Extract<Output, { to: 'command' | 'task' }> => 'command' in output && output.command.path === path)
    ?.command
