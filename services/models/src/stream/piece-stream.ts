// The text that a model is writing, piece by piece on the stream topic (B11).
//   P1. Pieces of one call are numbered from 0; a call of a higher number, or of a higher attempt, makes what came before void.
//   P2. Only one call is shown at a time: what another writes meanwhile waits until the first is void.
//   P3. One piece is on its way at a time; what is written meanwhile goes with the next one. However slow the topic, no more is held than
//       the answer itself, and no model waits for it.
//   P4. Pieces are for readers, not for runs: one that cannot be published is left out, and the answer is whole all the same.
import type { Bus } from '@baton/bus/bus'
import { encodeEvent, TOPICS, workerEventId, type StepCommand, type StreamPiece } from '@baton/contracts'
import type { PieceSink } from '../attempts/dispatch.ts'

/** Pieces go out this far apart at least. */
export const PIECE_EVERY_MS = 50
/** Calls of one delivery of a command; the next delivery counts on behind them. */
const CALLS_MAX = 100

type Call = { text: string; seq: number; how: 'done' | 'broken' | undefined }

class PieceStream implements PieceSink {
  readonly #bus: Pick<Bus, 'publish'>
  readonly #command: StepCommand
  readonly #before: number
  readonly #calls = new Map<number, Call>()
  #floor: number | undefined
  #sending = false
  #timer: NodeJS.Timeout | undefined

  constructor({ bus, command, delivery }: { bus: Pick<Bus, 'publish'>; command: StepCommand; delivery: number }) {
    this.#bus = bus
    this.#command = command
    this.#before = (delivery - 1) * CALLS_MAX
  }

  piece(number: number, text: string): void {
    const call = this.#calls.get(number) ?? { text: '', seq: 0, how: undefined }
    call.text += text
    this.#calls.set(number, call)
    this.#floor ??= number // P2
    if (this.#floor === number) this.#schedule()
  }

  end(number: number, how: 'done' | 'broken'): void {
    const call = this.#calls.get(number)
    if (call === undefined) return
    call.how = how
    if (this.#floor === number) this.#send()
    else if (how === 'broken') this.#calls.delete(number) // Nobody has seen anything of it.
  }

  #schedule(): void {
    if (this.#sending) return // P3
    this.#timer ??= setTimeout(() => this.#send(), PIECE_EVERY_MS).unref()
  }

  #send(): void {
    if (this.#sending) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    const call = this.#floor === undefined ? undefined : this.#calls.get(this.#floor)
    if (call === undefined || this.#floor === undefined || (call.text === '' && call.how === undefined)) return
    const record = this.#record(this.#floor, call)
    call.text = ''
    call.seq += 1
    if (call.how !== undefined) {
      this.#calls.delete(this.#floor)
      this.#floor = this.#calls.keys().next().value
    }
    this.#sending = true
    void this.#bus
      .publish([record])
      .catch(() => undefined) // P4
      .finally(() => {
        this.#sending = false
        const next = this.#floor === undefined ? undefined : this.#calls.get(this.#floor)
        if (next?.how !== undefined) this.#send()
        else if (next !== undefined && next.text !== '') this.#schedule()
      })
  }

  #record(number: number, { text, seq, how }: Call) {
    const { runId, tenant, path, attempt, attemptId } = this.#command
    const call = this.#before + number
    const data: StreamPiece = { runId, tenant, path, attempt, attemptId, call, seq, text, ...(how === undefined ? {} : { end: how }) }
    const id = workerEventId({ attemptId, kind: `piece.${call}`, n: seq })
    const wire = encodeEvent({ id, source: '/baton/models', subject: runId, tenant, name: 'stream.piece', data })
    return { topic: TOPICS.stream, ...wire }
  }
}

/** A sink for one dispatch. */
export const openPieces = (given: { bus: Pick<Bus, 'publish'>; command: StepCommand; delivery: number }): PieceSink =>
  new PieceStream(given)
