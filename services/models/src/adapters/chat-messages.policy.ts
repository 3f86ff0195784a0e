// A question as the messages of a chat, in the form that the AI SDK's provider interface takes.
//   O5. Where tools are offered the schema of the answer is told in words: servers that force an answer into a schema cannot call a tool.
import type { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { isJsonObject, type JsonObject } from '@baton/contracts/json'
import type { Sampling } from '@baton/flow/plan'
import type { Media, Question, Said } from '../model.ts'
import { withoutRoleMarks } from '../prompts/fill.policy.ts'
import { toolNames, type ToolNames } from './tool-names.policy.ts'

/** The provider interface of the SDK; every package of a provider gives it. */
export type ChatModel = Pick<ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']>, 'doGenerate' | 'doStream'>
export type CallOptions = Parameters<ChatModel['doGenerate']>[0]
export type ChatResult = Awaited<ReturnType<ChatModel['doGenerate']>>
export type ChatStream = Awaited<ReturnType<ChatModel['doStream']>>
export type ChatPiece = ChatStream['stream'] extends ReadableStream<infer P> ? P : never
type Prompt = CallOptions['prompt']
type FilePart = Extract<Extract<Prompt[number], { role: 'user' }>['content'][number], { type: 'file' }>
type Schema = Extract<CallOptions['responseFormat'], { type: 'json' }>['schema'] & object

/** How the schema reaches the server: as a JSON Schema, as JSON mode with the schema in the prompt, or in the prompt only. */
export type ResponseFormat = 'schema' | 'json' | 'prompt'

/** A JSON Schema is opaque data to us and a tree of types to the SDK, which only passes it on. */
export const jsonSchema7 = (schema: JsonObject): Schema => schema as Schema

const schemaText = (schema: JsonObject): string =>
  `Answer with one JSON value only, without any text around it. It must fit this JSON Schema:\n${JSON.stringify(schema)}`

/** What the answer has to be, and how the server is told. A schema of free text is none. */
export const formatOf = (
  { schema, tools = [] }: Question,
  wanted: ResponseFormat,
): { readonly schema: JsonObject | undefined; readonly format: ResponseFormat } => {
  const known = isJsonObject(schema) && schema['type'] !== 'string' ? schema : undefined
  // Structured output wants an object at the top; any other shape is asked for in words.
  const inWords = known?.['type'] !== 'object' || tools.length > 0 // O5
  return { schema: known, format: inWords ? 'prompt' : wanted }
}

/** Names of all tools that a request speaks of. */
export const namesIn = ({ tools = [], conversation = [] }: Question): ToolNames =>
  toolNames([
    ...tools.map(({ name }) => name),
    ...conversation.flatMap((said) =>
      said.role === 'tool' ? [said.tool] : said.role === 'assistant' ? said.calls.map(({ tool }) => tool) : [],
    ),
  ])

const messageOf = (said: Said, { out }: ToolNames): Prompt[number] => {
  switch (said.role) {
    case 'user':
      return { role: 'user', content: [{ type: 'text', text: said.text }] }
    case 'assistant':
      return {
        role: 'assistant',
        content: [
          ...(said.text === '' ? [] : [{ type: 'text' as const, text: said.text }]),
          ...said.calls.map(({ id, tool, arguments: input }) => ({
            type: 'tool-call' as const,
            toolCallId: id,
            toolName: out(tool),
            input,
          })),
        ],
      }
    case 'tool': {
      const output = { type: said.failed ? ('error-text' as const) : ('text' as const), value: withoutRoleMarks(said.text) } // What a tool gave is data.
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId: said.id, toolName: out(said.tool), output }] }
    }
  }
}

/** A picture, sound or file beside the words. */
const filePart = (media: Media): FilePart => ({
  type: 'file',
  mediaType: media.mediaType,
  data: 'base64' in media ? { type: 'data', data: media.base64 } : { type: 'url', url: new URL(media.url) },
})

const AGAIN = (feedback: string): string => `Your last answer could not be used: ${feedback}. Answer again and mend that.`

/** Who the model is, and what its answer has to look like where the server is not told. */
const systemOf = ({ system, tools = [] }: Question, schema: JsonObject | undefined): string => {
  const rules = schema === undefined ? '' : `${tools.length > 0 ? 'When you call no tool: ' : ''}${schemaText(schema)}`
  return [system ?? '', rules].filter((part) => part !== '').join('\n\n')
}

/** The messages: who the model is, what it is asked, what was said since, and what was wrong with its last answer. */
export const promptOf = (question: Question, schema: JsonObject | undefined, names: ToolNames): Prompt => {
  const { conversation = [], feedback, media = [] } = question
  const system = systemOf(question, schema)
  const again = feedback === undefined ? '' : AGAIN(feedback)
  // In a conversation it is said last; else it belongs to the question.
  const asked = conversation.length > 0 || again === '' ? question.prompt : `${question.prompt}\n\n${again}`
  return [
    ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
    { role: 'user', content: [{ type: 'text', text: asked }, ...media.map(filePart)] },
    ...conversation.map((said) => messageOf(said, names)),
    ...(conversation.length > 0 && again !== '' ? [{ role: 'user' as const, content: [{ type: 'text' as const, text: again }] }] : []),
  ]
}

/** The tools of a request. */
export const toolsOf = ({ tools = [] }: Question, { out }: ToolNames): Pick<CallOptions, 'tools' | 'toolChoice'> =>
  tools.length === 0
    ? {}
    : {
        tools: tools.map(({ name, about, schema }) => ({
          type: 'function',
          name: out(name),
          inputSchema: jsonSchema7(schema),
          ...(about === undefined ? {} : { description: about }),
        })),
        toolChoice: { type: 'auto' },
      }

/** How freely it answers: what the question pins goes before what is pinned for the model (B19). */
export const samplingOf = ({ sampling = {} }: Pick<Question, 'sampling'>, own: Sampling): Sampling => {
  const { temperature = own.temperature, seed = own.seed } = sampling
  return { ...(temperature === undefined ? {} : { temperature }), ...(seed === undefined ? {} : { seed }) }
}
