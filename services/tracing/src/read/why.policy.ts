// Why a run stands where it stands, in words, with the command that helps.
//   Y1. A paused run waits for its resumption, whatever else is open.
//   Y2. Of an open run each thing that is waited for is named, without the composed steps that only stand around it.
//   Y3. Of a failed run the step is named that its fault comes from: the innermost one below the last that failed with it; where none
//       failed with it (a limit was reached, nothing came in time), the step at which the run stood.
import { FAULTS, isFaultCode } from '@baton/contracts/fault'
import { isFrame, timeOf, type OpenStep, type RunView } from './run-view.ts'

export type Reason = {
  readonly kind:
    | 'paused'
    | 'person'
    | 'event'
    | 'time'
    | 'run'
    | 'task'
    | 'turn'
    | 'dependency'
    | 'retry'
    | 'work'
    | 'engine'
    | 'fault'
    | 'cancelled'
  /** The step; null where it is the run. */
  readonly path: string | null
  readonly text: string
  /** What to enter on the command line; null where nothing needs to be done. */
  readonly command: string | null
  readonly untilMs?: number
  readonly event?: string
  readonly childRunId?: string
  readonly taskId?: string
  readonly code?: string
  readonly remedy?: string
}

/** A step that failed. */
export type FailedStep = {
  readonly path: string
  readonly kind: string
  readonly seq: number
  readonly code: string
  readonly message: string | null
  readonly childRunId: string | null
}

export type Situation = {
  readonly run: RunView
  readonly open: readonly OpenStep[]
  /** Steps that failed, newest first. `open` are those that were open when the run failed. */
  readonly failed: readonly FailedStep[]
  /** Tasks for people, by the path of the step that asks. */
  readonly tasks: ReadonlyMap<string, string>
  readonly cancelledBy: string | null
}

/** The reasons, the one to look at first in front; none for a run that completed. */
export const reasonsOf = (situation: Situation): readonly Reason[] => {
  const { run, cancelledBy } = situation
  switch (run.status) {
    case 'completed':
      return []
    case 'failed':
      return faultReasons(situation)
    case 'cancelled':
      return [{ kind: 'cancelled', path: null, text: `it was cancelled${cancelledBy === null ? '' : ` by ${cancelledBy}`}`, command: null }]
    case 'paused':
      return [paused(run)] // Y1
    case 'running':
    case 'waiting':
      return openReasons(situation)
  }
}

const paused = ({ runId, paused: hold }: RunView): Reason => ({
  kind: 'paused',
  path: null,
  text: `it is paused${hold === null ? '' : ` by ${hold.by} since ${timeOf(hold.atMs)}`}`,
  command: `baton runs resume ${runId}`,
})

const openReasons = ({ run, open, tasks }: Situation): readonly Reason[] => {
  const inside = open.filter((step) => !isFrame(step)) // Y2
  const told = inside.length === 0 ? open : inside
  if (told.length === 0)
    return [
      { kind: 'engine', path: null, text: 'nothing is asked of anybody: the engine goes on, or its journal is behind', command: null },
    ]
  return told.map((step) => openReason(run.runId, step, tasks))
}

const openReason = (runId: string, step: OpenStep, tasks: ReadonlyMap<string, string>): Reason => {
  const { path, kind, untilMs } = step
  switch (kind) {
    case 'human':
      return personReason(path, tasks.get(path))
    case 'event': {
      const event = step.event ?? 'EVENT'
      const until = untilMs === null ? '' : `, until ${timeOf(untilMs)}`
      return {
        kind: 'event',
        path,
        text: `it waits for the event ${event}${until}`,
        command: `baton send ${runId} ${event}`,
        event,
        ...timed(untilMs),
      }
    }
    case 'wait':
      return {
        kind: 'time',
        path,
        text: `it waits until ${untilMs === null ? 'a time' : timeOf(untilMs)}`,
        command: null,
        ...timed(untilMs),
      }
    case 'flow':
      return childReason(path, step.childRunId)
    default:
      return workReason(step)
  }
}

const timed = (untilMs: number | null): { untilMs?: number } => (untilMs === null ? {} : { untilMs })

const personReason = (path: string, taskId: string | undefined): Reason =>
  taskId === undefined
    ? { kind: 'person', path, text: 'it waits for a person', command: 'baton reviews list' }
    : { kind: 'person', path, text: `it waits for a person to decide ${taskId}`, command: `baton reviews show ${taskId}`, taskId }

const childReason = (path: string, childRunId: string | null): Reason =>
  childRunId === null
    ? { kind: 'run', path, text: 'it waits for a run that it started', command: null }
    : { kind: 'run', path, text: `it waits for the run ${childRunId} that it started`, command: `baton why ${childRunId}`, childRunId }

