// Anthropic's messages.
import { TURN, type Timed } from './recording.ts'
import { isRecord, piecesOf, textOf, wantedOf, type Wire, type WireRequest } from './wire.ts'

const inputOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

const sse = (data: { readonly type: string; readonly [key: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const callId = ({ id }: Timed, index: number, own: string | undefined): string => own ?? `toolu_${id}_${index}`
const stopOf = ({ calls }: Timed): string => (calls.length === 0 ? 'end_turn' : 'tool_use')

const messageOf = (recording: Timed, model: string) => ({
  id: `msg_${recording.id}`,
  type: 'message' as const,
  role: 'assistant' as const,
  model,
})

const events = (recording: Timed, { model }: WireRequest) => {
  const { text, calls, inputTokens, outputTokens } = recording
  const message = {
    ...messageOf(recording, model),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: inputTokens, output_tokens: 1 },
  }
  const block = (index: number, content: object, deltas: readonly object[]): readonly string[] => [
    sse({ type: 'content_block_start', index, content_block: content }) +
      (deltas[0] === undefined ? '' : sse({ type: 'content_block_delta', index, delta: deltas[0] })),
    ...deltas.slice(1).map((delta) => sse({ type: 'content_block_delta', index, delta })),
    sse({ type: 'content_block_stop', index }),
  ]
  const words =
    text === ''
      ? []
      : block(
          0,
          { type: 'text', text: '' },
          piecesOf(text).map((piece) => ({ type: 'text_delta', text: piece })),
        )
  const tools = calls.flatMap((call, at) =>
    block((text === '' ? 0 : 1) + at, { type: 'tool_use', id: callId(recording, at, call.id), name: call.tool, input: {} }, [
      { type: 'input_json_delta', partial_json: call.arguments },
    ]),
  )
  return {
    open: sse({ type: 'message_start', message }),
    pieces: [...words, ...tools],
    close:
      sse({
        type: 'message_delta',
        delta: { stop_reason: stopOf(recording), stop_sequence: null },
        usage: { output_tokens: outputTokens },
      }) + sse({ type: 'message_stop' }),
  }
}

const ERRORS: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

export const anthropicWire: Wire = {
  read: (body, header) => {
    const request = isRecord(body) ? body : {}
    const messages = Array.isArray(request['messages']) ? request['messages'].filter(isRecord) : []
    const asked = messages.filter(({ role }) => role === 'user').map(({ content }) => textOf(content))
    return { ...wantedOf(request, asked, { header, turn: TURN }), stream: request['stream'] === true, usage: true }
  },
  body: (recording, model) => {
    const { text, calls, inputTokens, outputTokens } = recording
    return JSON.stringify({
      ...messageOf(recording, model),
      content: [
        ...(text === '' ? [] : [{ type: 'text', text }]),
        ...calls.map((call, at) => ({
          type: 'tool_use',
          id: callId(recording, at, call.id),
          name: call.tool,
          input: inputOf(call.arguments),
        })),
      ],
      stop_reason: stopOf(recording),
      stop_sequence: null,
      usage: { input_tokens: inputTokens, output_tokens: outputTokens },
    })
  },
  events,
  error: (status, message) => JSON.stringify({ type: 'error', error: { type: ERRORS[status] ?? 'api_error', message } }),
}
