// OpenAI's chat completions.
import { TURN, type Timed } from './recording.ts'
import { isRecord, piecesOf, textOf, wantedOf, type Wire, type WireRequest } from './wire.ts'

const usageOf = ({ inputTokens, outputTokens }: Timed) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
})

const callsOf = ({ calls, id }: Timed) =>
  calls.map((call, index) => ({
    id: call.id ?? `call_${id}_${index}`,
    type: 'function' as const,
    function: { name: call.tool, arguments: call.arguments },
  }))

const finishOf = ({ calls }: Timed): string => (calls.length === 0 ? 'stop' : 'tool_calls')
const sse = (data: object | string): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

const events = (recording: Timed, { model, usage }: WireRequest) => {
  const head = { id: `chatcmpl-${recording.id}`, object: 'chat.completion.chunk', created: 1, model, system_fingerprint: 'fp_rig' }
  const chunk = (delta: object, finish: string | null = null): string =>
    sse({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] })
  const calls = callsOf(recording).map((call, index) => chunk({ tool_calls: [{ index, ...call }] }))
  return {
    open: chunk({ role: 'assistant', content: '' }),
    pieces: [...piecesOf(recording.text).map((content) => chunk({ content })), ...calls],
    close: chunk({}, finishOf(recording)) + (usage ? sse({ ...head, choices: [], usage: usageOf(recording) }) : '') + sse('[DONE]'),
  }
}

export const openAiWire: Wire = {
  read: (body, header) => {
    const request = isRecord(body) ? body : {}
    const messages = Array.isArray(request['messages']) ? request['messages'].filter(isRecord) : []
    const asked = messages.filter(({ role }) => role === 'user' || role === 'tool').map(({ content }) => textOf(content))
    const options = request['stream_options']
    return {
      ...wantedOf(request, asked, { header, turn: TURN }),
      stream: request['stream'] === true,
      usage: isRecord(options) && options['include_usage'] === true,
    }
  },
  body: (recording, model) => {
    const calls = callsOf(recording)
    const message = { role: 'assistant', content: recording.text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }
    return JSON.stringify({
      id: `chatcmpl-${recording.id}`,
      object: 'chat.completion',
      created: 1,
      model,
      system_fingerprint: 'fp_rig',
      choices: [{ index: 0, message, finish_reason: finishOf(recording) }],
      usage: usageOf(recording),
    })
  },
  events,
  error: (status, message, code) =>
    JSON.stringify({ error: { message, type: status === 429 ? 'rate_limit_error' : 'server_error', param: null, code: code ?? null } }),
}
