// Whether the bus is there. An owner that reaches the database and not the bus would keep its partitions and do nothing with them.
//   W6. The bus is asked only while nothing is heard of it; one answer is enough to be trusted again.
import { toFault } from '@baton/contracts/fault'
import type { Logger } from '@baton/telemetry'

export type BusWatchOptions = {
  /** Resolves when the bus answers. */
  readonly ask: () => Promise<unknown>
  /** Nothing was heard for so long: it is asked. */
  readonly silentMs: number
  /** It has so long to answer. */
  readonly answerMs: number
  readonly monotonicMs: () => number
  readonly onGone: () => void
  readonly onBack: () => void
  readonly logger: Logger
}

/** Asks after the bus from `start` to `stop`. */
export class BusWatch {
  readonly #options: BusWatchOptions
  #heardAtMs: number
  #gone = false
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: BusWatchOptions) {
    this.#options = options
    this.#heardAtMs = options.monotonicMs()
  }

  /** Something came from the bus. */
  heard(): void {
    this.#heardAtMs = this.#options.monotonicMs()
  }

  start(): void {
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#look().finally(() => this.#schedule()), this.#options.silentMs).unref()
  }

  async #look(): Promise<void> {
    const { monotonicMs, silentMs, answerMs, onGone, onBack, logger } = this.#options
    if (!this.#gone && monotonicMs() - this.#heardAtMs < silentMs) return // W6
    const reason = await reasonOfSilence(this.#options.ask, answerMs)
    if (this.#stopped || (reason === undefined) !== this.#gone) return
    this.#gone = reason !== undefined
    logger.warn(
      { reason: reason ?? 'it answers again' },
      this.#gone ? 'the bus does not answer: partitions are left to others' : 'the bus is back',
    )
    if (this.#gone) onGone()
    else onBack()
  }
}

/** Undefined when it answers in time. */
const reasonOfSilence = async (ask: () => Promise<unknown>, answerMs: number): Promise<string | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${answerMs} ms`), answerMs)
  })
  const answered = ask().then(
    () => undefined,
    (error: unknown) => toFault(error).message,
  )
  return Promise.race([answered, late]).finally(() => clearTimeout(timer))
}
