// What both wire formats have in common.
import type { Timed, Wanted } from './recording.ts'

/** A request as far as the rig reads it. */
export type WireRequest = Wanted & { readonly stream: boolean; readonly usage: boolean }

/** One wire format: how requests are read, and how answers and errors are written. */
export type Wire = {
  readonly read: (body: unknown, header: string | undefined) => WireRequest
  /** The whole answer as one body. */
  readonly body: (recording: Timed, model: string) => string
  /** The answer as server-sent events: what comes at once, the pieces one after the other, and what ends it. */
  readonly events: (
    recording: Timed,
    request: WireRequest,
  ) => { readonly open: string; readonly pieces: readonly string[]; readonly close: string }
  readonly error: (status: number, message: string, code?: string) => string
}

/** Most pieces of one streamed answer. */
const PIECES_MAX = 40
const PIECE_CHARS_MIN = 12

/** A text in pieces, none in the middle of a surrogate pair. */
export const piecesOf = (text: string): readonly string[] => {
  if (text === '') return []
  const size = Math.max(PIECE_CHARS_MIN, Math.ceil(text.length / PIECES_MAX))
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + size)
    if (end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end += 1
    pieces.push(text.slice(at, end))
    at = end
  }
  return pieces
}

export type JsonRecord = { readonly [key: string]: unknown }
export const isRecord = (value: unknown): value is JsonRecord => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The text of a message's content: a string, or parts of which those with a text count. */
export const textOf = (content: unknown): string => {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.flatMap((part: unknown) => (isRecord(part) ? [textOf(part['text'] ?? part['content'])] : [])).join('\n')
}

const MARK = /\[recording ([\w./:@-]{1,200})\]/

/** Which recording is wanted: by header, by `metadata.recording`, by a mark in the last message, else by what was asked. */
export const wantedOf = (
  { model, metadata }: JsonRecord,
  texts: readonly string[],
  { header, turn }: { header: string | undefined; turn: string },
): Wanted => {
  const last = texts.at(-1) ?? ''
  const named = isRecord(metadata) ? metadata['recording'] : undefined
  const id = header ?? (typeof named === 'string' ? named : MARK.exec(last)?.[1])
  return { model: typeof model === 'string' ? model : '', ...(id === undefined ? {} : { id }), conversation: texts.join(turn), last }
}
