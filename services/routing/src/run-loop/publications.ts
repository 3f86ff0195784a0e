// The outputs of one partition on their way to the bus.
//   Q1. Requests may be answered in another order than they were made: what was published counts as durable only with everything
//       published before it.
import type { Bus, OutgoingRecord } from '@baton/bus/bus'

export type PublicationsOptions = {
  readonly bus: Pick<Bus, 'publish'>
  /** More is durable now. `ticket` is the newest one that was given with it. */
  readonly onDurable: (ticket: number) => void
  /** `offset` is the record whose outputs failed, null when they were of several. */
  readonly onFailed: (error: unknown, offset: number | null) => void
}

export class Publications {
  readonly #options: PublicationsOptions
  readonly #tickets = new Map<number, number>()
  readonly #early = new Set<number>()
  #sent = 0
  #durable = 0

  constructor(options: PublicationsOptions) {
    this.#options = options
  }

  /** Number of the newest publication. */
  get sent(): number {
    return this.#sent
  }

  /** All publications up to this number are durable. */
  get durable(): number {
    return this.#durable
  }

  publish(records: readonly OutgoingRecord[], { ticket, offset }: { readonly ticket: number; readonly offset: number | null }): void {
    this.#sent += 1
    const number = this.#sent
    this.#tickets.set(number, ticket)
    this.#options.bus.publish(records).then(
      () => this.#acknowledged(number),
      (error: unknown) => this.#options.onFailed(error, offset),
    )
  }

  #acknowledged(number: number): void {
    this.#early.add(number)
    let ticket: number | undefined
    while (this.#early.delete(this.#durable + 1)) {
      this.#durable += 1 // Q1
      ticket = this.#tickets.get(this.#durable)
      this.#tickets.delete(this.#durable)
    }
    if (ticket !== undefined) this.#options.onDurable(ticket)
  }
}
