// A member of a consumer group: membership apart from reading. kafkajs ties them together, so that its members die of slow handlers, lose
// their id when the coordinator moves, and read before they know what to forget.
//   G1. The member beats on its own timer; nothing it waits for is a handler.
//   G2. After a lost connection or a moved coordinator it comes back under its old id, within the session nobody notices.
//   G3. Assignments are told one after the other; the next join waits until the last one is taken over.
import { setTimeout } from 'node:timers/promises'
import type { Fault } from '@baton/contracts/fault'
import type { Assigned, ConsumerGroup, GroupOffsets } from './cluster.ts'
import { lacksRights } from './kafka-fault.ts'
import { asFault, kafkaErrorType } from './session.ts'
import type { KafkaSession } from './session.ts'

export type GroupTiming = { readonly sessionTimeoutMs: number; readonly heartbeatIntervalMs: number; readonly rebalanceTimeoutMs: number }

export type GroupMemberOptions = GroupTiming & {
  readonly session: KafkaSession
  readonly groupId: string
  /** Names on the wire. */
  readonly topics: readonly string[]
  /** All partitions of this member from now on. */
  readonly onAssigned: (assigned: readonly Assigned[]) => void
  /** The group is about to be dealt out anew; the last moment to store positions under the old assignment. */
  readonly beforeRejoin: () => Promise<void>
  /** The group knows this member; told after a time in which that was not sure. */
  readonly onHeard: () => void
}

type Life = { readonly onFirst: () => void; readonly onRefused: (fault: Fault) => void }

export class GroupMember {
  private readonly options: GroupMemberOptions
  private readonly group: ConsumerGroup
  private readonly ended = new AbortController()
  private life: Promise<void> | undefined
  /** When what the group answered last was asked. */
  private heardAtMs = -Infinity

  constructor(options: GroupMemberOptions) {
    this.options = options
    const { session, groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = options
    this.group = session.cluster.group({ groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs })
  }

  /** Resolves after the first assignment. Keeps trying while the brokers are away; rejects when this user has no right to join. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.life = this.live({ onFirst: resolve, onRefused: reject })
    })
  }

  /** Whether the group cannot have given this member up: its last answer is younger than a session. */
  isHeard(): boolean {
    return performance.now() - this.heardAtMs < this.options.sessionTimeoutMs
  }

  /** Stores positions for the current generation of the group; rejects when there is none or it is over. */
  commit(offsets: GroupOffsets): Promise<void> {
    return this.group.commitOffsets(offsets)
  }

  /** Leaves the group, so that the others take over at once. */
  async close(): Promise<void> {
    this.ended.abort()
    await this.life
    await this.group.leave().catch(() => undefined) // The group notices by itself when the session ends.
  }

  private async live({ onFirst, onRefused }: Life): Promise<void> {
    for (let failures = 0; !this.ended.signal.aborted;) {
      try {
        await this.join()
        failures = 0
        onFirst()
        await this.beat()
      } catch (error) {
        if (this.ended.signal.aborted) break
        // Says nothing to a member that was in the group before: rights that were taken away may come back.
        if (lacksRights(error)) onRefused(asFault(error, { group: this.options.groupId }))
        const type = kafkaErrorType(error)
        if (type === 'REBALANCE_IN_PROGRESS') await this.options.beforeRejoin().catch(() => undefined)
        else await this.fail(error, type, ++failures)
      }
    }
    onFirst()
  }

  private async join(): Promise<void> {
    const { session, topics, onAssigned } = this.options
    await session.cluster.addMultipleTargetTopics(topics)
    const assigned = await this.group.join()
    if (this.ended.signal.aborted) return
    this.heardAtMs = performance.now()
    onAssigned(assigned)
    this.options.onHeard()
  }

  /** Ends by an error of the heartbeat: the group changes, or the coordinator is away. */
  private async beat(): Promise<void> {
    for (;;) {
      await setTimeout(this.options.heartbeatIntervalMs, undefined, { signal: this.ended.signal })
      const askedAtMs = performance.now()
      await this.group.heartbeat()
      const wasHeard = this.isHeard()
      this.heardAtMs = askedAtMs
      if (!wasHeard) this.options.onHeard()
    }
  }

  private async fail(error: unknown, type: string | undefined, failures: number): Promise<void> {
    // The group has given this member up. Otherwise it is still known and keeps its id (G2).
    if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION') this.group.forget()
    else await this.options.session.recover(error, failures)
  }
}
