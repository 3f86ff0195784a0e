// Pieces of text for one reader: what is void is left out, what waits is put together.
//   E1. A piece of an older attempt or call than one that was seen is void; so is one whose number was seen.
//   E2. A reader that is slow holds up nobody: pieces of one call that wait become one, so what waits is never more than the texts.
import type { StreamPiece } from '@baton/contracts'

/** What a reader gets. `offset` is the place to go on behind. */
export type Fed = Pick<StreamPiece, 'path' | 'attempt' | 'seq' | 'text' | 'end'> & { readonly call: number; readonly offset: number }

type Newest = { attempt: number; call: number; seq: number }

const isVoid = ({ attempt, call, seq }: Newest, newest: Newest | undefined): boolean => {
  if (newest === undefined) return false
  if (attempt !== newest.attempt) return attempt < newest.attempt
  return call === newest.call ? seq <= newest.seq : call < newest.call
}
const isSameCall = (left: Fed, right: Fed): boolean =>
  left.path === right.path && left.attempt === right.attempt && left.call === right.call

/** Most pieces of different calls that wait for one reader; the oldest go first. */
const WAITING_MAX = 500

export class PieceFeed {
  readonly #newest = new Map<string, Newest>()
  #waiting: Fed[] = []

  /** Takes a piece in; whether it counts (E1). */
  take({ path, attempt, call = 1, seq, text, end }: StreamPiece, offset: number): boolean {
    const place = { attempt, call, seq }
    if (isVoid(place, this.#newest.get(path))) return false
    this.#newest.set(path, place)
    const piece: Fed = { path, ...place, text, offset, ...(end === undefined ? {} : { end }) }
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.end === undefined && isSameCall(last, piece)) {
      this.#waiting[this.#waiting.length - 1] = { ...last, ...piece, seq: last.seq, text: last.text + text } // E2
      return true
    }
    // What was begun and is void by now need not be read.
    this.#waiting = this.#waiting.filter((one) => one.path !== path || isSameCall(one, piece))
    this.#waiting.push(piece)
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift()
    return true
  }

  /** What waits, oldest first; nothing waits any more. */
  drain(): readonly Fed[] {
    const all = this.#waiting
    this.#waiting = []
    return all
  }
}
