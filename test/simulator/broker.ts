// Topics as far as the run loop sees them: a log with append times in partitions, and everything else that was published.
import { partitionOf } from '@baton/contracts/ids'
import type { EngineInput, LogMessage, Output } from '@baton/engine'
import type { Promises } from './promises.ts'
import type { Tree } from './tree.ts'
import type { Workers } from './workers.ts'

export const PARTITIONS = 2

export type Broker = {
  readonly append: (message: LogMessage, partition?: number) => void
  readonly publish: (output: Output, partition: number) => void
  /** Records from an offset on, read anew each time: nobody can change the log by what they do with a record. */
  readonly read: (partition: number, from: number, count: number) => readonly EngineInput[]
  readonly next: (partition: number) => number
}

type Options = { readonly nowMs: () => number; readonly promises: Promises; readonly workers: Workers; readonly tree: Tree }

/** A broker on a clock. Appending gives the record its time, which never goes back within a partition. */
export const createBroker = ({ nowMs, promises, workers, tree }: Options): Broker => {
  const logs = Array.from({ length: PARTITIONS }, (): { readonly atMs: number; readonly text: string }[] => [])
  const logOf = (partition: number) => {
    const log = logs[partition]
    if (log === undefined) throw new Error(`no partition ${partition}`)
    return log
  }
  const append = (message: LogMessage, partition = partitionOf(message.data.runId, PARTITIONS)): void => {
    const log = logOf(partition)
    log.push({ atMs: Math.max(nowMs(), log.at(-1)?.atMs ?? 0), text: JSON.stringify(message) })
  }
  return {
    append,
    publish: (output, partition) => {
      const isFirst = promises.publish(output)
      tree.see(output)
      if (output.to === 'log') append(output.message, partition)
      else if (output.to === 'command' || output.to === 'task') workers.deliver(output.command, isFirst)
    },
    read: (partition, from, count) =>
      logOf(partition)
        .slice(from, from + count)
        .map(({ atMs, text }, index) => ({ message: JSON.parse(text) as LogMessage, atMs, partition, offset: from + index })),
    next: (partition) => logOf(partition).length,
  }
}
