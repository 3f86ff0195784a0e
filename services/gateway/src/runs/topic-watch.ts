// Waits for records of one run on a public topic, for callers that hold an HTTP request open.
//   G6. The topic is read from its end only while somebody waits: a gateway without waiting callers reads nothing.
//   G7. A wait that begins before the request is published cannot miss the answer.
import type { Bus, BusRecord, LogReader } from '@baton/bus/bus'
import type { Logger } from '@baton/telemetry'

/** For listeners of whatever is on the topic. */
export const EVERY_KEY = '*'

type Listener = (record: BusRecord) => void

export type TopicWatch = {
  /** Calls back for every record of the key from now on, until the returned function is called. Resolves when reading has begun (G7). */
  watch(key: string, listener: Listener): Promise<() => void>
  close(): Promise<void>
}

/** Reading goes on this long after the last waiter left, because the next one is probably near. */
const LINGER_MS = 30_000

/** Watches one topic for many waiters with one reader. */
export const createTopicWatch = ({
  bus,
  topic,
  logger,
  lingerMs = LINGER_MS,
}: {
  bus: Bus
  topic: string
  logger: Logger
  lingerMs?: number
}): TopicWatch => {
  const listeners = new Map<string, Set<Listener>>()
  let reader: Promise<LogReader> | undefined
  let lingering: NodeJS.Timeout | undefined

  const open = async (): Promise<LogReader> => {
    const log = await bus.log({
      topic,
      onBatch: (_partition, records) => {
        const every = listeners.get(EVERY_KEY) ?? []
        for (const record of records) for (const listener of [...(listeners.get(record.key) ?? []), ...every]) listener(record)
      },
      onFault: (partition, fault) => {
        logger.warn({ topic, partition, code: fault.code }, 'watch lost its place and begins again at the end')
        close().catch(() => undefined)
      },
    })
    const { partitions } = await bus.describe(topic)
    await Promise.all(partitions.map(({ partition, next }) => log.seek(partition, next)))
    return log
  }

  const close = async (): Promise<void> => {
    clearTimeout(lingering)
    const closing = reader
    reader = undefined
    await (await closing?.catch(() => undefined))?.close() // one that did not open needs no closing
  }

  const leave = (key: string, listener: Listener): void => {
    const own = listeners.get(key)
    own?.delete(listener)
    if (own?.size === 0) listeners.delete(key)
    if (listeners.size > 0) return
    clearTimeout(lingering)
    lingering = setTimeout(() => void close(), lingerMs).unref() // G6
  }

  return {
    watch: async (key, listener) => {
      clearTimeout(lingering)
      const own = listeners.get(key) ?? new Set()
      listeners.set(key, own.add(listener))
      try {
        reader ??= open()
        await reader
      } catch (error) {
        reader = undefined
        leave(key, listener)
        throw error
      }
      return () => leave(key, listener)
    },
    close,
  }
}
