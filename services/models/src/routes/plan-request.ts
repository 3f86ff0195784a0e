// A question as far as a choice of models depends on it.
import type { StepCommand } from '@baton/contracts'
import type { JsonSchema } from '@baton/contracts/json'
import { estimateTokens, type Need } from '@baton/policy/routing'
import type { Question } from '../model.ts'
import type { PlanRequest, RequestAbout } from './route-plan.ts'

/** Tokens that a picture or file is taken to have. */
const MEDIA_TOKENS = 1_000

/** Schemas are those of plans: few, and asked for again and again. */
const known = new WeakMap<object, number>()
const schemaTokens = (schema: JsonSchema): number => {
  if (typeof schema !== 'object') return 1
  const tokens = known.get(schema) ?? estimateTokens(JSON.stringify(schema))
  known.set(schema, tokens)
  return tokens
}

type Asked = Omit<Question, 'signal'>

/** What a question needs. `dataClass` and `regions` come from policies of the catalogue. */
export const needOf = ({ prompt, system = '', conversation = [], tools = [], schema, media = [], outputTokensMax }: Asked): Need => {
  const said = conversation.length === 0 ? 0 : estimateTokens(JSON.stringify(conversation))
  const offered = tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools))
  const told = schema === undefined ? 0 : schemaTokens(schema)
  const isKind = (kind: string): boolean => media.some(({ mediaType }) => mediaType.startsWith(kind))
  return {
    inputTokens: estimateTokens(prompt) + estimateTokens(system) + said + offered + told + media.length * MEDIA_TOKENS,
    tools: tools.length > 0,
    jsonSchema: schema !== undefined,
    audio: isKind('audio/'),
    // Files that are neither sound nor text are read by the models that read pictures.
    vision: media.some(({ mediaType }) => !mediaType.startsWith('audio/') && !mediaType.startsWith('text/')),
    ...(outputTokensMax === undefined ? {} : { outputTokens: outputTokensMax }),
  }
}

const aboutOf = (command: StepCommand, step: string): RequestAbout => ({
  tenant: command.tenant,
  flow: command.flow,
  step,
  runId: command.runId,
  priority: command.priority,
  input: command.input,
  ...(command.session === undefined ? {} : { session: command.session }),
  ...(command.user?.id === undefined ? {} : { user: command.user.id }),
})

/** For `catalogue.plan`: what is asked, of which names, in which run. */
export const planRequestOf = (
  names: readonly string[],
  question: Asked,
  { command, step }: { command: StepCommand; step: string },
): PlanRequest => ({
  names,
  need: needOf(question),
  text: question.prompt,
  about: aboutOf(command, step),
  ...(question.schema === undefined ? {} : { schema: question.schema }),
})
