// HTTP of a server, within limits.
//   B1. An answer, or one event of a stream of events, is never longer than the limit; the connection ends at the byte that would make it so.
//   B2. A stream has no more events in a second than allowed.
import type { FetchLike } from '@modelcontextprotocol/client'
import { createRateWatch } from './rate-watch.ts'

const NEWLINE = 10

export type FetchLimits = {
  readonly messageBytesMax: number
  readonly messagesPerSecondMax: number
  readonly refused: (why: string) => void
}

/** Lets bytes pass until there are too many of them since the last message ended. */
const meter = (
  { messageBytesMax, messagesPerSecondMax, refused }: FetchLimits,
  events: boolean,
): TransformStream<Uint8Array, Uint8Array> => {
  const withinRate = createRateWatch(messagesPerSecondMax)
  let held = 0
  let blank = true
  const refuse = (why: string): never => {
    refused(why)
    throw new Error(`the server ${why}`)
  }
  const lineEnded = (): void => {
    if (blank && held > 0) {
      held = 0
      if (!withinRate()) refuse(`sends more than ${messagesPerSecondMax} messages a second`) // B2
    }
    blank = true
  }
  const take = (piece: Uint8Array): void => {
    let from = 0
    for (let at = events ? piece.indexOf(NEWLINE) : -1; at !== -1; at = piece.indexOf(NEWLINE, from)) {
      const length = at - from - (piece[at - 1] === 13 ? 1 : 0)
      held += Math.max(0, length)
      if (length > 0) blank = false
      if (held > messageBytesMax) return
      lineEnded()
      from = at + 1
    }
    held += piece.length - from
    if (piece.length > from) blank = false
  }
  return new TransformStream({
    transform: (piece, controller) => {
      take(piece)
      if (held > messageBytesMax) refuse(`sends a message of more than ${messageBytesMax} bytes`) // B1
      controller.enqueue(piece)
    },
  })
}

/** A `fetch` whose answers are bounded. */
export const boundedFetch =
  (limits: FetchLimits, inner: FetchLike = fetch): FetchLike =>
  async (url, init) => {
    const response = await inner(url, init)
    if (response.body === null) return response
    const events = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    const body = response.body.pipeThrough(meter(limits, events))
    const { status, statusText, headers } = response
    const bounded = new Response(body, { status, statusText, headers })
    Object.defineProperty(bounded, 'url', { value: response.url })
    return bounded
  }
