// Reads a topic as a table: everything there is, then every change (B6).
import type { Fault } from '@baton/contracts/fault'
import type { TableOptions, TableReader } from '../bus.ts'
import { PartitionFeed } from './partition-feed.ts'
import type { TopicLog } from './partition-log.ts'

/** Opens a reader of all partitions. `ready` rejects when the topic cannot be read. */
export const openTableReader = (topic: TopicLog, { onRecord }: TableOptions, onClose: (reader: TableReader) => void): TableReader => {
  const behind = new Set(topic.partitions)
  let onReady: () => void = () => {}
  let onFailed: (fault: Fault) => void = () => {}
  const ready = new Promise<void>((resolve, reject) => {
    onReady = resolve
    onFailed = reject
  })
  ready.catch(() => {}) // Who opens a table may look at it later.

  const feeds = topic.partitions.map((log) => {
    return new PartitionFeed(log, {
      from: log.first,
      onTruncated: 'skip',
      onFault: (fault) => onFailed(fault),
      onBatch: (records) => {
        for (const record of records) onRecord(record)
      },
      onCaughtUp: () => {
        if (behind.delete(log) && behind.size === 0) onReady()
      },
    })
  })

  const reader: TableReader = {
    ready,
    async close() {
      await Promise.all(feeds.map(async (feed) => feed.close()))
      onClose(reader)
    },
  }
  return reader
}
