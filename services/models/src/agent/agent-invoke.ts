// `model.invoke` with a turn in it.
import type { Platform, WorkContext, WorkResult } from '@baton/service'
import { resolvePayloads } from '@baton/service'
import type { StepCommand } from '@baton/contracts'
import { type AgentTools, agentOf } from './agent-work.ts'
import { createPayloadCache } from './payload-cache.ts'
import { selfCheck } from './self-check.ts'
import { createToolOffers } from './tool-offers.ts'
import { createTranscripts } from './transcript.ts'
import { agentTurn } from './turn.ts'

/** A handler of commands that have a turn. */
export type AgentHandler = (command: StepCommand & { turn: NonNullable<StepCommand['turn']> }, context: WorkContext) => Promise<WorkResult>

/** Makes the handler. */
export const agentHandler = (
  { stores: { payloads }, call, nowMs }: Pick<Platform, 'stores' | 'call' | 'nowMs'>,
  given: Pick<AgentTools, 'attempts' | 'pieces' | 'clockMs' | 'sees'>,
): AgentHandler => {
  const tools: AgentTools = {
    ...given,
    transcripts: createTranscripts(createPayloadCache(payloads)),
    offers: createToolOffers(call, nowMs),
  }
  return async (command, context) => {
    const { turn, tenant } = command
    const work = { command, turn, context, agent: agentOf(context.plan, context.node, turn) }
    if (turn.use === 'turn') return agentTurn(work, tools)
    return selfCheck(work, await resolvePayloads(payloads, tenant, turn.answer ?? null), tools)
  }
}
