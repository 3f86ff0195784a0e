// One turn of an agent: the conversation so far and what its calls gave, to calls or an answer.
//   U1. The piece that is stored has only what this turn added: results, note and the model's message.
//   U2. It is stored before the answer that names it; stored again by a repeat of the command, it has the same name.
//   U3. Calls come with output null; without calls the output is the agent's answer and fits what it returns.
//   U4. A conversation that outgrows the window loses old results of tools from what the model is told; the transcript keeps them.
//   U5. Pictures, sound and files of the step stand with its input, in every turn.
import type { Json } from '@baton/contracts'
import type { WorkResult } from '@baton/service'
import { readMedia } from '../adapters/media.policy.ts'
import { meterOf } from '../invoke/meter.ts'
import { agentPromptOf, type Prompt } from '../invoke/prompt.ts'
import type { LeftOut } from '../context/assemble.policy.ts'
import { leftOutOf, NOTHING_SEEN } from '../context/context-reader.ts'
import type { Question, Said } from '../model.ts'
import { type AgentTools, type AgentWork, charsOf, failedWork, modelsOf, occasionOf, startTaking, trySpecOf } from './agent-work.ts'
import { type Message, writePiece } from './piece.ts'
import { readTurn, type TurnOutput } from './read-turn.policy.ts'
import { newsOf, saidOf } from './said.policy.ts'
import { exactOf } from './tool-offers.ts'

/** What a turn begins with: all that was said, the part of it that is new, and how the whole is told to a model. */
type Opening = {
  readonly news: readonly Message[]
  readonly said: readonly Said[]
  readonly told: Prompt
  readonly leftOut: readonly LeftOut[]
}

const openingOf = async ({ command, turn, agent, context }: AgentWork, { transcripts, sees }: AgentTools): Promise<Opening> => {
  const before = await transcripts.load(command.tenant, turn.transcript)
  const news = newsOf(turn)
  const messages = [...before, ...news]
  const outputs = await transcripts.outputs(command.tenant, messages)
  const names = modelsOf(command, context.plan)
  const spec = agent.context ?? context.node.context
  const seen = await (sees?.read(command, context, {
    spec,
    names,
    beside: `${JSON.stringify(context.plan.prompts[agent.prompt] ?? '')}${JSON.stringify(context.input)}`,
  }) ?? NOTHING_SEEN)
  const told = agentPromptOf(context.plan, command.override?.prompt ?? agent.prompt, context.input, seen.shown)
  const said = saidOf(messages, outputs)
  const kept = await (sees?.fit(said, { names, beside: `${told.system ?? ''}${told.prompt}` }) ?? { said, leftOut: [] }) // U4
  return { news, told, said: kept.said, leftOut: [...seen.leftOut, ...kept.leftOut] }
}

const saidChars = (said: Said): number => said.text.length + (said.role === 'assistant' ? charsOf(said.calls) : 0)
const inputCharsOf = ({ told, said }: Opening): number =>
  told.prompt.length + (told.system?.length ?? 0) + said.reduce((sum, message) => sum + saidChars(message), 0)

const questionOf = async (work: AgentWork, { said, told }: Opening, { offers }: AgentTools): Promise<Omit<Question, 'signal'>> => {
  const { command, turn, context } = work
  const feedback = command.override?.feedback
  const shown = readMedia(context.media) // U5
  return {
    ...told,
    input: context.input,
    conversation: said,
    tools: await offers(turn.tools),
    occasion: occasionOf(work),
    ...(feedback === undefined ? {} : { feedback }),
    ...(shown.length === 0 ? {} : { media: shown }),
  }
}

const messageOf = ({ calls, text }: TurnOutput): Message => ({ role: 'assistant', text, calls })

/** What is kept for traces: what is new, not the conversation again. */
const contentOf = ({ told, news }: Opening, { turn, agent, context }: AgentWork, output: TurnOutput): Json => ({
  agent: agent.name,
  turn: turn.turn,
  ...(turn.turn === 1 ? { ...told, input: context.input } : {}),
  messages: writePiece({ previous: null, messages: news }),
  output: output.calls.length > 0 ? writePiece({ previous: null, messages: [messageOf(output)] }) : output.value,
})

/** Does it. */
export const agentTurn = async (work: AgentWork, tools: AgentTools): Promise<WorkResult> => {
  const { command, turn, agent, context } = work
  const clock = startTaking(context, tools)
  const opening = await openingOf(work, tools)
  const took = () => ({ ...clock(), ...leftOutOf(opening) })
  const inputChars = inputCharsOf(opening)
  const question = await questionOf(work, opening, tools)
  const exact = exactOf(question.tools ?? [])
  const asked = await tools.attempts.ask({
    command,
    step: context.node.id,
    names: modelsOf(command, context.plan),
    question: { ...question, ...(agent.returns === undefined ? {} : { schema: agent.returns }) },
    read: (answer) => readTurn(answer, { schema: agent.returns, tools: turn.tools, turn: turn.turn, exact }),
    spec: trySpecOf(context.node),
    signal: context.signal,
    delivery: context.delivery,
    // A turn only says what it wants done; doing it is the tools' business.
    harmless: true,
    stream: tools.pieces(command, { returns: agent.returns, guard: context.node.guard }, context.delivery),
  })
  if ('fault' in asked) return failedWork(asked, { ...took(), inputChars }, work)
  const { output, model } = asked
  const messages = [...opening.news, messageOf(output)]
  const transcript = await tools.transcripts.add(command.tenant, { previous: turn.transcript ?? null, messages }) // U1, U2
  const outputChars =
    output.calls.length > 0 ? charsOf(writePiece({ previous: null, messages: [messageOf(output)] })) : charsOf(output.value)
  return {
    status: 'answered',
    output: output.value, // U3
    by: `model:${model.name}`,
    meter: meterOf(asked, { ...took(), inputChars, outputChars }),
    content: contentOf(opening, work, output),
    turn: { calls: [...output.calls], transcript, ...(output.confidence === undefined ? {} : { confidence: output.confidence }) },
  }
}