const TURN = /(?:^|\/)turn\[(\d+)\]$/

const workReason = (step: OpenStep): Reason => {
  const { path, untilMs } = step
  return { kind: 'work', path, command: null, ...workWords(step), ...timed(untilMs) }
}

const workWords = (step: OpenStep): Pick<Reason, 'text'> & Partial<Reason> => {
  const { path, kind } = step
  if (step.status === 'waiting') return waitWords(step)
  const turn = TURN.exec(path)?.[1]
  if (turn !== undefined) return { kind: 'turn', text: `an agent is at its turn ${turn}` }
  if (kind === 'task') return { kind: 'task', text: `a task of another team is open${named('; word of it is due by', step)}` }
  return { text: `the ${kind} step is being worked on` }
}

/** Nothing where no time is known. */
const named = (words: string, { untilMs }: OpenStep): string => (untilMs === null ? '' : `${words} ${timeOf(untilMs)}`)

const waitWords = (step: OpenStep): Pick<Reason, 'text'> & Partial<Reason> => {
  const { kind, reason, errorCode } = step
  if (reason === 'deferred')
    return {
      kind: 'dependency',
      text: `what the ${kind} step needs is down${named('; the next look is at', step)}`,
      command: 'baton doctor',
    }
  if (reason === 'asks') return { text: `the ${kind} step cannot go on before a person has answered` }
  if (reason === 'extended') return { text: `the ${kind} step is being worked on, and asked for time${named(' until', step)}` }
  const after = errorCode === null ? '' : ` after ${errorCode}`
  return { kind: 'retry', text: `the ${kind} step is tried again${after}${named(', at', step)}` }
}

const UNKNOWN = { code: 'handler.failed', message: '' }

const faultReasons = ({ run, failed, open }: Situation): readonly Reason[] => {
  const step = culpritOf(failed, run.fault?.code) ?? stoodAt(open) ?? failed[0]
  const { code, message } = run.fault ?? UNKNOWN
  const reason: Reason = {
    kind: 'fault',
    path: step?.path ?? null,
    text: `it failed with ${code}${message === '' ? '' : `: ${message}`}`,
    command: `baton runs retry ${run.runId}${step === undefined ? '' : ` --from ${topOf(step.path)}`}`, // the engine knows where it stood
    code,
    remedy: remedyOf(code),
  }
  return [reason, ...childFault(step)]
}

const childFault = (step: Culprit | undefined): readonly Reason[] => {
  if (step === undefined || step.childRunId === null) return []
  return [{ ...childReason(step.path, step.childRunId), text: `the run ${step.childRunId} that it started says more` }]
}

type Culprit = Pick<FailedStep, 'path' | 'childRunId'>

const depthOf = ({ path }: Culprit): number => path.split(/[/[]/).length

const culpritOf = (failed: readonly FailedStep[], code: string | undefined): Culprit | undefined => {
  const [last, ...others] = failed.filter((step) => step.code === code)
  if (last === undefined) return undefined
  const below = others.filter(({ path }) => path.startsWith(`${last.path}/`) || path.startsWith(`${last.path}[`))
  return below.reduce((deepest, step) => (depthOf(step) > depthOf(deepest) ? step : deepest), last) // Y3
}

/** The outermost of the steps that were open, of several the one that began last. */
const stoodAt = (open: readonly OpenStep[]): Culprit | undefined =>
  open.reduce<OpenStep | undefined>((found, step) => (found === undefined || depthOf(step) <= depthOf(found) ? step : found), undefined)

/** The step of the flow itself that a place belongs to. */
const topOf = (path: string): string => /^[^/[]+/.exec(path)?.[0] ?? path

const REMEDIES = {
  retry: 'it may work when it is tried again',
  failover: 'another model or tool may do it',
  reask: 'it may work when the model is asked in another way',
  human: 'a person has to look at it',
} as const
const STOPPERS = {
  caller: 'the request has to be changed',
  flow: 'the flow has to be changed',
  policy: 'a limit or rule stopped it: change the rule, or what the run does',
  person: 'a person said no',
} as const

const remedyOf = (code: string): string => {
  if (!isFaultCode(code)) return 'look at its trace'
  const { remedy, blame, summary } = FAULTS[code]
  const words =
    remedy === 'stop'
      ? blame === 'caller' || blame === 'flow' || blame === 'policy' || blame === 'person'
        ? STOPPERS[blame]
        : 'trying again does not help by itself'
      : REMEDIES[remedy]
  return `${summary} ${words[0]?.toUpperCase() ?? ''}${words.slice(1)}.`
}
