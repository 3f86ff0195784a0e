// When an agent is not to be trusted to go on, or with its answer.
import type { FaultData } from '@baton/contracts/fault'
import type { AgentSpec } from '@baton/flow/plan'

/** How often an agent may make the very same call. */
export const REPEATS_MAX = 3
/** Turns in a row that may come to the same. */
export const SAME_MAX = 3

/** Why an answer does not count; undefined when it does. An agent that has to be sure and does not say how sure it is, is not. */
export const doubt = (
  { name, minConfidence }: Pick<AgentSpec, 'name' | 'minConfidence'>,
  confidence: number | null,
): FaultData | undefined => {
  if (minConfidence === undefined || (confidence !== null && confidence >= minConfidence && confidence <= 1)) return undefined
  return {
    code: 'agent.unsure',
    message:
      confidence === null ? `${name} did not say how sure it is` : `${name} is sure to ${confidence}, and has to be to ${minConfidence}`,
    detail: { agent: name, ...(confidence === null ? {} : { confidence }) },
  }
}
