// An agent looks at its own answer, with its prompt for that.
//   S1. The prompt has the input of the agent and the answer, as `it`; an input that is no object is `input`.
//   S2. It gives the answer as it should be, in the form the agent returns; the conversation is left as it is.
import type { WorkResult } from '@baton/service'
import { Fault } from '@baton/contracts/fault'
import { isJsonObject, type Json, type JsonObject } from '@baton/contracts/json'
import { meterOf } from '../invoke/meter.ts'
import { agentPromptOf } from '../invoke/prompt.ts'
import { readOutput } from '../output/structured-output.ts'
import { type AgentTools, type AgentWork, charsOf, failedWork, modelsOf, occasionOf, startTaking, trySpecOf } from './agent-work.ts'

/** What the prompt of a check can name (S1). */
export const checkInput = (input: Json, answer: Json): JsonObject => ({ ...(isJsonObject(input) ? input : { input }), it: answer })

/** Does it. `answer` is the whole answer, also where it was kept by reference. */
export const selfCheck = async (work: AgentWork, answer: Json, tools: AgentTools): Promise<WorkResult> => {
  const { command, turn, agent, context } = work
  if (agent.selfCheck === undefined)
    throw new Fault('flow.invalid', `The agent ${agent.name} has no prompt for checking itself.`, { agent: agent.name })
  const took = startTaking(context, tools)
  const input = checkInput(context.input, answer)
  const told = agentPromptOf(context.plan, agent.selfCheck, input)
  const inputChars = told.prompt.length + (told.system?.length ?? 0)
  const schema = agent.returns === undefined ? {} : { schema: agent.returns } // S2
  const asked = await tools.attempts.ask({
    command,
    step: context.node.id,
    names: modelsOf(command, context.plan),
    question: { ...told, input, occasion: occasionOf(work), ...schema },
    read: (said) => readOutput(said, agent.returns),
    spec: trySpecOf(context.node),
    signal: context.signal,
    delivery: context.delivery,
    harmless: true,
  })
  if ('fault' in asked) return failedWork(asked, { ...took(), inputChars }, work)
  const { output, model } = asked
  const { confidence } = output
  return {
    status: 'answered',
    output: output.value,
    by: `model:${model.name}`,
    meter: meterOf(asked, { ...took(), inputChars, outputChars: charsOf(output.value) }),
    content: { agent: agent.name, turn: turn.turn, ...told, input, output: output.value },
    turn: {
      calls: [],
      ...(turn.transcript === undefined ? {} : { transcript: turn.transcript }), // S2
      ...(confidence === undefined ? {} : { confidence }),
    },
  }
}
