// What a model really answered, and how long it took; found by model and id, or by what was asked, in one look-up.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A call that the model asked for; the arguments are text, as the model wrote them. */
export type RecordedCall = { readonly id?: string; readonly tool: string; readonly arguments: string }

export type Recording = {
  readonly model: string
  readonly id: string
  /** The question it answered: the last message, or the texts of all messages that the model did not write, joined by `\n\u0000\n`. */
  readonly asked?: string
  readonly text: string
  readonly calls?: readonly RecordedCall[]
  readonly inputTokens?: number
  readonly outputTokens?: number
  /** Time of the whole answer. Absent: not recorded, `PACE` says what is taken instead. */
  readonly latencyMs?: number
}

/** Between the texts of a conversation in `asked`. */
export const TURN = '\n\u0000\n'

/**
 * What an answer takes whose time was not recorded, in milliseconds: a line through the recorded calls of three hosted models (2,399
 * calls, 2024), so that long answers are slow ones.
 */
export const PACE = { firstMs: 550, tokenMs: 9 } as const

const CHARS_PER_TOKEN = 4
const tokensOf = (chars: number): number => Math.max(1, Math.ceil(chars / CHARS_PER_TOKEN))

/** A recording with nothing left open. */
export type Timed = Required<Omit<Recording, 'asked'>>

const timed = (recording: Recording): Timed => {
  const calls = recording.calls ?? []
  const written = recording.text.length + calls.reduce((sum, call) => sum + call.tool.length + call.arguments.length, 0)
  const outputTokens = recording.outputTokens ?? tokensOf(written)
  return {
    model: recording.model,
    id: recording.id,
    text: recording.text,
    calls,
    outputTokens,
    inputTokens: recording.inputTokens ?? tokensOf(recording.asked?.length ?? 0),
    latencyMs: recording.latencyMs ?? PACE.firstMs + PACE.tokenMs * outputTokens,
  }
}

/** How a request may say which recording it wants; the first that is known counts. */
export type Wanted = { readonly model: string; readonly id?: string; readonly conversation: string; readonly last: string }

export type Recordings = {
  readonly find: (wanted: Wanted) => Timed | undefined
  readonly models: readonly string[]
  readonly size: number
}

/** Recordings in memory. The same model and id again replaces the one before. */
export const indexRecordings = (list: Iterable<Recording>): Recordings => {
  const byId = new Map<string, Map<string, Timed>>()
  const byAsked = new Map<string, Map<string, Timed>>()
  const into = (map: typeof byId, model: string, key: string, value: Timed): void => {
    const own = map.get(model) ?? new Map<string, Timed>()
    map.set(model, own.set(key, value))
  }
  let size = 0
  for (const recording of list) {
    const whole = timed(recording)
    into(byId, recording.model, recording.id, whole)
    if (recording.asked !== undefined) into(byAsked, recording.model, recording.asked, whole)
    size += 1
  }
  const find = ({ model, id, conversation, last }: Wanted): Timed | undefined => {
    if (id !== undefined) return byId.get(model)?.get(id)
    const asked = byAsked.get(model)
    return asked?.get(conversation) ?? asked?.get(last)
  }
  return { find, models: [...byId.keys()], size }
}

/** Reads recordings from JSON lines, gzipped where the name ends so. */
export const readRecordings = (path: string): readonly Recording[] => {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  // The files are ours, one recording a line.
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Recording]))
}
