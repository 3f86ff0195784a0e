// What a turn of an agent adds to its conversation, as it is stored.
//   P1. A piece holds only its own messages and names the piece before it: no conversation is ever stored twice.
//   P2. What a tool gave is kept as it came: by reference where it is in the payload store already.
import { z } from 'zod'
import type { AgentCall, AgentResult, PayloadRef } from '@baton/contracts'
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'

/** A message as it is kept. The prompt is none: it is in the plan, and the input in the run. */
export type Message =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly AgentCall[] }
  | { readonly role: 'tool'; readonly result: AgentResult }

export type Piece = { readonly previous: PayloadRef | null; readonly messages: readonly Message[] }

const Written = z.object({
  previous: z.object({ sha256: z.string(), sizeBytes: z.number(), mediaType: z.string() }).nullable(),
  messages: z.array(
    z.discriminatedUnion('role', [
      z.looseObject({ role: z.literal('user'), text: z.string() }),
      z.looseObject({
        role: z.literal('assistant'),
        text: z.string(),
        calls: z.array(z.looseObject({ id: z.string(), tool: z.string() })),
      }),
      z.looseObject({ role: z.literal('tool'), result: z.looseObject({ id: z.string(), tool: z.string() }) }),
    ]),
  ),
})

/** Reads a stored piece. Throws `payload.missing` for anything else that lies there. */
export const readPiece = (stored: Json, sha256: string): Piece => {
  const read = Written.safeParse(stored)
  if (!read.success) throw new Fault('payload.missing', 'The payload is no piece of a conversation.', { sha256 })
  return read.data as unknown as Piece // Written by this service, found by its hash; zod looked at what would break a reader.
}

/** A piece as JSON: fields that are not there are left out. */
export const writePiece = (piece: Piece): Json => JSON.parse(JSON.stringify(piece)) as Json // JSON.parse gives JSON.
