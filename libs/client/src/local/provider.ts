// Who answers prompts of a run in this process: a function, or any server that speaks OpenAI's chat completions.
import { Fault } from '@baton/contracts/fault'
import type { JsonSchema } from '@baton/contracts/json'

export type Prompt = {
  /** Name of the model or route in the flow; `default` where the step names none. */
  readonly model: string
  readonly prompt: string
  readonly system?: string
  /** What the answer must fit; absent: free text. */
  readonly schema?: JsonSchema
  /** What was wrong with the last answer, for asking again. */
  readonly feedback?: string
  readonly signal: AbortSignal
}

/** Answers a prompt with text. Throws a Fault with a `model.*` code when it cannot. */
export type Provider = (prompt: Prompt) => Promise<string>

export type OpenAi = { readonly baseUrl: string; readonly model: string; readonly apiKey?: string }

/** A model behind an HTTP interface like OpenAI's. One request a call: trying again is the run's business. */
export const openAiProvider = ({ baseUrl, model, apiKey }: OpenAi): Provider => {
  const url = `${baseUrl.replace(/\/$/, '')}/chat/completions`
  const headers = { 'content-type': 'application/json', ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }) }
  return async (prompt) => {
    const body = JSON.stringify({ model, messages: messagesOf(prompt) })
    const response = await fetch(url, { method: 'POST', headers, body, signal: prompt.signal }).catch((error: unknown) => {
      if (prompt.signal.aborted) throw error
      throw new Fault('model.unavailable', `${model}: ${url} could not be reached.`, { model }, { cause: error })
    })
    if (!response.ok) throw await refusal(model, response)
    const text = textIn(await response.json())
    if (text === undefined) throw new Fault('output.malformed', `${model} answered with nothing.`, { model, problem: 'it was empty' })
    return text
  }
}

const messagesOf = ({ prompt, system, schema, feedback }: Prompt): readonly { role: string; content: string }[] => {
  const rules = schema === undefined ? [] : [`Answer with one JSON value only. It must fit this JSON Schema:\n${JSON.stringify(schema)}`]
  const told = [...(system === undefined ? [] : [system]), ...rules].join('\n\n')
  const again = feedback === undefined ? '' : `\n\nYour last answer could not be used: ${feedback}. Answer again and mend that.`
  return [...(told === '' ? [] : [{ role: 'system', content: told }]), { role: 'user', content: prompt + again }]
}

const refusal = async (model: string, response: Response): Promise<Fault> => {
  const { status } = response
  const code = status === 429 ? 'model.rate_limited' : status >= 500 ? 'model.unavailable' : 'model.refused'
  const seconds = Number(response.headers.get('retry-after'))
  await response.body?.cancel()
  return new Fault(code, `${model}: the server answered with status ${status}.`, {
    model,
    status,
    ...(seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {}),
  })
}

const textIn = (body: unknown): string | undefined => {
  const { choices } = body as { choices?: readonly { message?: { content?: unknown } }[] } // read defensively: it came over a network
  const content = choices?.[0]?.message?.content
  return typeof content === 'string' && content.trim() !== '' ? content : undefined
}
