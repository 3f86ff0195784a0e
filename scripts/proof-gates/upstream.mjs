// A provider that speaks OpenAI's chat completions on loopback: each model is a function from what it was asked to an answer.
//   A model gives text, `{ text }`, `{ answer }` or any other object (sent as JSON), `{ calls: [{ tool, arguments }] }`, `{ status }` for a
//   failure, or `{ delayMs, ...answer }`. It is given what people said, and the whole request, which is kept.
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'

const textOf = ({ content }) => (typeof content === 'string' ? content : (content ?? []).map(({ text = '' }) => text).join(''))

const completion = (model, message) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model,
  choices: [{ index: 0, message, finish_reason: message.tool_calls === undefined ? 'stop' : 'tool_calls', logprobs: null }],
  usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
})

const messageOf = ({ text, answer, calls, ...rest }) =>
  calls === undefined
    ? { role: 'assistant', content: answer === undefined ? (text ?? JSON.stringify(rest)) : JSON.stringify(answer) }
    : {
        role: 'assistant',
        content: null,
        tool_calls: calls.map(({ tool, arguments: args }, at) => ({
          id: `call_${at + 1}`,
          type: 'function',
          function: { name: tool, arguments: JSON.stringify(args) },
        })),
      }

/** The same as events, as a client asks for that wants to see an answer while it is written. */
const streamOf = ({ choices: [{ message, finish_reason: finish }], usage, ...head }) => {
  const chunk = (delta, reason = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: reason }],
  })
  const pieces = message.content?.match(/[\s\S]{1,12}/g) ?? []
  const called = (message.tool_calls ?? []).map((call, index) => chunk({ tool_calls: [{ index, ...call }] }))
  const events = [
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((content) => chunk({ content })),
    ...called,
    { ...chunk({}, finish), usage },
  ]
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`
}

export const openUpstream = async () => {
  const models = new Map()
  const calls = new Map()
  const requests = []
  const answer = async (body) => {
    const asked = body.messages
      .filter(({ role }) => role === 'user')
      .map(textOf)
      .join('\n')
    calls.set(body.model, (calls.get(body.model) ?? 0) + 1)
    requests.push(body)
    const given = models.get(body.model)?.(asked, body) ?? { status: 404 }
    const { delayMs = 0, status = 200, ...rest } = typeof given === 'string' ? { text: given } : given
    if (delayMs > 0) await pause(delayMs)
    return status === 200
      ? {
          status,
          body: completion(body.model, messageOf(rest)),
        }
      : { status, body: { error: { message: 'as the proof wants it', type: 'server_error', param: null, code: null } } }
  }
  const server = createServer(async (request, response) => {
    const asked = await json(request).catch(() => undefined)
    const { status, body } = asked === undefined ? { status: 400, body: { error: { message: 'not JSON' } } } : await answer(asked)
    if (status === 200 && asked.stream === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(streamOf(body))
      return
    }
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    /** Adds models by name. */
    serve: (more) => {
      for (const [name, model] of Object.entries(more)) models.set(name, model)
    },
    names: () => [...models.keys()],
    calls: (model) => calls.get(model) ?? 0,
    /** What a model was asked, oldest first, as the provider sees it. */
    requests: (model) => requests.filter((body) => body.model === model),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}
