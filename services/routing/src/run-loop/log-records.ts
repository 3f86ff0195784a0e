import { encodeFailure } from '@baton/bus'
import {
  CONTRACTS,
  deadLetterTopic,
  decodeEvent,
  DEFAULT_TENANT,
  encodeEvent,
  Fault,
  TOPICS,
  toFault,
  type FaultData,
  type Message,
} from '@baton/contracts'
import type { BusRecord, OutgoingRecord } from '@baton/bus/bus'
import type { EngineInput, LogMessage } from '@baton/engine'
import { isOversized, readForeign } from './foreign-answers.ts'

const isLogMessage = (message: Message): message is LogMessage => CONTRACTS[message.name].topics.includes(TOPICS.events)

/** A record of the log as the engine's input, or why it cannot be. */
export const readLogRecord = (record: BusRecord): EngineInput | FaultData => {
  try {
    const message = decode(record)
    if (!isLogMessage(message))
      return new Fault('message.undecodable', `${message.name} does not belong on ${TOPICS.events}`, { field: 'ce_type' }).data
    return { message, atMs: record.timestampMs, partition: record.partition, offset: record.offset }
  } catch (error) {
    return toFault(error).data
  }
}

/** Baton's own events at once; whatever else there is costs a second look. */
const decode = (record: BusRecord): Message => {
  if (isOversized(record)) return readForeign(record)
  try {
    const { name, data } = decodeEvent(record)
    return { name, data } as Message // decodeEvent pairs them.
  } catch {
    return readForeign(record)
  }
}

/** Keeps a record that the engine cannot take, with its reason (R8). */
export const deadLetterOf = (record: BusRecord, fault: FaultData): OutgoingRecord =>
  encodeFailure(deadLetterTopic('routing'), record, {
    origin: { topic: record.topic, partition: record.partition, offset: record.offset, timestampMs: record.timestampMs },
    fault,
    firstFailedAtMs: record.timestampMs,
    attempts: 1,
    stage: 0,
  })

/** Tells the run of a record that was passed over (L10). It takes effect when it is read back (L1). */
export const quarantineRecord = (
  { partition, offset, timestampMs, headers }: BusRecord,
  { runId, crashes }: { readonly runId: string; readonly crashes: number },
): OutgoingRecord => ({
  topic: TOPICS.events,
  partition,
  ...encodeEvent({
    name: 'run.quarantine',
    data: { runId, offset: String(offset), crashes },
    id: `${runId}/quarantine/${offset}`,
    source: '/baton/routing',
    subject: runId,
    tenant: headers['ce_tenant'] ?? DEFAULT_TENANT,
    time: new Date(timestampMs).toISOString(),
  }),
})
