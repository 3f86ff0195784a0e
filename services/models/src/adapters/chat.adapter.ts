// Any model behind the AI SDK's provider interface, whatever protocol its server speaks.
//   O1. Nothing is retried here: tries, waits and failover belong to the attempt plan alone.
//   O2. The SDK is loaded at the first call, so that a process without a provider never pays for it.
//   O3. An answer that the provider cut is `output.truncated`, however well it parses.
//   O4. A call without usage is billed by an estimate, never as free; an answer that cannot be used is billed as well.
//   O6. A stream that ends without its finish is `model.stalled`, and what came of it is no answer.
//   O7. What answered is told: the name of the snapshot and the fingerprint that the server gives (B19).
import { Fault } from '@baton/contracts/fault'
import { estimateTokens, type Tokens } from '@baton/policy/routing'
import { z } from 'zod'
import type { Answer, Model, Question, Usage, WrittenCall } from '../model.ts'
import { type CallOptions, type ChatModel, type ChatResult, namesIn } from './chat-messages.policy.ts'
import { readChatStream } from './chat-stream.ts'
import { type CallError, providerFault } from './provider-fault.policy.ts'

/** A kind of server, as the shared part sees it. */
export type ChatServer = {
  readonly name: string
  readonly provider: string
  /** Made once, at the first call (O2). */
  readonly open: () => Promise<ChatModel>
  readonly callOptions: (question: Question) => CallOptions
  /** What tokens cost, in micro-dollars. */
  readonly cost: (tokens: Tokens) => number
  readonly nowMs: () => number
}

const textOf = (result: ChatResult): string => result.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

const callsOf = (result: ChatResult, question: Question): readonly WrittenCall[] => {
  const { back } = namesIn(question)
  return result.content.flatMap((part) =>
    part.type === 'tool-call' ? [{ id: part.toolCallId, tool: back(part.toolName), arguments: part.input }] : [],
  )
}

/** Of what was sent, for a provider that gives no usage (O4). */
const sentTokens = ({ prompt, system = '', conversation = [] }: Question): number =>
  estimateTokens(prompt) + estimateTokens(system) + (conversation.length === 0 ? 0 : estimateTokens(JSON.stringify(conversation)))

const usageOf = (result: ChatResult, written: string, { question, cost }: { question: Question; cost: ChatServer['cost'] }): Usage => {
  const { total, cacheRead } = result.usage.inputTokens
  // Some servers write zeros where they do not count: nothing is asked with no token, and no text is written with none.
  const input = total === undefined || total === 0 ? sentTokens(question) : total // O4
  const said = result.usage.outputTokens.total
  const output = said === undefined || said === 0 ? estimateTokens(written) : said
  const cached = cacheRead === undefined || cacheRead === 0 ? {} : { cachedInput: cacheRead }
  return {
    inputTokens: input,
    outputTokens: output,
    ...(cached.cachedInput === undefined ? {} : { cachedInputTokens: cached.cachedInput }),
    costMicroUsd: cost({ input, output, ...cached }),
  }
}

/** Why nothing can be made of an answer, if so. */
const unusableOf = (name: string, { finishReason }: ChatResult, written: string): Fault | undefined => {
  const { unified: finish } = finishReason
  if (finish === 'length')
    return new Fault('output.truncated', `${name} reached its limit of output tokens.`, { model: name, reason: 'length' }) // O3
  if (finish === 'content-filter')
    return new Fault('model.content_refused', `${name} refused on account of its content rules.`, { model: name, reason: 'content_filter' })
  return written.trim() === ''
    ? new Fault('output.malformed', `${name} answered with nothing.`, { model: name, reason: 'empty', problem: 'it was empty' })
    : undefined
}

const Fingerprint = z.object({ system_fingerprint: z.string().min(1) })

/** O7. */
const servedBy = ({ response }: ChatResult): string | undefined => {
  const read = Fingerprint.safeParse(response?.body)
  const parts = [response?.modelId, read.success ? read.data.system_fingerprint : undefined].filter(
    (part) => part !== undefined && part !== '',
  )
  return parts.length === 0 ? undefined : parts.join(' ').slice(0, 200)
}

const readResult = ({ name, cost }: ChatServer, result: ChatResult, question: Question): Answer => {
  const text = textOf(result)
  const calls = callsOf(result, question)
  const written = calls.length === 0 ? text : text + JSON.stringify(calls)
  const unusable = unusableOf(name, result, written)
  const served = servedBy(result)
  return {
    text,
    usage: usageOf(result, written, { question, cost }),
    ...(calls.length === 0 ? {} : { calls }),
    ...(unusable === undefined ? {} : { unusable }), // O4
    ...(served === undefined ? {} : { servedBy: served }),
  }
}

/** The SDK's errors carry these fields; they are read by name because the SDK may be there twice. */
const CallErrorFields = z.object({
  statusCode: z.number().optional().catch(undefined),
  responseBody: z.string().optional().catch(undefined),
  responseHeaders: z.record(z.string(), z.string()).optional().catch(undefined),
})

const callErrorOf = (error: unknown): CallError => {
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : JSON.stringify(error)
  const { statusCode: status, responseBody: body, responseHeaders: headers = {} } = CallErrorFields.safeParse(error).data ?? {}
  return {
    message,
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
    ...(status === undefined ? {} : { status }),
    ...(body === undefined ? {} : { body }),
  }
}

const generate = async (model: ChatModel, options: CallOptions, { name, onPiece }: { name: string; onPiece: Question['onPiece'] }) => {
  if (onPiece === undefined) return model.doGenerate(options) // O1: the provider interface makes one request
  return readChatStream(name, await model.doStream({ ...options, includeRawChunks: true }), onPiece) // O6
}

/** A model behind such a server. Its signal ends a call; whoever aborted knows why. */
export const chatModel = (server: ChatServer): Model => {
  let opening: Promise<ChatModel> | undefined
  return {
    name: server.name,
    provider: server.provider,
    local: false,
    invoke: async (question) => {
      opening ??= server.open()
      const model = await opening
      try {
        const result = await generate(model, server.callOptions(question), { name: server.name, onPiece: question.onPiece })
        return readResult(server, result, question)
      } catch (error) {
        if (question.signal.aborted || error instanceof Fault) throw error
        throw providerFault(server.name, callErrorOf(error), server.nowMs())
      }
    },
  }
}
