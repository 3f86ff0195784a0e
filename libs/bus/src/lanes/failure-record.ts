// What a message carries while it is in a retry topic or among the dead letters.
//   H1. Key, value and the message's own headers stay as they were, byte for byte.
//   H2. The origin is where the message was first read; further hops keep it.
//   H3. These headers mean something only on a retry or dead-letter topic; elsewhere they are a stranger's and are dropped.
import { isFaultCode, type FaultData } from '@baton/contracts/fault'
import type { BusRecord, OutgoingRecord } from '../bus.ts'
import { decodeAttempts, encodeAttempts, type AttemptNote } from './attempt-log.ts'

export const HEADER = {
  /** The attempt that comes next. */
  attempt: 'x-attempt',
  /** Retry topics used up. */
  stage: 'x-retry-stage',
  notBeforeMs: 'x-not-before-ms',
  originTopic: 'x-origin-topic',
  originPartition: 'x-origin-partition',
  originOffset: 'x-origin-offset',
  originTimestampMs: 'x-origin-timestamp-ms',
  firstFailedAtMs: 'x-first-failed-at-ms',
  faultCode: 'x-fault-code',
  faultMessage: 'x-fault-message',
  faultDetail: 'x-fault-detail',
  /** Attempts made before it was given up. */
  attempts: 'x-attempts',
  /** When each of them failed, and of what. */
  attemptLog: 'x-attempt-log',
  /** Where in the code the last of them failed. */
  faultFrames: 'x-fault-frames',
  /** On a redriven message: the redrive that sent it. */
  redriveId: 'x-redrive-id',
  /** On a redriven message: what happened to it before. */
  redriveHistory: 'x-redrive-history',
  /** On a marker among the dead letters: the offset that was redriven. */
  redrivenOf: 'x-redriven-of',
  /** On a marker among the dead letters: the offset that was discarded. */
  discardedOf: 'x-discarded-of',
} as const

const FAILURE_HEADERS: ReadonlySet<string> = new Set([
  HEADER.attempt,
  HEADER.stage,
  HEADER.notBeforeMs,
  HEADER.originTopic,
  HEADER.originPartition,
  HEADER.originOffset,
  HEADER.originTimestampMs,
  HEADER.firstFailedAtMs,
  HEADER.faultCode,
  HEADER.faultMessage,
  HEADER.faultDetail,
  HEADER.attempts,
  HEADER.attemptLog,
  HEADER.faultFrames,
])

/** Longest reason kept in a header, so that a stack or a page of HTML cannot make the record too large to forward. */
const FAULT_MESSAGE_CHARS_MAX = 2_000
const FRAMES_MAX = 5
const FRAME_CHARS_MAX = 200

/** Where a message was first read. */
type Origin = { readonly topic: string; readonly partition: number; readonly offset: number; readonly timestampMs: number }

/** What is known about a message that failed. Times in ms since 1970; `fault` and `firstFailedAtMs` are absent when it was only deferred. */
export type FailureRecord = {
  readonly origin: Origin
  readonly firstFailedAtMs?: number
  readonly fault?: FaultData
  /** Attempts made so far. */
  readonly attempts: number
  /** Retry topics used so far. */
  readonly stage: number
  /** In a retry topic: not to be handled before. */
  readonly notBeforeMs?: number
  /** Each try that failed since the message was sent, or sent again; absent where nobody wrote them down. */
  readonly log?: readonly AttemptNote[]
  /** Where in the code the last one failed, innermost first. */
  readonly frames?: readonly string[]
}

