// A question of a server to a person, in the middle of a call, as a question of Baton that outlives every process.
//   Q1. A call that asks is given up, and made again with the answer. A server of the new era gave a state for that, which goes back as it
//       came; one of the old era asks again, and is answered at once with what the person said.
//   Q2. An answer fits one question: the same words and the same schema. Another question is asked of a person again.
//   Q3. Silence and refusal are never consent: only what a person accepted is accepted.
import { canonicalJson, isJsonObject, sha256, type Answered, type Ask, type Json, type JsonObject } from '@baton/contracts'

/** What a server wants to know. */
export type Question = { readonly message: string; readonly schema?: JsonObject; readonly url?: string }
export type Reply = { readonly action: 'accept' | 'decline'; readonly content?: JsonObject }

/** What is kept of a call while a person thinks; it travels in the question and comes back with the answer. */
export type Parked = {
  readonly server: string
  readonly tool: string
  /** Answers so far, by question. */
  readonly replies: { readonly [fingerprint: string]: Reply }
  /** The question that a person is asked now. */
  readonly question?: Question
  /** Of the new era: the questions by the server's keys, and its state. */
  readonly requests?: { readonly [key: string]: Question }
  readonly requestState?: string
  /** A task that waits for the answer. */
  readonly taskId?: string
}

const TITLE_CHARS_MAX = 300
const MESSAGE_CHARS_MAX = 4_000
/** Largest state of a server that is kept. */
export const STATE_CHARS_MAX = 65_536

export const fingerprintOfQuestion = ({ message, schema, url }: Question): string =>
  sha256(canonicalJson({ message, schema: schema ?? null, url: url ?? null })).slice(0, 32)

/** The question in the parameters of `elicitation/create`; undefined where there is none. */
export const questionOf = (params: Json | undefined): Question | undefined => {
  if (!isJsonObject(params) || typeof params['message'] !== 'string') return undefined
  const { message, requestedSchema, url } = params
  const text = message.slice(0, MESSAGE_CHARS_MAX)
  if (typeof url === 'string') return { message: text, url: url.slice(0, MESSAGE_CHARS_MAX) }
  return isJsonObject(requestedSchema) ? { message: text, schema: requestedSchema } : { message: text }
}

const hasFields = ({ schema }: Question): boolean => isJsonObject(schema?.['properties']) && Object.keys(schema['properties']).length > 0

/** The question as a task for a person. */
export const askOf = (question: Question, parked: Parked, { args, reason }: { args: Json; reason?: string }): Ask => {
  const { message, schema, url } = question
  const tool = `${parked.server}/${parked.tool}`
  const title = `${tool} asks: ${message.replaceAll(/\s+/g, ' ')}`
  const form = hasFields(question)
  return {
    kind: 'question',
    use: 'answer',
    title: title.length <= TITLE_CHARS_MAX ? title : `${title.slice(0, TITLE_CHARS_MAX - 1)}…`,
    input: { tool, question: message, arguments: args, ...(url === undefined ? {} : { url }) },
    fingerprint: fingerprintOfQuestion(question),
    allowed: form ? ['respond', 'reject'] : ['approve', 'reject'],
    ...(form && schema !== undefined ? { schema } : {}),
    reasons: [reason ?? `The server ${parked.server} wants to know this before it goes on.`],
    state: { mcp: { ...parked, question } as unknown as Json }, // plain data throughout
  }
}

const isReplies = (value: Json | undefined): value is { readonly [fingerprint: string]: Reply & JsonObject } =>
  isJsonObject(value) && Object.values(value).every((reply) => isJsonObject(reply) && typeof reply['action'] === 'string')

/** The call that an answer belongs to; undefined where it is not one of this tool. */
export const parkedOf = (answered: Answered | undefined, of: { server: string; tool: string }): Parked | undefined => {
  const state = answered?.state
  const parked = isJsonObject(state) ? state['mcp'] : undefined
  if (!isJsonObject(parked) || parked['server'] !== of.server || parked['tool'] !== of.tool) return undefined
  if (!isJsonObject(parked['question']) || !isReplies(parked['replies'])) return undefined
  return parked as unknown as Parked // written by `askOf`
}

/** What a person said, for the server (Q3). */
export const replyOf = ({ verdict, output }: Pick<Answered, 'verdict' | 'output'>): Reply => {
  if (verdict === 'reject') return { action: 'decline' }
  return isJsonObject(output) ? { action: 'accept', content: output } : { action: 'accept' }
}

/** A parked call with the answer in its place. */
export const withReply = (parked: Parked, question: Question, reply: Reply): Parked => ({
  ...parked,
  replies: { ...parked.replies, [fingerprintOfQuestion(question)]: reply },
})

/** The first of the server's questions that nobody answered yet (Q2). */
export const unanswered = (requests: { readonly [key: string]: Question }, { replies }: Pick<Parked, 'replies'>): Question | undefined =>
  Object.values(requests).find((question) => replies[fingerprintOfQuestion(question)] === undefined)

/** The answers by the server's keys. */
export const responsesOf = (
  requests: { readonly [key: string]: Question },
  { replies }: Pick<Parked, 'replies'>,
): { [key: string]: Reply } =>
  Object.fromEntries(
    Object.entries(requests).flatMap(([key, question]) => {
      const reply = replies[fingerprintOfQuestion(question)]
      return reply === undefined ? [] : [[key, reply]]
    }),
  )
