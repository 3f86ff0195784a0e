// Reads partitions at positions the reader owns (B5).
import { toFault } from '@baton/contracts/fault'
import type { LogOptions, LogReader } from '../bus.ts'
import { PartitionFeed, truncated } from './partition-feed.ts'
import type { TopicLog } from './partition-log.ts'

/** Opens a reader that owns no partition yet. `onClose` is called once. */
export const openLogReader = (topic: TopicLog, { onBatch, onFault }: LogOptions, onClose: (reader: LogReader) => void): LogReader => {
  const feeds = new Map<number, PartitionFeed>()

  const release = async (partition: number): Promise<void> => {
    const feed = feeds.get(partition)
    feeds.delete(partition)
    await feed?.close()
  }

  const reader: LogReader = {
    async seek(partition, next) {
      await release(partition)
      const log = topic.partitions[partition]
      if (log === undefined || next < log.first || next > log.next) {
        onFault(
          partition,
          (log === undefined ? toFault(new Error(`${topic.name} has no partition ${partition}`)) : truncated(log, next)).data,
        )
        return
      }
      const feed = new PartitionFeed(log, {
        from: next,
        onTruncated: 'stop',
        onBatch: (records) => onBatch(partition, records),
        onFault: (fault) => onFault(partition, fault.data),
      })
      feeds.set(partition, feed)
    },
    release,
    async close() {
      await Promise.all([...feeds.keys()].map(release))
      onClose(reader)
    },
  }
  return reader
}
