// A streamed answer, put together again as if it had come whole.
import { Fault } from '@baton/contracts/fault'
import { z } from 'zod'
import type { Question } from '../model.ts'
import type { ChatPiece, ChatResult, ChatStream } from './chat-messages.policy.ts'

const RawFingerprint = z.object({ system_fingerprint: z.string().min(1) })

type Gathered = {
  text: string
  readonly calls: ChatResult['content']
  modelId: string | undefined
  fingerprint: string | undefined
  finish: Extract<ChatPiece, { type: 'finish' }> | undefined
}

/** Takes one piece in; what a reader may see of it, or undefined where nothing was said. */
const gather = (piece: ChatPiece, into: Gathered): string | undefined => {
  switch (piece.type) {
    case 'text-delta':
      into.text += piece.delta
      return piece.delta
    case 'reasoning-delta':
    case 'tool-input-start':
    case 'tool-input-delta':
      return ''
    case 'tool-call':
      into.calls.push(piece)
      return ''
    case 'response-metadata':
      into.modelId = piece.modelId ?? into.modelId
      return undefined
    case 'raw': {
      const read = RawFingerprint.safeParse(piece.rawValue)
      if (read.success) into.fingerprint = read.data.system_fingerprint
      return undefined
    }
    case 'finish':
      into.finish = piece
      return undefined
    case 'error':
      throw piece.error
    default:
      return undefined
  }
}

/** Reads a stream to its end and tells of every piece. Throws `model.stalled` for one that breaks off. */
export const readChatStream = async (
  name: string,
  { stream, response }: ChatStream,
  onPiece: NonNullable<Question['onPiece']>,
): Promise<ChatResult> => {
  const gathered: Gathered = { text: '', calls: [], modelId: undefined, fingerprint: undefined, finish: undefined }
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const said = gather(value, gathered)
      if (said !== undefined) onPiece({ text: said })
    }
  } finally {
    reader.releaseLock()
  }
  const { text, calls, finish, modelId, fingerprint } = gathered
  // The SDK closes a stream that was cut with a finish of no reason.
  if (finish === undefined || finish.finishReason.unified === 'other')
    throw new Fault('model.stalled', `${name} stopped in the middle of its answer.`, { model: name, reason: 'cut' })
  return {
    content: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...calls],
    finishReason: finish.finishReason,
    usage: finish.usage,
    warnings: [],
    response: {
      ...(response?.headers === undefined ? {} : { headers: response.headers }),
      ...(modelId === undefined ? {} : { modelId }),
      ...(fingerprint === undefined ? {} : { body: { system_fingerprint: fingerprint } }),
    },
  }
}
