// Weights that run in this process: GGUF files on the CPU, without a server, a key or a network (B1).
//   L3. Loaded at the first question and kept; questions are answered one after another, for they share the processor.
//   L4. An answer with a schema is written under a grammar made of it, so that it parses; whether it makes sense is for the gates.
//   L5. A conversation is told as one prompt: small models do better so, and the session needs no template of theirs.
//   L6. Without the engine or the weights it is `model.none_configured`, and the next model of the route is asked.
//   L7. Free text that reaches its limit ends at its last whole sentence: small models do not know when to stop. With a schema, or without a
//       sentence, it is `output.truncated`.
import { basename } from 'node:path'
import { Fault } from '@baton/contracts/fault'
import { isJsonObject } from '@baton/contracts/json'
import { type Answer, FREE, type Model, type Question } from '../model.ts'
import { formatOf, promptOf } from './chat-messages.policy.ts'
import { type Llama, type LlamaEngine, type LlamaSession, type LlamaWeights, loadLlamaEngine } from './local-runtime.ts'

export type LocalOptions = {
  readonly weights: string
  readonly modelsDir: string
  readonly contextTokens: number
  readonly outputTokensMax: number
  readonly temperature: number
  readonly seed: number
  /** Of the processor. Threads wait for each other: more than are free make it many times slower. */
  readonly threads: number
}

type Loaded = { readonly engine: LlamaEngine; readonly llama: Llama; readonly weights: LlamaWeights }

const load = async ({ weights, modelsDir }: LocalOptions): Promise<Loaded> => {
  const engine = await loadLlamaEngine(modelsDir)
  const llama = await engine.getLlama({ gpu: false, logLevel: 'error', build: 'never' })
  return { engine, llama, weights: await llama.loadModel({ modelPath: weights }) }
}

const wordsOf = (content: string | readonly { readonly type: string; readonly text?: string }[]): string =>
  typeof content === 'string' ? content : content.flatMap(({ text }) => text ?? []).join('\n')

/** Everything that was said, in words (L5). */
const told = (question: Question): { readonly system: string | undefined; readonly prompt: string } => {
  const { schema } = formatOf({ ...question, tools: [] }, 'schema')
  // Only the text of messages is read: tools are not offered to models in this process.
  const messages = promptOf({ ...question, tools: [], media: [] }, question.feedback === undefined ? undefined : schema, NO_TOOLS)
  const system = messages.find(({ role }) => role === 'system')
  const rest = messages.filter(({ role }) => role !== 'system')
  const lines = rest.map(({ role, content }) => (rest.length === 1 ? '' : `${role}: `) + wordsOf(content as Parameters<typeof wordsOf>[0])) // Parts with and without text.
  return { system: system === undefined ? undefined : wordsOf(system.content as string), prompt: lines.join('\n\n') } // A system message is text.
}
const NO_TOOLS = { out: (name: string) => name, back: (name: string) => name }

/** Without it small models say the same for ever; a grammar needs its repetitions. */
const REPEATING = { penalty: 1.3, lastTokens: 256 }

const cut = (): Fault => new Fault('output.truncated', 'The model reached its limit of output tokens.', { reason: 'length' })

/** L7. */
const wholeSentences = (text: string): string => /^[\s\S]*[.!?\u2026]["')\]]?(?=\s|$)/.exec(text)?.[0] ?? ''

const askedFor = (
  { onPiece, signal, outputTokensMax, sampling = {} }: Question,
  options: LocalOptions,
): Parameters<LlamaSession['promptWithMeta']>[1] => ({
  maxTokens: Math.min(options.outputTokensMax, outputTokensMax ?? options.outputTokensMax),
  temperature: sampling.temperature ?? options.temperature,
  seed: sampling.seed ?? options.seed,
  signal,
  stopOnAbortSignal: false,
  ...(onPiece === undefined ? {} : { onTextChunk: (piece: string) => onPiece({ text: piece }) }),
})

const write = async ({ engine, llama, weights }: Loaded, question: Question, options: LocalOptions): Promise<Answer> => {
  const { schema } = formatOf({ ...question, tools: [] }, 'schema')
  const grammar = isJsonObject(schema) ? await llama.createGrammarForJsonSchema(schema) : undefined // L4
  const { system, prompt } = told(question)
  const context = await weights.createContext({ contextSize: options.contextTokens, threads: options.threads })
  try {
    const session = new engine.LlamaChatSession({
      contextSequence: context.getSequence(),
      ...(system === undefined ? {} : { systemPrompt: system }),
    })
    const { responseText: text, stopReason } = await session.promptWithMeta(prompt, {
      ...(grammar === undefined ? { repeatPenalty: REPEATING } : { grammar }),
      ...askedFor(question, options),
    })
    const whole = stopReason === 'maxTokens' && grammar === undefined ? wholeSentences(text) : text
    const isCut = stopReason === 'maxTokens' && (grammar !== undefined || whole === '')
    const tokens = { inputTokens: weights.tokenize(`${system ?? ''}${prompt}`).length, outputTokens: weights.tokenize(text).length }
    return { text: whole, usage: { ...FREE, ...tokens }, servedBy: basename(options.weights), ...(isCut ? { unusable: cut() } : {}) }
  } finally {
    await context.dispose()
  }
}

/** A model of these weights. */
export const localModel = (name: string, options: LocalOptions): Model => {
  let loading: Promise<Loaded> | undefined
  let queue: Promise<unknown> = Promise.resolve()
  const answer = async (question: Question): Promise<Answer> => {
    loading ??= load(options)
    const loaded = await loading.catch((error: unknown) => {
      loading = undefined // Installed meanwhile, perhaps.
      throw error instanceof Fault
        ? error
        : new Fault('model.none_configured', `${name}: the weights cannot be loaded.`, { model: name }, { cause: error })
    })
    question.signal.throwIfAborted()
    try {
      return await write(loaded, question, options)
    } catch (error) {
      if (question.signal.aborted || error instanceof Fault) throw error
      throw new Fault(
        'model.unavailable',
        `${name}: ${error instanceof Error ? error.message : 'it failed'}`,
        { model: name },
        { cause: error },
      )
    }
  }
  return {
    name,
    provider: 'local',
    local: true,
    invoke: (question) => {
      const answered = queue.then(() => answer(question)) // L3
      queue = answered.catch(() => undefined)
      return answered
    },
  }
}
