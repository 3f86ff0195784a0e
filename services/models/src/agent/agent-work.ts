// A turn of an agent as work: which agent, with which models and times.
//   G1. What a gate's retry changed (models, prompt, feedback) goes before what the plan says, as for a model step.
//   G2. An agent that says nothing of what it returns, and stands in for one that does, returns what the step is to return.
import type { AgentTurn, Json, Meter, StepCommand } from '@baton/contracts'
import { Fault } from '@baton/contracts/fault'
import type { AgentSpec, Plan, PlanNode, RetrySpec } from '@baton/flow/plan'
import type { TrySpec } from '@baton/policy'
import type { WorkContext, WorkResult } from '@baton/service'
import type { Attempts } from '../attempts/attempts.ts'
import type { GivenUp, PieceSink } from '../attempts/dispatch.ts'
import type { Shown } from '../stream/guarded-pieces.ts'
import { lostWork } from '../invoke/invoke.ts'
import type { ContextReader } from '../context/context-reader.ts'
import type { Occasion } from '../model.ts'
import type { ToolOffers } from './tool-offers.ts'
import type { Transcripts } from './transcript.ts'

/** What the handlers of turns share. */
export type AgentTools = {
  readonly attempts: Pick<Attempts, 'ask'>
  /** Where an answer to this command is shown while it is written; undefined: nowhere. */
  readonly pieces: (command: StepCommand, shown: Shown, delivery: number) => PieceSink | undefined
  readonly transcripts: Transcripts
  readonly offers: ToolOffers
  /** Finds what an agent sees beside its prompt, and keeps its conversation within the window; absent: neither is done. */
  readonly sees?: ContextReader
  /** Monotone milliseconds. */
  readonly clockMs: () => number
}

/** One turn: the command, its turn, and what the plan says of the agent. */
export type AgentWork = {
  readonly command: StepCommand
  readonly turn: AgentTurn
  readonly agent: AgentSpec
  readonly context: WorkContext
}

/** Time of one try of a turn where the step names none, and the longest that it may name: the timeout of a step is for all its turns. */
const TIMEOUT_MS = 60_000
const TIMEOUT_MAX_MS = 300_000
const WAIT_MAX_MS = 2_000
const ONE_TRY: RetrySpec = { attempts: 1, backoff: 'fixed', delayMs: 0, maxDelayMs: 0, jitter: false }

/** The agent of a turn. Throws `flow.invalid` for a step that has none, and `agent.unknown` for a name that the plan does not have. */
export const agentOf = ({ agents }: Plan, { id, kind, returns }: PlanNode, { agent: name }: AgentTurn): AgentSpec => {
  if (kind !== 'agent' && kind !== 'team') throw new Fault('flow.invalid', `${id} has no agents.`, { node: id })
  const agent = agents === undefined || !Object.hasOwn(agents, name) ? undefined : agents[name]
  if (agent === undefined) throw new Fault('agent.unknown', `The flow has no agent ${name}.`, { agent: name })
  return agent.returns === undefined && kind === 'agent' && returns !== undefined ? { ...agent, returns } : agent // G2
}

/** Names of models for a turn (G1). */
export const modelsOf = ({ override, turn }: StepCommand, { agents }: Plan): readonly string[] =>
  override?.models ?? agents?.[turn?.agent ?? '']?.models ?? []

export const trySpecOf = ({ retry, timeoutMs = TIMEOUT_MS }: PlanNode): TrySpec => ({
  ...(retry ?? ONE_TRY),
  timeoutMs: Math.min(timeoutMs, TIMEOUT_MAX_MS),
  waitMaxMs: WAIT_MAX_MS,
})

export const occasionOf = ({ turn, agent, context }: AgentWork): Occasion => ({
  step: context.node.id,
  agent: agent.name,
  turn: turn.turn,
  use: turn.use,
})

/** A clock for one dispatch. */
export const startTaking = (
  { nowMs }: WorkContext,
  { clockMs }: Pick<AgentTools, 'clockMs'>,
): (() => Pick<Meter, 'startedAtMs' | 'latencyMs'>) => {
  const startedAtMs = nowMs()
  const started = clockMs()
  return () => ({ startedAtMs, latencyMs: Math.round((clockMs() - started) * 1_000) / 1_000 })
}

/** A dispatch that gave nothing, as the result of its work. */
export const failedWork = (
  asked: GivenUp,
  took: Pick<Meter, 'startedAtMs' | 'latencyMs' | 'inputChars' | 'leftOut'>,
  { command, context }: Pick<AgentWork, 'command' | 'context'>,
): WorkResult => lostWork(asked, took, { deadlineMs: command.deadlineMs, nowMs: context.nowMs() })

/** Characters of JSON. */
export const charsOf = (value: Json): number => JSON.stringify(value).length