/** The message as it goes to `topic`: its own bytes plus the failure. */
export const encodeFailure = (
  topic: string,
  message: { key: string; value: Buffer; headers: BusRecord['headers'] },
  failure: FailureRecord,
): OutgoingRecord => {
  const { origin, firstFailedAtMs, fault, notBeforeMs } = failure
  const headers: Record<string, string> = {
    ...withoutFailure(message.headers),
    [HEADER.originTopic]: origin.topic,
    [HEADER.originPartition]: String(origin.partition),
    [HEADER.originOffset]: String(origin.offset),
    [HEADER.originTimestampMs]: String(origin.timestampMs),
    [HEADER.attempts]: String(failure.attempts),
  }
  if (firstFailedAtMs !== undefined) headers[HEADER.firstFailedAtMs] = String(firstFailedAtMs)
  if (fault !== undefined) {
    headers[HEADER.faultCode] = fault.code
    headers[HEADER.faultMessage] = fault.message.slice(0, FAULT_MESSAGE_CHARS_MAX)
    if (fault.detail !== undefined) headers[HEADER.faultDetail] = JSON.stringify(fault.detail)
  }
  if (failure.log !== undefined && failure.log.length > 0) headers[HEADER.attemptLog] = encodeAttempts(failure.log)
  if (failure.frames !== undefined && failure.frames.length > 0) headers[HEADER.faultFrames] = JSON.stringify(failure.frames)
  if (notBeforeMs !== undefined) {
    headers[HEADER.attempt] = String(failure.attempts + 1)
    headers[HEADER.stage] = String(failure.stage)
    headers[HEADER.notBeforeMs] = String(notBeforeMs)
  }
  return { topic, key: message.key, value: message.value, headers }
}

/** The failure a retry or dead-letter record carries, or nothing when it is not one. */
export const decodeFailure = (record: Pick<BusRecord, 'headers'>): FailureRecord | undefined => {
  const { headers } = record
  const topic = headers[HEADER.originTopic]
  if (topic === undefined) return undefined
  const count = (name: string): number => natural(headers[name]) ?? 0
  const fault = decodeFault(headers)
  const firstFailedAtMs = natural(headers[HEADER.firstFailedAtMs])
  const notBeforeMs = natural(headers[HEADER.notBeforeMs])
  const log = decodeAttempts(headers[HEADER.attemptLog])
  const frames = decodeFrames(headers[HEADER.faultFrames])
  return {
    origin: {
      topic,
      partition: count(HEADER.originPartition),
      offset: count(HEADER.originOffset),
      timestampMs: count(HEADER.originTimestampMs),
    },
    attempts: count(HEADER.attempts),
    stage: count(HEADER.stage),
    ...(firstFailedAtMs === undefined ? {} : { firstFailedAtMs }),
    ...(fault === undefined ? {} : { fault }),
    ...(notBeforeMs === undefined ? {} : { notBeforeMs }),
    ...(log.length === 0 ? {} : { log }),
    ...(frames.length === 0 ? {} : { frames }),
  }
}

/** The headers the message had before it failed. */
export const withoutFailure = (headers: BusRecord['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !FAILURE_HEADERS.has(name)))

/** A record of a retry topic as its handler saw it the first time: origin's topic, partition, offset and time, own headers only. */
export const asOriginal = (record: BusRecord, { origin }: FailureRecord): BusRecord => ({
  topic: origin.topic,
  partition: origin.partition,
  offset: origin.offset,
  timestampMs: origin.timestampMs,
  key: record.key,
  value: record.value,
  headers: withoutFailure(record.headers),
})

const decodeFault = (headers: BusRecord['headers']): FaultData | undefined => {
  const code = headers[HEADER.faultCode]
  if (!isFaultCode(code)) return undefined
  const detail = decodeDetail(headers[HEADER.faultDetail])
  return { code, message: headers[HEADER.faultMessage] ?? '', ...(detail === undefined ? {} : { detail }) }
}

const decodeDetail = (text: string | undefined): FaultData['detail'] => {
  if (text === undefined) return undefined
  try {
    const detail: unknown = JSON.parse(text)
    if (typeof detail !== 'object' || detail === null) return undefined
    const facts = Object.entries(detail).filter((entry): entry is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    )
    return Object.fromEntries(facts)
  } catch {
    return undefined // A detail that cannot be read is worth less than the record it stands on.
  }
}

const decodeFrames = (text: string | undefined): readonly string[] => {
  try {
    const frames: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(frames)) return []
    return frames
      .filter((frame): frame is string => typeof frame === 'string')
      .slice(0, FRAMES_MAX)
      .map((frame) => frame.slice(0, FRAME_CHARS_MAX))
  } catch {
    return [] // As with a detail.
  }
}

const natural = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined
  return Number(text)
}
