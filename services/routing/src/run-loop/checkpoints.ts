// The checkpoints of all partitions of a process, behind their decisions (DESIGN L3).
//   C1. The snapshots of one checkpoint are taken in one turn, and committed together once their outputs are durable; what is decided
//       meanwhile belongs to the next.
//   C2. A partition that was lost does not take the others with it.
//   C3. One at a time; a hurried one follows at once.
import { toFault } from '@baton/contracts/fault'
import type { PartitionSnapshot } from '@baton/engine'
import type { RunStore } from '@baton/store'
import type { Logger } from '@baton/telemetry'
import type { OwnedPartition } from './owned-partition.ts'

export type CheckpointsOptions = {
  readonly runs: RunStore
  readonly ownerUuid: string
  /** The partitions that are owned now. */
  readonly partitions: () => Iterable<OwnedPartition>
  readonly isOwned: (partition: OwnedPartition) => boolean
  readonly onCommitted: (snapshot: PartitionSnapshot) => void
  readonly onLost: (partition: OwnedPartition, reason: unknown) => void
  readonly everyMs: number
  readonly logger: Logger
}

type Taken = { readonly partition: OwnedPartition; readonly snapshot: PartitionSnapshot }

export class Checkpoints {
  readonly #options: CheckpointsOptions
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #hurried = false
  #closed = false

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  /** Records were applied, or are about to be. */
  noticed(): void {
    if (this.#timer === undefined && this.#round === undefined) this.#schedule()
  }

  /** Somebody waits for a commit. */
  hurry(): void {
    this.#hurried = true
    if (this.#round === undefined) this.#schedule()
  }

  /** Writes what is still to be written, then stops. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#round
    await this.#checkpoint()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#hurried = false
        this.#round = this.#checkpoint().finally(() => {
          this.#round = undefined
          // Else nothing is to be written, and an idle process is not woken for it.
          if (this.#hurried || this.#uncommitted()) this.#schedule() // C3
        })
      },
      this.#hurried ? 0 : this.#options.everyMs,
    )
  }

  #uncommitted(): boolean {
    for (const partition of this.#options.partitions()) if (partition.stats().uncommitted > 0) return true
    return false
  }

  async #checkpoint(): Promise<void> {
    const { partitions, isOwned, logger } = this.#options
    try {
      const taken = [...partitions()].flatMap((partition): readonly Taken[] => {
        const snapshot = partition.snapshot()
        return snapshot === null ? [] : [{ partition, snapshot }]
      })
      if (taken.length === 0) return
      await Promise.all(taken.map(({ partition, snapshot }) => partition.durable(snapshot))) // C1
      await this.#commit(taken.filter(({ partition }) => isOwned(partition)))
    } catch (error) {
      logger.warn({ reason: toFault(error).message }, 'checkpoint failed, tried again')
    }
  }

  async #commit(taken: readonly Taken[]): Promise<void> {
    const { runs, ownerUuid, onCommitted, onLost } = this.#options
    if (taken.length === 0) return
    try {
      await runs.checkpoint({
        ownerUuid,
        partitions: taken.map(({ partition: { lease }, snapshot }) => ({
          partition: lease.partition,
          epoch: lease.epoch,
          next: snapshot.next,
        })),
        runs: taken.flatMap(({ snapshot }) => snapshot.rows),
      })
    } catch (error) {
      const lost = toFault(error).code === 'lease.lost'
      if (lost && taken.length > 1) return this.#commitEach(taken)
      for (const { partition, snapshot } of taken) partition.abandoned(snapshot)
      if (!lost) throw error
      for (const { partition } of taken) onLost(partition, error)
      return
    }
    for (const { partition, snapshot } of taken) {
      partition.committed(snapshot)
      onCommitted(snapshot)
    }
  }

  /** C2. */
  async #commitEach(taken: readonly Taken[]): Promise<void> {
    const ends = await Promise.allSettled(taken.map((one) => this.#commit([one])))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}
