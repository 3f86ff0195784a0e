// All topics of a log and everything the log says about them: what a scan at start builds up and appending keeps up to date.
import { Fault } from '@baton/contracts/fault'
import type { BusRecord } from '../bus.ts'
import { decodeContent, decodeNumbers, KIND, type Entry } from './codec.ts'
import { TopicLog, type Keeping, type PartitionLog } from './partition-log.ts'
import type { Segment } from './segment.ts'

const NO_VALUE = Buffer.alloc(0)
/** A topic that is not configured: made by somebody's wish, or not configured any more. Groups that are gone must not keep it for ever. */
const UNDECLARED: Keeping = { compacted: false, carried: false, retentionMs: 7 * 86_400_000 }

export class Catalog {
  private readonly byIndex: TopicLog[] = []
  private readonly byName = new Map<string, TopicLog>()
  private readonly keeping: ReadonlyMap<string, Keeping>
  private readonly prefix: string

  /** `prefix` stands in front of every name in the log and of none outside it. */
  constructor({ keeping, prefix }: { keeping: ReadonlyMap<string, Keeping>; prefix: string }) {
    this.keeping = keeping
    this.prefix = prefix
  }

  get topics(): readonly TopicLog[] {
    return this.byIndex
  }

  topic(name: string): TopicLog {
    const topic = this.byName.get(name)
    if (topic === undefined) throw new Fault('config.invalid', `the topic ${name} does not exist`, { topic: name })
    return topic
  }

  has(name: string): boolean {
    return this.byName.has(name)
  }

  add({ name, id, partitions }: { name: string; id: string; partitions: number }): TopicLog {
    const topic = new TopicLog({ index: this.byIndex.length, name, id, partitions, keeping: this.keeping.get(name) ?? UNDECLARED })
    this.byIndex.push(topic)
    this.byName.set(name, topic)
    return topic
  }

  /** The entry that says that there is this topic. */
  declaration({ index, name, id, partitions }: TopicLog): Entry {
    return control(KIND.topic, { topic: index, partition: partitions.length, text: this.storedName(name), headers: { [id]: '' } })
  }

  /** Everything needed to start without the segments before. */
  *snapshot(): Generator<Entry> {
    for (const topic of this.byIndex) {
      yield this.declaration(topic)
      for (const log of topic.partitions) {
        yield control(KIND.partition, { topic: topic.index, partition: log.partition, offset: log.next, timeMs: log.lastTimeMs })
        if (log.hold !== undefined) yield holdEntry(log, log.hold)
        for (const [group, next] of log.positions) yield positionEntry(log, group, next)
      }
    }
  }

  /** Applies a checked frame of a segment. */
  apply(bytes: Buffer, position: number, segment: Segment): void {
    const numbers = decodeNumbers(bytes, position)
    if (numbers.kind === KIND.topic) return this.applyTopic(numbers, decodeContent(bytes, position))
    const log = this.byIndex[numbers.topic]?.partitions[numbers.partition]
    if (log === undefined)
      throw new Fault('log.corrupt', `${segment.path} names a topic that was never declared`, { path: segment.path, position })
    switch (numbers.kind) {
      case KIND.record:
        return applyRecord(log, { bytes, position, segment, offset: numbers.offset, timestampMs: numbers.timeMs })
      case KIND.partition:
        if (log.next > 0 && log.next !== numbers.offset) {
          throw new Fault('log.corrupt', `${segment.path} does not go on where the log before it ends`, { path: segment.path, position })
        }
        log.next = log.assigned = numbers.offset
        log.lastTimeMs = Math.max(log.lastTimeMs, numbers.timeMs)
        return
      case KIND.position:
        log.positions.set(decodeContent(bytes, position).text, numbers.offset)
        return
      case KIND.hold:
        log.hold = numbers.offset
        return
      default:
        throw new Fault('log.corrupt', `${segment.path} has an entry of unknown kind ${numbers.kind}`, { path: segment.path, position })
    }
  }

  private storedName(name: string): string {
    return name.startsWith(FOREIGN) ? name.slice(FOREIGN.length) : this.prefix + name
  }

  /** A topic of another prefix stays in the log under a name that nobody can ask for. */
  private nameOf(stored: string): string {
    return stored.startsWith(this.prefix) ? stored.slice(this.prefix.length) : FOREIGN + stored
  }

  private applyTopic(
    { topic, partition }: { topic: number; partition: number },
    { text, headers }: { text: string; headers: BusRecord['headers'] },
  ): void {
    if (this.byIndex[topic] !== undefined) return // A snapshot repeats what is known.
    this.add({ name: this.nameOf(text), id: Object.keys(headers)[0] ?? '', partitions: partition })
  }
}

const FOREIGN = '\0'

/** The entry that says how far a group is. */
export const positionEntry = (log: PartitionLog, group: string, next: number): Entry =>
  control(KIND.position, { topic: log.topic.index, partition: log.partition, offset: next, text: group })

/** The entry that says what a log reader still needs. */
export const holdEntry = (log: PartitionLog, before: number): Entry =>
  control(KIND.hold, { topic: log.topic.index, partition: log.partition, offset: before })

const control = (kind: Entry['kind'], entry: Partial<Entry> & { topic: number; partition: number }): Entry => ({
  offset: 0,
  timeMs: 0,
  text: '',
  headers: {},
  value: NO_VALUE,
  ...entry,
  kind,
})

const applyRecord = (
  log: PartitionLog,
  {
    bytes,
    position,
    segment,
    offset,
    timestampMs,
  }: { bytes: Buffer; position: number; segment: Segment; offset: number; timestampMs: number },
): void => {
  const { topic } = log
  const known = offset < log.next
  log.locate({ offset, timestampMs }, segment, position)
  if (!topic.compacted) return
  const { text, headers, value } = decodeContent(bytes, position)
  const older = log.newest.get(text)
  if (known && older !== undefined && older.record.offset > offset) return
  // A copy: `bytes` is the whole segment.
  log.remember({ topic: topic.name, partition: log.partition, offset, key: text, value: Buffer.from(value), headers, timestampMs }, segment)
}
