// The conversation of an agent: a chain of pieces in the payload store, the newest first.
//   T1. A chain is read to its end or refused: more than `PIECES_MAX` turns or `CHAIN_BYTES_MAX` bytes are a limit, not a shorter memory.
import type { PayloadRef } from '@baton/contracts'
import { Fault } from '@baton/contracts/fault'
import type { Json } from '@baton/contracts/json'
import type { PayloadCache } from './payload-cache.ts'
import { readPiece, type Message, writePiece, type Piece } from './piece.ts'

/** Pieces of one conversation. */
export const PIECES_MAX = 500
/** Bytes of all pieces of one conversation. */
export const CHAIN_BYTES_MAX = 8 * 1024 * 1024

export type Transcripts = {
  /** All messages up to a piece, oldest first. Throws `limit.turns_exceeded`, `limit.tokens_exceeded` (T1) or `payload.missing`. */
  load(tenant: string, newest: PayloadRef | undefined): Promise<readonly Message[]>
  /** Stores what one turn added. */
  add(tenant: string, piece: Piece): Promise<PayloadRef>
  /** What tools gave that is kept by reference, by hash. */
  outputs(tenant: string, messages: readonly Message[]): Promise<ReadonlyMap<string, Json>>
}

export const createTranscripts = (cache: PayloadCache): Transcripts => ({
  load: async (tenant, newest) => {
    const pieces: Piece[] = []
    let bytes = 0
    for (let at: PayloadRef | null = newest ?? null; at !== null;) {
      const { sha256 }: PayloadRef = at
      const stored = await cache.get(tenant, sha256)
      bytes += stored.bytes
      if (pieces.length >= PIECES_MAX)
        throw new Fault('limit.turns_exceeded', `The conversation has more than ${PIECES_MAX} turns.`, { turnsMax: PIECES_MAX }) // T1
      if (bytes > CHAIN_BYTES_MAX)
        throw new Fault('limit.tokens_exceeded', `The conversation has more than ${CHAIN_BYTES_MAX} bytes.`, { bytesMax: CHAIN_BYTES_MAX })
      const piece = readPiece(stored.value, sha256)
      pieces.push(piece)
      at = piece.previous
    }
    return pieces.toReversed().flatMap(({ messages }) => messages)
  },
  add: (tenant, piece) => cache.put(tenant, writePiece(piece)),
  outputs: async (tenant, messages) => {
    const wanted = new Set(messages.flatMap((message) => (message.role === 'tool' ? (message.result.outputRef?.sha256 ?? []) : [])))
    const found = await Promise.all([...wanted].map(async (sha256) => [sha256, (await cache.get(tenant, sha256)).value] as const))
    return new Map(found)
  },
})
