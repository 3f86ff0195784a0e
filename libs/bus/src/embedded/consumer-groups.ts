// Consumer groups inside one process: who handles which partition, and how far each group is.
//   U1. Each partition of a topic belongs to one member of a group; members that come or go change that, and unsettled messages come again.
//   U2. Positions are stored in the log itself, together every `COMMIT_MS` after something was settled, and when a member leaves.
import type { LaneConsumer, LanesOptions, OutgoingRecord } from '../bus.ts'
import { LaneRunner } from '../lanes/lane-runner.ts'
import type { Fault } from '@baton/contracts/fault'
import { positionEntry, type Catalog } from './catalog.ts'
import { PartitionFeed } from './partition-feed.ts'
import type { PartitionLog } from './partition-log.ts'
import type { Wal } from './wal.ts'

const COMMIT_MS = 150

export type GroupsOptions = {
  readonly wal: Wal
  readonly catalog: Catalog
  readonly publish: (records: readonly OutgoingRecord[]) => Promise<unknown>
  readonly nowMs: () => number
  readonly onFault: (fault: Fault) => void
}

type Member = {
  readonly group: string
  readonly logs: readonly PartitionLog[]
  readonly runner: LaneRunner
  readonly feeds: Map<PartitionLog, PartitionFeed>
}

export class ConsumerGroups {
  private readonly options: GroupsOptions
  private readonly members = new Set<Member>()
  private timer: NodeJS.Timeout | undefined

  constructor(options: GroupsOptions) {
    this.options = options
  }

  join(lanes: LanesOptions): LaneConsumer {
    const { catalog, publish, nowMs } = this.options
    const topics = [...new Set([...lanes.topics, ...lanes.retry.retryTopics.map(({ topic }) => topic)])].map((name) => catalog.topic(name))
    catalog.topic(lanes.retry.deadLetterTopic) // Better missed now than with the first dead letter.
    const feeds = new Map<PartitionLog, PartitionFeed>()
    const feedOf = (topic: string, partition: number): PartitionFeed | undefined => {
      const log = catalog.topic(topic).partitions[partition]
      return log === undefined ? undefined : feeds.get(log)
    }
    const runner = new LaneRunner({
      ...lanes,
      publish,
      nowMs,
      steadyMs: nowMs === Date.now ? () => performance.now() : nowMs, // A clock of a test is both.
      pause: (topic, partition) => feedOf(topic, partition)?.pause(),
      resume: (topic, partition) => feedOf(topic, partition)?.resume(),
      onSettled: () => this.armCommit(),
      endOf: (topic, partition) => catalog.topic(topic).partitions[partition]?.next,
    })
    const member: Member = { group: lanes.group, logs: topics.flatMap(({ partitions }) => partitions), runner, feeds }
    this.members.add(member)
    this.rebalance(lanes.group)
    return { stats: () => runner.stats(), close: async (options) => this.leave(member, options) }
  }

  /** Lets every member finish (B7) and stores the positions. */
  async close(options: { graceMs: number }): Promise<void> {
    await Promise.all([...this.members].map(async (member) => this.leave(member, options)))
    clearTimeout(this.timer)
  }

  private async leave(member: Member, { graceMs }: { graceMs: number }): Promise<void> {
    if (!this.members.delete(member)) return
    const feeds = [...member.feeds.values()]
    member.feeds.clear()
    await Promise.all(feeds.map(async (feed) => feed.close()))
    await member.runner.drain({ graceMs })
    this.notePositions(member)
    this.rebalance(member.group)
    await this.options.wal.flushed()
  }

  /** U1. */
  private rebalance(group: string): void {
    const members = [...this.members].filter((member) => member.group === group)
    const logs = new Set(members.flatMap((member) => member.logs))
    for (const log of logs) {
      const subscribed = members.filter((member) => member.logs.includes(log))
      const owner = subscribed[log.partition % subscribed.length]
      for (const member of subscribed) if (member !== owner && member.feeds.has(log)) this.revoke(member, log)
      if (owner !== undefined && !owner.feeds.has(log)) this.assign(owner, log)
    }
  }

  private assign(member: Member, log: PartitionLog): void {
    const { topic, partition } = log
    const from = Math.max(log.first, Math.min(log.next, log.positions.get(member.group) ?? 0))
    if (!log.positions.has(member.group)) {
      log.positions.set(member.group, from) // From now on the group needs what is there.
      this.options.wal.note([positionEntry(log, member.group, from)])
    }
    member.runner.assign(topic.name, partition, from)
    const feed = new PartitionFeed(log, {
      from,
      onTruncated: 'skip',
      onFault: this.options.onFault,
      onBatch: (records) => member.runner.enqueue(topic.name, partition, records),
    })
    member.feeds.set(log, feed)
  }

  private revoke(member: Member, log: PartitionLog): void {
    this.notePositions(member)
    void member.feeds.get(log)?.close()
    member.feeds.delete(log)
    member.runner.revoke(log.topic.name, log.partition)
  }

  private armCommit(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      for (const member of this.members) this.notePositions(member)
    }, COMMIT_MS) // U2
  }

  private notePositions({ runner, group }: Member): void {
    const { catalog, wal } = this.options
    const moved = runner.positions().flatMap(({ topic, partition, next }) => {
      const log = catalog.topic(topic).partitions[partition]
      if (log === undefined || log.positions.get(group) === next) return []
      log.positions.set(group, next)
      return [positionEntry(log, group, next)]
    })
    if (moved.length > 0) wal.note(moved)
  }
}
